import type { Instance } from '../aggregate/instance.ts'
import { CommandContext } from '../dispatch/command-context.ts'
import { Executed } from '../dispatch/executed.ts'
import { Execution } from '../dispatch/execution.ts'
import { isLater, type MaybePromise } from '../effects/maybe-promise.ts'
import { VersionConflictError } from '../errors.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import type { CommandHandlerBody } from '../routing/command-handler-body.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { handleInUnit } from './handle-in-unit.ts'
import { pauseAfter } from './pause.ts'
import { repeatedElsewhere, repeatedUnit } from './repeated-unit.ts'
import { CommittedBeforeSignal, Unit } from './unit.ts'
import { NOTHING_STORED, type Committed } from './unit-commit.ts'
import type { UnitOwner } from './unit-owner.ts'
import { UnitRun } from './unit-run.ts'

/** The execution of a command by a handler that loads and persists aggregates: each attempt is a unit of work of its own. */
export class UnitExecution extends Execution implements UnitOwner {
  #committed: UnitRun | undefined

  override start(): MaybePromise<ExecutionResult> {
    const result = super.start()
    return isLater(result) ? result.then((executed) => this.#afterCommit(executed)) : result
  }

  /** Not on the command's clock, and not in its turn: what is stored is stored. */
  async #afterCommit(result: ExecutionResult): Promise<ExecutionResult> {
    await this.#committed?.committed(result)
    return result
  }

  override fence(): void {
    super.fence()
  }

  appending(): void {
    this.phase = 'appending'
  }

  protected override execute(): MaybePromise<ExecutionResult> {
    return this.#attempt(this.plan.route.unit as CommandHandlerBody)
  }

  async #attempt(handler: CommandHandlerBody): Promise<ExecutionResult> {
    const { services } = this
    const unit = new Unit(services, this, handler)
    const { instance } = this
    const run = new UnitRun(services, unit, this, new CommandContext(this), { instance, turn: this })
    try {
      const reply = await handleInUnit(run, handler, this, (work) => this.#inUserCode(run, work))
      this.fence()
      const committed = run.rolledBack ? NOTHING_STORED : await unit.commit()
      return this.#through(run, committed, reply)
    } catch (error) {
      if (error instanceof CommittedBeforeSignal) {
        return this.repeated(await this.#repeat(error.found.instance, error.found.events))
      }
      // Only a commit ends a unit by itself: a conflict that the handler has met elsewhere is its own.
      if (error instanceof VersionConflictError && unit.hasConflicted(error)) return await this.#again(unit, error)
      throw error
    } finally {
      unit.rollBack()
    }
  }

  #inUserCode(run: UnitRun, work: () => unknown): unknown {
    this.inUserCode = true
    try {
      return this.asHandler(work, run)
    } finally {
      this.inUserCode = false
    }
  }

  #through(run: UnitRun, { events, synchronous }: Committed, reply: unknown): ExecutionResult {
    this.phase = 'through'
    this.synchronous = synchronous
    this.#committed = run
    const { version, state, aggregateId, streamId } = this.held
    const result = new Executed({ aggregateId, streamId }, version, events, this.metadata, state, reply)
    // Its caller has been told that nobody knows.
    if (this.failure !== undefined) void run.committed(result)
    return result
  }

  protected override repeat(events: readonly StoredEvent[]): MaybePromise<ExecutionResult> {
    return this.#repeat(this.held, events)
  }

  async #repeat(found: Instance, events: readonly StoredEvent[]): Promise<ExecutionResult> {
    const { services, command, instance } = this
    const result = await repeatedUnit(services, command, instance as Instance, { instance: found, events })
    // The marks of its events were those of then: nobody knows them any more.
    if (services.eventProcessing === 'sync') this.synchronous = result.events
    return result
  }

  /** It may have committed in time, and in other streams than that of its aggregate. */
  protected override async tooLate(deadline: number): Promise<ExecutionResult> {
    const before =
      this.options.commandId === undefined ? undefined : await repeatedElsewhere(this.services, this, this.held)
    this.fence()
    return before === undefined ? super.tooLate(deadline) : this.repeated(before)
  }

  /** Someone else wrote first to one of the streams: all is done again, on what they wrote. */
  async #again(unit: Unit, conflict: VersionConflictError): Promise<ExecutionResult> {
    const { streamId, expected, actual } = conflict
    const { expectedVersion } = this.options
    if (expectedVersion !== undefined && streamId === this.instance?.streamId) {
      throw new VersionConflictError(streamId, expectedVersion, actual)
    }
    try {
      this.attemptAgain(streamId, expected, actual)
    } catch (error) {
      throw error instanceof VersionConflictError ? await unit.asToldOf(error) : error
    }
    await pauseAfter(this.attempts, this.services)
    this.fence()
    return this.refetch()
  }
}
