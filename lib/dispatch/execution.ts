import { NOT_LOADED, type Instance } from '../aggregate/instance.ts'
import type { Decision } from '../aggregate/decision.ts'
import { isRejection, type Rejection } from '../aggregate/rejection.ts'
import { isLater, proceed, type MaybePromise } from '../effects/maybe-promise.ts'
import {
  CategoryMismatchError,
  CommandRejectedError,
  ReentrantDispatchError,
  StoreError,
  StreamClosedError,
  UniqueValueTakenError,
  VersionConflictError,
} from '../errors.ts'
import type { ExpectedVersion, StreamAppend, StreamAppendResult } from '../event-store/event-store.ts'
import { justRecorded } from '../event-store/recorded-event.ts'
import type { NewEvent } from '../event-store/stored-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { Lifespan } from '../routing/lifespan.ts'
import { Executed } from './executed.ts'
import { newEvents } from './new-events.ts'
import { LoadingTurn } from './loading-turn.ts'
import { commandInfo, executionEnd } from './observed-execution.ts'
import { holds, refusalOfChange, type RunningHandler } from './running-handler.ts'
import { synchronousEvents } from './synchronous-events.ts'

const TOGETHER = Object.freeze({ atomic: true })
const NO_RECORDED_EVENTS: readonly RecordedEvent[] = Object.freeze([])

/**
 * One command's way from the mailbox of its aggregate to the committed events. Its stages are methods that call the next one:
 * at once while everything is at hand, later where something has to be waited for.
 */
export class Execution extends LoadingTurn implements RunningHandler {
  begun = false
  /** Those of the events that it has stored whose handlers are waited for; undefined where there are none. */
  synchronous: readonly RecordedEvent[] | undefined
  protected attempts = 0
  #events: readonly NewEvent[] | undefined
  protected decision: Decision | undefined

  /** Takes the command through; what it throws is an EdictError that says what became of it. */
  start(): MaybePromise<ExecutionResult> {
    const { lifespan } = this.plan
    return lifespan === undefined ? this.#enter() : this.#enterForAWhile(lifespan)
  }

