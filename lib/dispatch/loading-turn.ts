import { Hydration, type VersionedState } from '../aggregate/hydrate.ts'
import { NOT_LOADED } from '../aggregate/instance.ts'
import type { Decision } from '../aggregate/decision.ts'
import type { Rejection } from '../aggregate/rejection.ts'
import { isLater, proceed, type MaybePromise } from '../effects/maybe-promise.ts'
import {
  StoreError,
  VersionConflictError,
  describeThrown,
  isEdictError,
  type UniqueValueTakenError,
} from '../errors.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { DecidingTurn } from './deciding-turn.ts'
import { repeatedResult } from './repeated-result.ts'

/** The part of a command's turn that asks the store: how the aggregate stands, and whether the command has committed before. */
export abstract class LoadingTurn extends DecidingTurn {
  /** What is in memory is as new as the store was in this turn. */
  #refetched = false

  /** The decision stands, and appends nothing. */
  protected abstract final(decision: Decision | Rejection | UniqueValueTakenError): ExecutionResult

  /** From the aggregate as it is known here to the decision; a command that has committed before gets the answer of then. */
  protected begin(): MaybePromise<ExecutionResult> {
    const { commandId, isFirstRun } = this.options
    if (commandId === undefined) return this.#load()
    return isFirstRun && this.#onlyDecides() ? this.#loadFirst() : this.#lookUp()
  }

  /** To run it once more does no harm: no code of the user's that may do more than decide, and no values that change hands with it. */
  #onlyDecides(): boolean {
    const { route, model } = this.plan
    return (
      route.unit === undefined &&
      route.handler === undefined &&
      route.beforeExecute === undefined &&
      model.unique === undefined
    )
  }

  /** An append finds out by itself whether the command has committed before; whatever else comes of it has to be asked for that. */
  #loadFirst(): MaybePromise<ExecutionResult> {
    const withoutTrace = (result: ExecutionResult): MaybePromise<ExecutionResult> =>
      result.events.length > 0 ? result : this.#committedOr(() => result)
    const withoutEffect = (thrown: unknown): MaybePromise<ExecutionResult> => {
      if (!isEdictError(thrown) || thrown.outcome !== 'not-executed') throw thrown
      return this.#committedOr(() => {
        throw thrown
      })
    }
    let result: MaybePromise<ExecutionResult>
    try {
      result = this.#load()
    } catch (thrown) {
      return withoutEffect(thrown)
    }
    return isLater(result) ? result.then(withoutTrace, withoutEffect) : withoutTrace(result)
  }

  #committedOr(otherwise: () => ExecutionResult): MaybePromise<ExecutionResult> {
    const before = this.#committedBefore()
    const chosen = (events: readonly StoredEvent[]): MaybePromise<ExecutionResult> =>
      events.length === 0 ? otherwise() : this.repeatOf(events)
    return isLater(before) ? before.then(chosen) : chosen(before)
  }

  #load(): MaybePromise<ExecutionResult> {
    const instance = this.held
    if (instance.version !== NOT_LOADED) return this.#guard()
    return proceed(this.services.snapshots.load(instance), this, this.#hydrate)
  }

  #hydrate(from: VersionedState): MaybePromise<ExecutionResult> {
    const instance = this.held
    instance.snapshotVersion = from.snapshotVersion ?? 0
    return proceed(new Hydration(this.services, instance, from, this).run(), this, this.#hydrated)
  }

  #hydrated(loaded: VersionedState): MaybePromise<ExecutionResult> {
    this.#refetched = true
    this.#take(loaded)
    return this.#guard()
  }

  #take({ state, version }: VersionedState): void {
    this.fence()
    const instance = this.held
    instance.state = state
    instance.version = version
  }

  /** A command id that the caller gave may have committed before. */
  #lookUp(): MaybePromise<ExecutionResult> {
    return proceed(this.#committedBefore(), this, this.#lookedUp)
  }

  /** Where this cannot be read, nobody can tell whether the command took effect when it was sent before. */
  #committedBefore(): MaybePromise<readonly StoredEvent[]> {
    const { streamId } = this.held
    const doubtful = (cause: unknown): never => {
      throw new StoreError(
        `whether ${this.command.type} was executed before cannot be read: ${describeThrown(cause)}`,
        {
          cause,
          outcome: 'unknown',
        },
      )
    }
    try {
      const events = this.services.store.readCommand(streamId, this.commandId)
      return isLater(events) ? events.then(undefined, doubtful) : events
    } catch (cause) {
      return doubtful(cause)
    }
  }

  #lookedUp(events: readonly StoredEvent[]): MaybePromise<ExecutionResult> {
    this.fence()
    return events.length === 0 ? this.#load() : this.repeatOf(events)
  }

  /** The command has committed, and this node has not seen with which events. */
  protected answerOfThen(): MaybePromise<ExecutionResult> {
    return proceed(this.#committedBefore(), this, this.#repeatOf)
  }

  #repeatOf(events: readonly StoredEvent[]): MaybePromise<ExecutionResult> {
    return this.repeatOf(events)
  }

  protected repeatOf(events: readonly StoredEvent[]): MaybePromise<ExecutionResult> {
    return proceed(this.repeat(events), this, this.#repeated)
  }

  protected repeat(events: readonly StoredEvent[]): MaybePromise<ExecutionResult> {
    return repeatedResult(this.services, this.held, this.command, events)
  }

  #repeated(result: ExecutionResult): ExecutionResult {
    return this.repeated(result)
  }

  protected repeated(result: ExecutionResult): ExecutionResult {
    return result
  }

  /** What may keep the command from running at all. */
  #guard(): MaybePromise<ExecutionResult> {
    const { expectedVersion, deadline } = this.options
    if (deadline !== undefined && this.isAfter(deadline)) return this.tooLate(deadline)
    const { streamId, version } = this.held
    if (expectedVersion !== undefined && expectedVersion !== version) {
      // Another node may have written; what is in memory is no proof.
      if (!this.#refetched) return this.refetch()
      throw new VersionConflictError(streamId, expectedVersion, version)
    }
    return this.decide()
  }

  /**
   * A decision that appends nothing meets no version conflict, so that it is only as good as the state that it was made on: what
   * others may have written since is fetched first, once.
   */
  protected override unchanged(decision: Decision | Rejection | UniqueValueTakenError): MaybePromise<ExecutionResult> {
    if (this.#refetched) return this.final(decision)
    this.#refetched = true
    const instance = this.held
    const { state, version } = instance
    const hydration = new Hydration(this.services, instance, { state, version }, this)
    const read = hydration.run()
    if (isLater(read)) return read.then((loaded) => this.#compared(decision, loaded))
    return this.#compared(decision, read)
  }

  #compared(
    decision: Decision | Rejection | UniqueValueTakenError,
    loaded: VersionedState,
  ): MaybePromise<ExecutionResult> {
    if (loaded.version !== this.held.version) return this.#refetchedTo(loaded)
    this.fence()
    return this.final(decision)
  }

  protected refetch(): MaybePromise<ExecutionResult> {
    this.#refetched = true
    const instance = this.held
    const { state, version } = instance
    return proceed(new Hydration(this.services, instance, { state, version }, this).run(), this, this.#refetchedTo)
  }

  #refetchedTo(loaded: VersionedState): MaybePromise<ExecutionResult> {
    this.#take(loaded)
    this.now = this.services.clock.now()
    return this.#guard()
  }
}
