import { callLater, type Clock } from '../effects/clock.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import type { Random } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError, describeThrown } from '../errors.ts'
import type { ConsistencyBoard } from '../dispatch/consistency-board.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { PersistentSubscription, type PersistentSubscriptionState } from '../event-store/persistent-subscription.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { SubscriptionHub } from '../event-store/subscription-hub.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { FailurePolicy, type RetryPolicy } from './failure-policy.ts'
import { DeliveryContext, type DispatchFromHandler, type HandlerSurroundings } from './handler-context.ts'
import type { HandlerModel } from './handler-model.ts'

export interface HandlerRunnerOptions {
  readonly hub: SubscriptionHub
  readonly store: EventStore
  readonly board: ConsistencyBoard
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly dispatch: DispatchFromHandler
  /** The application's name. */
  readonly application: string
  /** Unique for each running application: who holds the checkpoints. */
  readonly owner: string
  /** For a handler that does not say its own. */
  readonly consistency: 'eventual' | 'strong'
  readonly retryPolicy?: Partial<RetryPolicy>
  /** Milliseconds that `stop` gives the event in hand. @default 5_000 */
  readonly stopTimeout?: number
  /** Milliseconds between attempts to take over from another owner. @default 1_000 */
  readonly claimInterval?: number
}

/** `starting`: it has not got its checkpoint yet. `retrying`: an event failed and waits for its next attempt. */
export type HandlerState = 'starting' | 'catching-up' | 'live' | 'retrying' | 'stopped' | 'failed'

/** The subscribe, deliver, retry and acknowledge loop of one handler in one application. */
export class HandlerRunner {
  readonly name: string
  readonly #model: HandlerModel
  readonly #options: HandlerRunnerOptions
  readonly #logger: Logger
  readonly #policy: FailurePolicy
  #subscription: PersistentSubscription | undefined
  #subscriptionState: PersistentSubscriptionState = 'ended'
  #surroundings: HandlerSurroundings
  #abort = new AbortController()
  #stopping: Promise<void> | undefined
  #retrying = false
  #failed = false
  /** Another owner has taken the handler's place. */
  #lost = false
  #lastError: unknown
  #failuresOfEvent = 0
  /** Ends the wait before a retry. */
  #endPause: (() => void) | undefined

  constructor(model: HandlerModel, options: HandlerRunnerOptions) {
    this.name = model.name
    this.#model = model
    this.#options = options
    this.#logger = containedLogger(options.logger)
    this.#policy = new FailurePolicy(model, options.retryPolicy ?? {}, options.application, options.random)
    this.#surroundings = this.#surround()
    this.#register()
  }

