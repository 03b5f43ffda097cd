import type { Decision } from '../aggregate/decision.ts'
import { proceed, type MaybePromise } from '../effects/maybe-promise.ts'
import { StoreError, StreamClosedError, UniqueValueTakenError, VersionConflictError } from '../errors.ts'
import type { StreamAppend, StreamAppendResult } from '../event-store/event-store.ts'
import type { NewEvent } from '../event-store/stored-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { Execution } from './execution.ts'
import { movesBetween, reservations, takenMeanwhile, undoing, type Move, type Reserving } from './reservations.ts'

const NOTHING: readonly StreamAppend[] = Object.freeze([])

/** The execution of an aggregate that has values to itself: they change hands with its events, or nothing happens. */
export class ReservingExecution extends Execution {
  #ownEvents: readonly NewEvent[] = []
  #moves: readonly Move[] = []
  /** What is appended together with the events. */
  #reservations: readonly StreamAppend[] = NOTHING

  protected override append(events: readonly NewEvent[]): MaybePromise<ExecutionResult> {
    this.#ownEvents = events
    this.#reservations = NOTHING
    const { model, state } = this.held
    const after = (this.decision as Decision).state
    const moves = model.unique === undefined ? [] : movesBetween(model.unique, this.tenant, state, after)
    this.#moves = moves
    if (moves.length === 0) return super.append(events)
    this.fence()
    return proceed(reservations(this.services.store, moves, this.#reserving()), this, this.#found)
  }

  #reserving(): Reserving {
    const { commandId, causationId, correlationId, now } = this
    return {
      owner: this.held.streamId,
      commandType: this.command.type,
      ...{ commandId, causationId, correlationId, now },
      deduplicate: this.options.commandId !== undefined,
    }
  }

  #found(found: readonly StreamAppend[] | UniqueValueTakenError): MaybePromise<ExecutionResult> {
    this.fence()
    // As good as the state that the command was decided on: where that is behind, it is decided again.
    if (found instanceof UniqueValueTakenError) return this.unchanged(found)
    this.#reservations = found
    return found.length === 0 ? super.append(this.#ownEvents) : this.appendTogether(this.#ownEvents, found)
  }

  protected override appended(results: readonly StreamAppendResult[]): MaybePromise<ExecutionResult> {
    const [own, ...others] = results
    if (own?.status === 'abandoned') return this.#overtaken(others)
    if (own?.status === 'appended') this.#tellFollower(others)
    if (own?.status !== 'repeated') return super.appended(results)
    return proceed(this.#undo(others), this, () => super.appended(results))
  }

  /** It need not read what this node has written. */
  #tellFollower(others: readonly StreamAppendResult[]): void {
    const { follower } = this.services
    for (const result of others) {
      if (result.status === 'appended') follower?.appended(result.firstPosition, result.firstPosition)
    }
  }

  /** Another aggregate reserved or released one of the values meanwhile: who has them is looked at again. */
  #overtaken(others: readonly StreamAppendResult[]): MaybePromise<ExecutionResult> {
    const index = others.findIndex(({ status }) => status !== 'abandoned')
    const result = others[index]
    const reservation = this.#reservations[index]
    if (reservation === undefined || (result?.status !== 'version_conflict' && result?.status !== 'stream_closed')) {
      throw new StoreError(`the ${this.services.store.name} event store does not say why it abandoned an append`)
    }
    const { streamId, expectedVersion } = reservation
    if (result.status === 'stream_closed') throw new StreamClosedError(streamId, result.state)
    try {
      this.attemptAgain(streamId, expectedVersion, result.actual)
    } catch (error) {
      if (!(error instanceof VersionConflictError)) throw error
      return this.#givenUp(error)
    }
    return this.append(this.#ownEvents)
  }

  /** Nobody has asked for that stream: what its caller wants to know is whether the value is another's now. */
  async #givenUp(conflict: VersionConflictError): Promise<never> {
    throw (await takenMeanwhile(() => reservations(this.services.store, this.#moves, this.#reserving()))) ?? conflict
  }

  /**
   * The command had committed before, by another node, and this one did not know it: what it moved now is of a past that is over,
   * and is moved back.
   */
  #undo(others: readonly StreamAppendResult[]): MaybePromise<unknown> {
    const { ids, store } = this.services
    const undone = undoing(this.#reservations, others, { ...this.#reserving(), commandId: ids.next() })
    return undone.length === 0 ? undefined : store.append(undone)
  }
}