  #enter(): MaybePromise<ExecutionResult> {
    const { instances, mailboxLimit, fairness } = this.services
    if (this.options.signal?.aborted) throw this.aborted(this.options.signal)
    if (this.options.deadline !== undefined) this.limitTo(this.options.deadline)
    const { tenant } = this
    const group = this.plan.group.of(tenant)
    const instance = instances.obtain(group, this.aggregateId)
    this.instance = instance
    this.begun = true
    const { mailbox } = instance
    if (!mailbox.idle || this.dispatchedFrom !== undefined) this.#refuseReentry(instance)
    const result = mailbox.enter(this, mailboxLimit, instance.streamId, fairness)
    return isLater(result) ? this.bounded(result) : result
  }

  /** As `#enter`, where the route says how long the instance lives on. */
  async #enterForAWhile(lifespan: Lifespan): Promise<ExecutionResult> {
    const { lifespans } = this.services
    try {
      const result = await this.#enter()
      lifespans.afterResult(this.held, lifespan, this.command, result)
      return result
    } catch (error) {
      if (this.instance !== undefined) lifespans.afterError(this.instance, lifespan, error)
      throw error
    }
  }

  /** As `start`, where time has passed since the dispatch: middleware is not on the command's clock. */
  startLater(): MaybePromise<ExecutionResult> {
    this.now = this.services.clock.now()
    return this.start()
  }

  /** As `startLater`, after middleware. It has begun, and may hold what others wait for: it does not stand in line once more. */
  startInTurn(): MaybePromise<ExecutionResult> {
    const { fairness } = this.services
    return fairness.turnDue() ? fairness.turn().then(() => this.startLater()) : this.startLater()
  }

  /** The turn on the instance: from its state to the commit. */
  perform(): MaybePromise<ExecutionResult> {
    this.phase = 'working'
    const { telemetry } = this.services
    if (!telemetry.watched.execute) return this.begin()
    const info = { ...commandInfo(this), metadata: this.metadata }
    return telemetry.around('execute', info, () => this.begin(), executionEnd)
  }

  /** The marks of its events were those of then: nobody knows them any more. */
  protected override repeated(result: ExecutionResult): ExecutionResult {
    if (this.services.eventProcessing === 'sync') this.synchronous = result.events
    return result
  }

  protected override decided(decision: Decision): MaybePromise<ExecutionResult> {
    this.decision = decision
    const instance = this.held
    return proceed(newEvents(this.services, this, instance, decision.events), this, this.#append)
  }

  protected override final(decision: Decision | Rejection | UniqueValueTakenError): ExecutionResult {
    if (decision instanceof UniqueValueTakenError) throw decision
    if (isRejection(decision)) throw this.#rejected(decision)
    return this.#through(this.held.version, NO_RECORDED_EVENTS, decision)
  }

  #append(events: readonly NewEvent[]): MaybePromise<ExecutionResult> {
    return this.append(events)
  }

  protected append(events: readonly NewEvent[]): MaybePromise<ExecutionResult> {
    return this.appendTogether(events, undefined)
  }

  /** All of it or nothing, where other streams get something with the events of the aggregate. */
  protected appendTogether(
    events: readonly NewEvent[],
    others: readonly StreamAppend[] | undefined,
  ): MaybePromise<ExecutionResult> {
    this.fence()
    this.phase = 'appending'
    this.#events = events
    const { streamId, version, model } = this.held
    const { store, handling } = this.services
    const own = {
      streamId,
      category: model.name,
      expectedVersion: version,
      events,
      deduplicate: this.options.commandId !== undefined,
    }
    const streams = others === undefined ? [own] : [own, ...others]
    const options = others === undefined ? undefined : TOGETHER
    // Whom the append wakes does not act for the handler that runs here.
    const results =
      handling === undefined
        ? store.append(streams, options)
        : handling.run(undefined, () => store.append(streams, options))
    return proceed(results, this, this.#appended)
  }

  #appended(results: readonly StreamAppendResult[]): MaybePromise<ExecutionResult> {
    return this.appended(results)
  }

  /** The first result is that of the aggregate's own stream. */
  protected appended([result]: readonly StreamAppendResult[]): MaybePromise<ExecutionResult> {
    const { streamId, model } = this.held
    switch (result?.status) {
      case 'appended':
        return this.#committed(result.firstPosition, result.streamVersion)
      case 'version_conflict':
        return this.#conflict(result.actual)
      case 'repeated':
        return this.repeatOf(result.events)
      case 'duplicate_command':
        // Another node was first with this command id: the same command's result is the answer, whatever events it decided on.
        return this.answerOfThen()
      case 'stream_closed':
        return this.#closed(result.state)
      case 'category_mismatch':
        throw new CategoryMismatchError(streamId, model.name, result.actual)
      default:
        throw new StoreError(`the ${this.services.store.name} event store gave no answer to an append`, {
          outcome: 'unknown',
        })
    }
  }

  #closed(state: 'archived' | 'deleted'): never {
    // What is deleted in the store is not to live on in memory.
    if (state === 'deleted') this.#forget()
    throw new StreamClosedError(this.held.streamId, state)
  }

  /** The next command reads it from the store: a state that is known to be behind would only meet the same conflict again. */
  #forget(): void {
    const instance = this.held
    instance.state = undefined
    instance.version = NOT_LOADED
  }

  #committed(firstPosition: number, streamVersion: number): ExecutionResult {
    const instance = this.held
    const decision = this.decision as Decision
    const events = this.#events as readonly NewEvent[]
    const { streamId } = instance
    const category = instance.model.name
    const firstVersion = streamVersion - events.length + 1
    const made = decision.events
    instance.state = decision.state
    instance.version = streamVersion
    this.services.follower?.appended(firstPosition, firstPosition + events.length - 1)
    this.services.snapshots.afterCommit(instance)
    const recorded: RecordedEvent[] = [
      justRecorded(events[0] as NewEvent, made[0]?.data, streamId, category, firstVersion, firstPosition),
    ]
    for (let index = 1; index < events.length; index++) {
      const position = firstPosition + index
      const event = events[index] as NewEvent
      recorded.push(justRecorded(event, made[index]?.data, streamId, category, firstVersion + index, position))
    }
    this.synchronous = synchronousEvents(made, recorded, this.services.eventProcessing)
    return this.#through(streamVersion, recorded, decision)
  }

  #through(version: number, events: readonly RecordedEvent[], { state, reply }: Decision): ExecutionResult {
    this.phase = 'through'
    return new Executed(this.held, version, events, this.metadata, state, reply)
  }

  /** Someone else wrote first: what they wrote is fetched, and the command decided again. */
  #conflict(actual: number): MaybePromise<ExecutionResult> {
    const { streamId, version } = this.held
    const { expectedVersion } = this.options
    if (expectedVersion !== undefined) {
      this.#tellOfConflict(expectedVersion, actual, false)
      throw new VersionConflictError(streamId, expectedVersion, actual)
    }
    this.attemptAgain(streamId, version, actual)
    return this.refetch()
  }

  #tellOfConflict(expected: ExpectedVersion, actual: number, retried: boolean): void {
    this.services.telemetry.tell('dispatch:conflict', { ...commandInfo(this), expected, actual, retried })
  }

  /** @throws {VersionConflictError} `version_conflict` where the attempts are used up */
  protected attemptAgain(streamId: string, expected: ExpectedVersion, actual: number): void {
    this.phase = 'working'
    const { retryAttempts, signal } = this.options
    const retried = this.attempts < retryAttempts
    this.#tellOfConflict(expected, actual, retried)
    if (!retried) {
      this.#forget()
      throw new VersionConflictError(streamId, expected, actual)
    }
    this.attempts++
    this.fence()
    if (signal?.aborted) throw this.aborted(signal)
  }

  #rejected({ code, details }: Rejection): CommandRejectedError {
    return new CommandRejectedError(code, this.command.type, details)
  }

  /**
   * A dispatch to an aggregate from within its own handler would wait for itself. A synchronous one is seen by the flag, an
   * asynchronous one by the scope that follows it.
   */
  #refuseReentry(instance: Instance): void {
    const { current } = instance.mailbox
    const synchronous = current instanceof Execution && current.inUserCode
    const refusal = refusalOfChange(this.command.type, this.dispatchedFrom, this.services, instance.streamId)
    if (refusal !== undefined) throw new ReentrantDispatchError(refusal)
    if (!synchronous && !holds(this.dispatchedFrom, instance)) return
    throw new ReentrantDispatchError(
      `${this.command.type} was dispatched to ${instance.streamId} from within its own handler: return its events instead`,
    )
  }
}
