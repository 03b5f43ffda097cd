import { Hydration, type VersionedState } from '../aggregate/hydrate.ts'
import { NOT_LOADED, type Instance } from '../aggregate/instance.ts'
import type { Decision } from '../aggregate/decision.ts'
import { isRejection, type Rejection } from '../aggregate/rejection.ts'
import { isLater, isPromiseLike, proceed, type MaybePromise } from '../effects/maybe-promise.ts'
import {
  CategoryMismatchError,
  CommandFailedError,
  CommandRejectedError,
  InvalidOutcomeError,
  ReentrantDispatchError,
  StoreError,
  UnreadableEventError,
  VersionConflictError,
} from '../errors.ts'
import type { StreamAppendResult } from '../event-store/event-store.ts'
import { justRecorded } from '../event-store/recorded-event.ts'
import type { NewEvent, StoredEvent } from '../event-store/stored-event.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { Metadata, RecordedEvent } from '../messages/recorded-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { Lifespan } from '../routing/lifespan.ts'
import { BoundedTurn } from './bounded-turn.ts'
import { CommandContext, type ContextSource } from './command-context.ts'
import { Executed } from './executed.ts'
import { newEvents } from './new-events.ts'
import type { ResolvedOptions } from './options.ts'
import { holds, type RunningHandler } from './running-handler.ts'
import { repeatedResult } from './repeated-result.ts'
import type { RoutePlan } from './route-plan.ts'
import type { DispatchServices } from './services.ts'

const NO_RECORDED_EVENTS: readonly RecordedEvent[] = Object.freeze([])

/**
 * One command's way from the mailbox of its aggregate to the committed events. Its stages are methods that call the next one:
 * at once while everything is at hand, later where something has to be waited for.
 */
export class Execution extends BoundedTurn implements ContextSource, RunningHandler {
  readonly plan: RoutePlan
  readonly aggregateId: string
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly dispatchedFrom: RunningHandler | undefined
  /** What will be stored with each event; middleware may add to it. */
  metadata: Metadata
  begun = false
  readonly #services: DispatchServices
  #inUserCode = false
  #attempts = 0
  #refetched = false
  #decision: Decision | undefined
  #events: readonly NewEvent[] | undefined

  constructor(
    services: DispatchServices,
    plan: RoutePlan,
    command: SealedMessage,
    options: ResolvedOptions,
    aggregateId: string,
    now: number,
  ) {
    super(services, command, options, now)
    this.#services = services
    this.plan = plan
    this.aggregateId = aggregateId
    this.commandId = options.commandId ?? services.ids.next()
    this.causationId = options.causationId ?? this.commandId
    this.correlationId = options.correlationId ?? this.commandId
    this.metadata = options.metadata
    this.dispatchedFrom = services.handling?.current()
  }

  /** Takes the command through; what it throws is an EdictError that says what became of it. */
  start(): MaybePromise<ExecutionResult> {
    const { lifespan } = this.plan.route.options
    return lifespan === undefined ? this.#enter() : this.#enterForAWhile(lifespan)
  }