  get state(): HandlerState {
    if (this.#failed) return 'failed'
    if (this.#retrying) return 'retrying'
    if (this.#subscriptionState === 'ended') return 'stopped'
    return this.#subscriptionState === 'claiming' ? 'starting' : this.#subscriptionState
  }

  /** Every event up to here is handled, or does not interest the handler. */
  get position(): number {
    return this.#subscription?.position ?? 0
  }

  /** How many positions the handler is behind what is known of the store. */
  get lag(): number {
    return Math.max(0, this.#options.hub.headPosition - this.position)
  }

  /** What the handler failed with last; undefined where it never did. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** How often the event in hand has failed. */
  get failures(): number {
    return this.#failuresOfEvent
  }

  /** Begins where the handler was. It has its place, or is trying to get it, when this is done; it may not have caught up. */
  start(): MaybePromise<void> {
    if (this.#subscriptionState !== 'ended') return
    const { board, hub, store, clock, owner, claimInterval } = this.#options
    const { name, types, startFrom } = this.#model
    this.#failed = this.#retrying = false
    this.#stopping = undefined
    this.#failuresOfEvent = 0
    this.#abort = new AbortController()
    this.#surroundings = this.#surround()
    if (board.handler(name)?.failure) this.#register()
    const subscription = new PersistentSubscription({
      name,
      owner,
      startFrom,
      filter: { types },
      hub,
      store,
      clock,
      logger: this.#logger,
      ...(claimInterval !== undefined && { claimInterval }),
      listener: {
        deliver: this.#deliver,
        progressed: this.#progressed,
        followed: this.#progressed,
        claimed: () => {
          this.#lost = false
          return this.#model.afterStart && this.#afterStart(this.#model.afterStart)
        },
        lost: () => {
          this.#lost = true
          this.#endPause?.()
        },
        changed: (state) => {
          this.#subscriptionState = state
        },
        ended: (error) => {
          this.#ended(error)
        },
      },
    })
    this.#subscription = subscription
    this.#subscriptionState = 'claiming'
    return subscription.start()
  }

  /** From the start on: a handler that starts earlier may dispatch a command that waits for this one. */
  #register(): void {
    const { name, types, consistency } = this.#model
    this.#options.board.register(name, { consistency: consistency ?? this.#options.consistency, types })
  }

  /** Lets the event in hand end, aborts `signal`, writes the checkpoint and releases it. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const subscription = this.#subscription
    this.#abort.abort(new NotRunningError(`the handler ${this.name} is stopped`))
    this.#endPause?.()
    if (subscription === undefined || this.#subscriptionState === 'ended') {
      this.#ended(undefined)
      return
    }
    const { clock, stopTimeout = 5_000 } = this.#options
    let timer: unknown
    const timeout = new Promise<'late'>((resolve) => {
      timer = clock.setTimeout(() => {
        resolve('late')
      }, stopTimeout)
    })
    const ended = await Promise.race([subscription.stop(), timeout])
    clock.clearTimeout(timer)
    if (ended !== 'late') return
    this.#logger.error(
      { handler: this.name, position: this.position },
      `the handler ${this.name} did not end its event within ${stopTimeout} ms; it is stopped without it`,
    )
    await subscription.abandon()
  }

  #surround(): HandlerSurroundings {
    const { application, dispatch } = this.#options
    return { application, dispatch, handlerName: this.#model.name, signal: this.#abort.signal }
  }

  readonly #progressed = (position: number): void => {
    this.#options.board.acknowledge(this.name, position)
  }

  /** The hot path: no promise, closure or copy where the handler is synchronous and succeeds. */
  readonly #deliver = (read: RecordedEvent): MaybePromise<boolean> => {
    const handle = this.#model.handleByType.get(read.type)
    if (handle === undefined) return true
    if (this.#stopping !== undefined) return false
    // Other handlers are given the same event.
    const recorded = forAnotherReader(read)
    try {
      const answer = handle(recorded.data, recorded, new DeliveryContext(this.#surroundings, recorded, 1))
      if (answer === undefined || !isPromiseLike(answer)) return true
      // Promise.resolve contains a foreign thenable: one that throws, or that calls back twice.
      return Promise.resolve(answer).then(isHandled, (error: unknown) => this.#recover(read, error))
    } catch (error) {
      return this.#recover(read, error)
    }
  }

  /** Tries again until the event is handled or skipped; false where the handler stops before it. */
  async #recover(recorded: RecordedEvent, firstError: unknown): Promise<boolean> {
    let error = firstError
    for (let failures = 1; ; failures++) {
      if (this.#stopping || this.#lost) return this.#over(false)
      this.#lastError = error
      this.#failuresOfEvent = failures
      const action = await this.#policy.decide(error, forAnotherReader(recorded), failures, (fault) => {
        this.#log('error', fault.error, recorded, fault.what)
      })
      if (action.action === 'skip') {
        this.#log('warn', error, recorded, `skips ${described(recorded)}`)
        return this.#over(true)
      }
      if (action.action === 'stop') {
        this.#fail(error, recorded)
        return this.#over(false)
      }
      const delay = this.#policy.delay(action, failures)
      this.#log('warn', error, recorded, `failed at ${described(recorded)}, and tries again in ${Math.round(delay)} ms`)
      if (!(await this.#pause(delay))) return this.#over(false)
      try {
        await this.#attempt(recorded, failures + 1)
        return this.#over(true)
      } catch (thrown) {
        error = thrown
      }
    }
  }

  #attempt(read: RecordedEvent, attempt: number): unknown {
    const recorded = forAnotherReader(read)
    const handle = this.#model.handleByType.get(recorded.type)
    return handle?.(recorded.data, recorded, new DeliveryContext(this.#surroundings, recorded, attempt))
  }

  #over(handled: boolean): boolean {
    this.#retrying = false
    this.#failuresOfEvent = 0
    return handled
  }

  /** False where the handler is stopped, or loses its place, meanwhile. */
  #pause(milliseconds: number): Promise<boolean> {
    if (this.#stopping || this.#lost) return Promise.resolve(false)
    this.#retrying = true
    return new Promise((resolve) => {
      const cancel = callLater(this.#options.clock, milliseconds, () => {
        this.#endPause = undefined
        resolve(true)
      })
      this.#endPause = () => {
        this.#endPause = undefined
        cancel()
        resolve(false)
      }
    })
  }

  #fail(error: unknown, recorded: RecordedEvent | undefined): void {
    this.#failed = true
    this.#lastError = error
    this.#options.board.failed(this.name, error)
    const where = recorded ? `at ${described(recorded)}` : 'and cannot go on'
    this.#log('error', error, recorded, `failed ${where}: it is STOPPED until it is started again`)
  }

  async #afterStart(afterStart: NonNullable<HandlerModel['afterStart']>): Promise<void> {
    try {
      await afterStart({ handlerName: this.name, application: this.#options.application })
    } catch (error) {
      this.#fail(error, undefined)
      throw error
    }
  }

  #ended(error: unknown): void {
    this.#subscriptionState = 'ended'
    this.#retrying = false
    if (this.#failed) return
    if (error !== undefined) this.#fail(error, undefined)
    else this.#options.board.failed(this.name, new NotRunningError(`the handler ${this.name} is stopped`))
  }

  #log(level: 'warn' | 'error', error: unknown, recorded: RecordedEvent | undefined, what: string): void {
    const { eventId, position, type } = recorded ?? {}
    this.#logger[level](
      { handler: this.name, application: this.#options.application, error, eventId, position, type },
      `the handler ${this.name} ${what}: ${describeThrown(error)}`,
    )
  }
}

function isHandled(): boolean {
  return true
}

function described(recorded: RecordedEvent): string {
  return `${recorded.type}, position ${recorded.position}`
}
