import type { DispatchDefaults } from './route-plan.ts'
import type { DispatchServices } from './services.ts'

/** What a unit of work that no command began needs of its application. */
export interface UnitHost {
  readonly services: DispatchServices
  readonly defaults: DispatchDefaults
  /** @throws {NotRunningError} `not_running` */
  mustRun(): void
  /** The first workflow that follows an event of this type inside its transaction. */
  readonly followerOf: (type: string) => string | undefined
  /** Lets the application's stop wait for some work. */
  during<Value>(work: Promise<Value>): Promise<Value>
}

const hosts = new WeakMap<object, UnitHost>()

export function keepUnitHost(application: object, host: UnitHost): void {
  hosts.set(application, host)
}

/** Undefined where the value is no application. */
export function unitHostOf(application: unknown): UnitHost | undefined {
  return typeof application === 'object' && application !== null ? hosts.get(application) : undefined
}
