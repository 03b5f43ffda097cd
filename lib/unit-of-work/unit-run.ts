import type { ExecutionContext } from '../aggregate/execution-context.ts'
import type { Instance } from '../aggregate/instance.ts'
import type { EventSource } from '../dispatch/new-events.ts'
import type { RunningHandler } from '../dispatch/running-handler.ts'
import { runningHere } from '../dispatch/running-handler.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { describeThrown, UnitOfWorkMisuseError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Unit } from './unit.ts'
import { UnitRepository } from './unit-repository.ts'

/** What a unit of work has stored. */
export interface UnitOfWorkResult {
  /** In the order of their positions. */
  readonly events: readonly RecordedEvent[]
  /** That of the last one, for `waitFor`; 0 where there is none. */
  readonly position: number
}

/** What is done after a commit. */
export type AfterCommit = (result: UnitOfWorkResult) => unknown

/** For whom a unit runs, to see who dispatches to itself. */
export interface UnitHolder {
  readonly instance: Instance | undefined
  readonly turn?: object
}

/** One command's use of a unit, or that of code which is no command's: what is seen of it wherever it is running. */
export class UnitRun implements RunningHandler {
  readonly services: DispatchServices
  readonly unit: Unit
  readonly repository: UnitRepository
  readonly instance: Instance | undefined
  readonly turn: object
  readonly dispatchedFrom: RunningHandler | undefined
  /** Whether it was rolled back by those who run it, and not by a failure. */
  rolledBack = false
  readonly #hooks: AfterCommit[] = []

  constructor(
    services: DispatchServices,
    unit: Unit,
    source: EventSource,
    context: ExecutionContext,
    { instance, turn }: UnitHolder,
  ) {
    this.services = services
    this.unit = unit
    this.repository = new UnitRepository(services, unit, source, context)
    this.instance = instance
    this.turn = turn ?? this
    this.dispatchedFrom = runningHere()
  }

  /** @throws {UnitOfWorkMisuseError} `unit_of_work_misuse` where a unit that joins it is said to be another tenant's */
  refuseOther(tenant: string | undefined): void {
    const own = this.repository.source.tenant
    if (tenant === undefined || tenant === own) return
    const which = own === undefined ? 'no tenant' : `the tenant ${own}`
    throw new UnitOfWorkMisuseError(`a unit of work of the tenant ${tenant} cannot join one of ${which}, around it`)
  }

  hasInUnit(services: object, streamId: string): boolean {
    return services === (this.services.standsInFor ?? this.services) && this.inProgress && this.unit.hasLoaded(streamId)
  }

  get unitOfWork(): this {
    return this
  }

  get inProgress(): boolean {
    return !this.unit.isEnded
  }

  afterCommit(hook: AfterCommit): void {
    // From JavaScript, anything.
    if (typeof (hook as unknown) !== 'function') throw new UnitOfWorkMisuseError('afterCommit(…) takes a function')
    this.#hooks.push(hook)
  }

  rollBack(): void {
    this.rolledBack = true
    // What was to be done after the commit: there is none.
    this.#hooks.length = 0
    this.end()
    this.unit.rollBack()
  }

  /** Nobody does anything more with it. */
  end(): void {
    this.repository.end()
  }

  /** What is to be done after the commit, one after the other. What fails is told of; what is stored stays stored. */
  async committed(result: UnitOfWorkResult): Promise<void> {
    for (const hook of this.#hooks.splice(0)) {
      try {
        await hook(result)
      } catch (error) {
        this.services.logger.error(
          { err: error },
          `what was to be done after a commit failed: ${describeThrown(error)}`,
        )
      }
    }
  }
}

/** The unit of an application's that this code runs in, if it runs in one that goes on: also in a dry run. */
export function unitHereOf(services: DispatchServices): UnitRun | undefined {
  const run = unitHere()
  return run !== undefined && (run.services.standsInFor ?? run.services) === services ? run : undefined
}

/** The unit that this code runs in, if it runs in one that goes on. */
export function unitHere(): UnitRun | undefined {
  const run = runningHere()?.unitOfWork
  return run instanceof UnitRun && run.inProgress ? run : undefined
}
