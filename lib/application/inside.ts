import type { DispatchServices } from '../dispatch/services.ts'
import type { EventStore } from '../event-store/event-store.ts'

/** What the testing kit sees of an application. */
export interface ApplicationInside {
  readonly name: string
  /** As the application was given it. */
  readonly store: EventStore
  readonly services: Pick<DispatchServices, 'store' | 'codec' | 'board'>
  isRunning(): boolean
  /** The names of those who follow the events. */
  handlers(): readonly string[]
  /** Resolves when no command is under way. */
  idle(): Promise<void>
  /** Runs the queued commands that are due, and those that these lead to, until there are none; how many there were. */
  runQueued(): Promise<number>
  /**
   * Lets all that is under way end, does something while nothing runs, and begins anew with nothing in memory. The application
   * refuses commands meanwhile.
   */
  beginAnew(meanwhile: () => void): Promise<void>
}

const insides = new WeakMap<object, ApplicationInside>()

export function keepInside(application: object, inside: ApplicationInside): void {
  insides.set(application, inside)
}

/** Undefined where the value is no application. */
export function insideOf(application: unknown): ApplicationInside | undefined {
  return typeof application === 'object' && application !== null ? insides.get(application) : undefined
}

/** The applications that run in this process, by name. */
export const runningApplications = new Map<string, object>()