  #enter(): MaybePromise<ExecutionResult> {
    const { instances, mailboxLimit, fairness } = this.#services
    if (this.options.signal?.aborted) throw this.aborted(this.options.signal)
    const instance = instances.obtain(this.plan.group, this.aggregateId)
    this.instance = instance
    this.begun = true
    const { mailbox } = instance
    if (!mailbox.idle) this.#refuseReentry(instance)
    const result = mailbox.enter(this, mailboxLimit, instance.streamId, fairness)
    return isLater(result) ? this.bounded(result) : result
  }

  /** As `#enter`, where the route says how long the instance lives on. */
  async #enterForAWhile(lifespan: Lifespan): Promise<ExecutionResult> {
    const { lifespans } = this.#services
    try {
      const result = await this.#enter()
      lifespans.afterResult(this.instance as Instance, lifespan, this.command, result)
      return result
    } catch (error) {
      if (this.instance !== undefined) lifespans.afterError(this.instance, lifespan, error)
      throw error
    }
  }

  /** As `start`, where time has passed since the dispatch: middleware is not on the command's clock. */
  startLater(): MaybePromise<ExecutionResult> {
    const { fairness, clock } = this.#services
    if (fairness.turnDue()) return fairness.turn().then(() => this.startLater())
    this.now = clock.now()
    return this.start()
  }

  /** The turn on the instance: from its state to the commit. */
  perform(): MaybePromise<ExecutionResult> {
    this.phase = 'working'
    const instance = this.instance as Instance
    if (instance.version !== NOT_LOADED) return this.#lookUp()
    const empty = { state: instance.model.initialState(), version: 0 }
    return proceed(
      new Hydration(this.#services, instance.model, instance.streamId, empty, this).run(),
      this,
      this.#hydrated,
    )
  }

  #hydrated(loaded: VersionedState): MaybePromise<ExecutionResult> {
    this.#refetched = true
    this.#take(loaded)
    return this.#lookUp()
  }

  #take({ state, version }: VersionedState): void {
    this.fence()
    const instance = this.instance as Instance
    instance.state = state
    instance.version = version
  }

  /** A command id that the caller gave may have committed before. */
  #lookUp(): MaybePromise<ExecutionResult> {
    if (this.options.commandId === undefined) return this.#guard()
    const { streamId } = this.instance as Instance
    return proceed(this.#services.store.readCommand(streamId, this.commandId), this, this.#lookedUp)
  }

  #lookedUp(events: readonly StoredEvent[]): MaybePromise<ExecutionResult> {
    this.fence()
    return events.length === 0 ? this.#guard() : this.#repeat(events)
  }

  #repeat(events: readonly StoredEvent[]): MaybePromise<ExecutionResult> {
    return repeatedResult(this.#services, this.instance as Instance, this.command, events)
  }

  /** What may keep the command from running at all. */
  #guard(): MaybePromise<ExecutionResult> {
    const { expectedVersion } = this.options
    const { streamId, version } = this.instance as Instance
    if (expectedVersion !== undefined && expectedVersion !== version) {
      // Another node may have written; what is in memory is no proof.
      if (!this.#refetched) return this.#refetch()
      throw new VersionConflictError(streamId, expectedVersion, version)
    }
    return this.plan.route.beforeExecute === undefined ? this.#decide() : this.#beforeExecute()
  }

  #beforeExecute(): MaybePromise<ExecutionResult> {
    const who = `beforeExecute of ${this.command.type}`
    let admitted: MaybePromise<unknown>
    const { beforeExecute } = this.plan.route
    this.#inUserCode = true
    try {
      admitted = this.#asHandler(() => beforeExecute?.((this.instance as Instance).state, new CommandContext(this)))
    } catch (cause) {
      throw new CommandFailedError(who, cause)
    } finally {
      this.#inUserCode = false
    }
    if (!isPromiseLike(admitted)) return this.#admitted(admitted)
    return Promise.resolve(admitted).then(
      (outcome) => {
        this.fence()
        return this.#admitted(outcome)
      },
      (cause: unknown) => {
        throw new CommandFailedError(who, cause)
      },
    )
  }

  #admitted(outcome: unknown): MaybePromise<ExecutionResult> {
    if (isRejection(outcome)) return this.#unchanged(outcome)
    if (outcome !== undefined) {
      throw new InvalidOutcomeError(`beforeExecute of ${this.command.type} must give nothing or reject(…)`)
    }
    return this.#decide()
  }

  /** Runs the user's code on the state. */
  #decide(): MaybePromise<ExecutionResult> {
    const { route, model, executorName } = this.plan
    const { state } = this.instance as Instance
    const context = new CommandContext(this)
    let outcome: unknown
    this.#inUserCode = true
    try {
      if (route.handler === undefined) outcome = model.execute(state, this.command, context)
      else outcome = this.#handle(route.handler, state, context)
    } catch (cause) {
      throw new CommandFailedError(executorName, cause)
    } finally {
      this.#inUserCode = false
    }
    if (route.handler === undefined || !isPromiseLike(outcome)) return this.#settle(outcome)
    return Promise.resolve(outcome).then(
      (settled) => {
        this.fence()
        return this.#settle(settled)
      },
      (cause: unknown) => {
        throw new CommandFailedError(executorName, cause)
      },
    )
  }

  #handle(handler: NonNullable<RoutePlan['route']['handler']>, state: unknown, context: CommandContext): unknown {
    const { data } = this.command
    return this.#asHandler(() => handler(state, data, context))
  }

  /** Runs user code that may dispatch, so that a dispatch to its own aggregate is seen. */
  #asHandler(work: () => unknown): unknown {
    const { handling } = this.#services
    return handling === undefined ? work() : handling.run(this, work)
  }

  #settle(outcome: unknown): MaybePromise<ExecutionResult> {
    const { model, executorName, route } = this.plan
    const instance = this.instance as Instance
    let decision: Decision | Rejection
    this.#inUserCode = true
    try {
      decision = model.settle(instance.state, outcome, executorName, route.handler !== undefined)
    } catch (cause) {
      if (cause instanceof InvalidOutcomeError || cause instanceof UnreadableEventError) throw cause
      throw new CommandFailedError(executorName, cause)
    } finally {
      this.#inUserCode = false
    }
    if (isRejection(decision) || decision.events.length === 0) return this.#unchanged(decision)
    this.#decision = decision
    return proceed(newEvents(this.#services, this, instance, decision.events), this, this.#append)
  }

  /**
   * A decision that appends nothing meets no version conflict, so that it is only as good as the state that it was made on: what
   * others may have written since is fetched first, once.
   */
  #unchanged(decision: Decision | Rejection): MaybePromise<ExecutionResult> {
    if (this.#refetched) return this.#final(decision)
    this.#refetched = true
    const { model, streamId, state, version } = this.instance as Instance
    const hydration = new Hydration(this.#services, model, streamId, { state, version }, this)
    const read = hydration.run()
    if (isLater(read)) return read.then((loaded) => this.#compared(decision, loaded))
    return this.#compared(decision, read)
  }

  #compared(decision: Decision | Rejection, loaded: VersionedState): MaybePromise<ExecutionResult> {
    if (loaded.version !== (this.instance as Instance).version) return this.#refetchedTo(loaded)
    this.fence()
    return this.#final(decision)
  }

  #final(decision: Decision | Rejection): ExecutionResult {
    if (isRejection(decision)) throw this.#rejected(decision)
    return this.#through((this.instance as Instance).version, NO_RECORDED_EVENTS, decision)
  }

  #append(events: readonly NewEvent[]): MaybePromise<ExecutionResult> {
    this.fence()
    this.phase = 'appending'
    this.#events = events
    const { streamId, version, model } = this.instance as Instance
    const { store, handling } = this.#services
    const streams = [
      {
        streamId,
        category: model.name,
        expectedVersion: version,
        events,
        deduplicate: this.options.commandId !== undefined,
      },
    ]
    // Whom the append wakes does not act for the handler that runs here.
    const results =
      handling === undefined ? store.append(streams) : handling.run(undefined, () => store.append(streams))
    return proceed(results, this, this.#appended)
  }

  #appended([result]: readonly StreamAppendResult[]): MaybePromise<ExecutionResult> {
    const { streamId, model } = this.instance as Instance
    switch (result?.status) {
      case 'appended':
        return this.#committed(result.firstPosition, result.streamVersion)
      case 'version_conflict':
        return this.#conflict(result.actual)
      case 'repeated':
        return this.#repeat(result.events)
      case 'duplicate_command':
        // Another node was first with this command id: the same command's result is the answer, whatever events it decided on.
        return proceed(this.#services.store.readCommand(streamId, this.commandId), this, this.#repeat)
      case 'category_mismatch':
        throw new CategoryMismatchError(streamId, model.name, result.actual)
      default:
        throw new StoreError(`the ${this.#services.store.name} event store gave no answer to an append`, {
          outcome: 'unknown',
        })
    }
  }

  #committed(firstPosition: number, streamVersion: number): ExecutionResult {
    const instance = this.instance as Instance
    const decision = this.#decision as Decision
    const events = this.#events as readonly NewEvent[]
    const { streamId } = instance
    const category = instance.model.name
    const firstVersion = streamVersion - events.length + 1
    const made = decision.events
    instance.state = decision.state
    instance.version = streamVersion
    const recorded: RecordedEvent[] = [
      justRecorded(events[0] as NewEvent, made[0]?.data, streamId, category, firstVersion, firstPosition),
    ]
    for (let index = 1; index < events.length; index++) {
      const position = firstPosition + index
      const event = events[index] as NewEvent
      recorded.push(justRecorded(event, made[index]?.data, streamId, category, firstVersion + index, position))
    }
    return this.#through(streamVersion, recorded, decision)
  }

  #through(version: number, events: readonly RecordedEvent[], { state, reply }: Decision): ExecutionResult {
    this.phase = 'through'
    return new Executed(this.instance as Instance, version, events, this.metadata, state, reply)
  }

  /** Someone else wrote first: what they wrote is fetched, and the command decided again. */
  #conflict(actual: number): MaybePromise<ExecutionResult> {
    this.phase = 'working'
    const { streamId, version } = this.instance as Instance
    const { expectedVersion, retryAttempts, signal } = this.options
    if (expectedVersion !== undefined || this.#attempts >= retryAttempts) {
      throw new VersionConflictError(streamId, expectedVersion ?? version, actual)
    }
    this.#attempts++
    this.fence()
    if (signal?.aborted) throw this.aborted(signal)
    return this.#refetch()
  }

  #refetch(): MaybePromise<ExecutionResult> {
    this.#refetched = true
    const { model, streamId, state, version } = this.instance as Instance
    return proceed(
      new Hydration(this.#services, model, streamId, { state, version }, this).run(),
      this,
      this.#refetchedTo,
    )
  }

  #refetchedTo(loaded: VersionedState): MaybePromise<ExecutionResult> {
    this.#take(loaded)
    this.now = this.#services.clock.now()
    return this.#guard()
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
    const synchronous = current instanceof Execution && current.#inUserCode
    if (!synchronous && !holds(this.dispatchedFrom, instance)) return
    throw new ReentrantDispatchError(
      `${this.command.type} was dispatched to ${instance.streamId} from within its own handler: return its events instead`,
    )
  }
}
