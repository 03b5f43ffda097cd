import { containedLogger } from '../effects/contained-logger.ts'
import type { Logger } from '../effects/logger.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import { afterwards, contained, type MaybePromise } from '../effects/maybe-promise.ts'
import { refusePromise } from '../effects/refuse-promise.ts'
import { NotRunningError } from '../errors.ts'
import type { PersistentSubscriptionState } from '../event-store/persistent-subscription-options.ts'
import { PersistentSubscription } from '../event-store/persistent-subscription.ts'
import { sharedCheckpoints, type SharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { BatchDelivery } from './batch-delivery.ts'
import { EventDelivery, type Delivery, type EventDeliveryOptions } from './event-delivery.ts'
import { FailurePolicy } from './failure-policy.ts'
import type { HandlerState } from './handler-control.ts'
import type { HandlerSurroundings } from './handler-context.ts'
import { HandlerLog } from './handler-log.ts'
import type { HandlerModel } from './handler-model.ts'
import { BoardProgress, type HandlerProgress } from './handler-progress.ts'
import { interestOf } from './interest.ts'
import { StoredParkingLot } from './parking.ts'
import { PartitionLayout } from './partition-layout.ts'
import { keyOf } from './partitioning.ts'
import { Replays } from './replays.ts'
import type { RunnerOptions } from './runner-options.ts'
import { PROMPT_SAVE_MS, STOP_TIMEOUT_MS } from './runner-times.ts'

/** The subscribe, deliver, retry and acknowledge loop of one handler in one application, or of one partition of it. */
export class HandlerRunner {
  readonly name: string
  readonly #model: HandlerModel
  readonly #options: RunnerOptions
  readonly #logger: Logger
  readonly #log: HandlerLog
  readonly #shared: SharedCheckpoints
  readonly #delivery: Delivery
  readonly #parking: StoredParkingLot
  readonly #replays: Replays
  readonly #progress: HandlerProgress
  readonly #layout: PartitionLayout | undefined
  readonly #checkpoint: string
  #subscription: PersistentSubscription | undefined
  #subscriptionState: PersistentSubscriptionState = 'ended'
  #abort = new AbortController()
  #stopping: Promise<void> | undefined
  #failed = false
  #lastError: unknown

  constructor(model: HandlerModel, options: RunnerOptions) {
    const { name, types } = model
    const { board, clock, partition, store, owner } = options
    this.name = name
    this.#model = model
    this.#options = options
    this.#logger = containedLogger(options.logger)
    this.#shared = options.shared ?? sharedCheckpoints(options)
    this.#checkpoint = partition?.checkpoint ?? name
    this.#log = new HandlerLog(name, `the handler ${this.#checkpoint}`, {
      logger: this.#logger,
      application: options.application,
    })
    this.#parking = options.parking ?? new StoredParkingLot(name, store, () => clock.now())
    const mayGoOn = () => this.#subscription?.holds() ?? false
    const delivering: EventDeliveryOptions = {
      clock,
      policy: new FailurePolicy(
        model,
        options.retryPolicy ?? {},
        options.application,
        options.random,
        options.onHandlerError,
      ),
      telemetry: options.telemetry,
      owns: partition?.owns,
      parking: this.#parking,
      parked: () => {
        this.#replays.look()
      },
      acknowledged: () => {
        this.#subscription?.progressed()
      },
      broken: () => {
        if (this.#failed) void this.#subscription?.stop()
      },
      keyOf: (recorded) => keyOf(name, model.partitionBy, recorded),
      mayGoOn,
      log: (level, error, recorded, what) => {
        this.#log.tell(level, error, recorded, what)
      },
      failed: (error, recorded) => {
        this.#fail(error, recorded)
      },
    }
    const { batching } = model
    this.#delivery = batching ? new BatchDelivery(model, batching, delivering) : new EventDelivery(model, delivering)
    this.#replays = new Replays({
      stream: this.#parking.stream,
      store,
      hub: options.hub,
      clock,
      owns: partition?.ownsKey ?? (() => true),
      mayGoOn,
      handle: (recorded, attempt) => this.#delivery.replay(recorded, attempt),
      log: (error, what) => {
        this.#log.tell('warn', error, undefined, what)
      },
    })
    this.#progress =
      partition?.progress ??
      new BoardProgress(board, name, { consistency: this.#consistency, types, selects: interestOf(model) })
    if (partition === undefined) {
      const { leases } = this.#shared
      this.#layout = new PartitionLayout({ model, count: 1, store, owner, leases, logger: this.#logger })
    }
  }

  get #consistency(): 'eventual' | 'strong' {
    return this.#model.consistency ?? this.#options.consistency
  }

  get state(): HandlerState {
    if (this.#failed) return 'failed'
    if (this.#delivery.isRetrying) return 'retrying'
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
    return this.#failed ? this.#lastError : this.#delivery.lastError
  }

  /** How often the event in hand has failed. */
  get failures(): number {
    return this.#delivery.failures
  }

  /** Begins where the handler was. It has its place, or is trying to get it, when this is done; it may not have caught up. */
  start(): MaybePromise<void> {
    if (this.#subscriptionState !== 'ended') return
    const { hub, store, clock, owner, partition } = this.#options
    const { filter, startFrom } = this.#model
    this.#failed = false
    this.#stopping = undefined
    this.#abort = new AbortController()
    const layout = this.#layout
    const subscription = new PersistentSubscription({
      name: this.#checkpoint,
      owner,
      startFrom,
      filter,
      ...(partition && { reading: partition.reading, places: partition.handled }),
      hub,
      store,
      clock,
      logger: this.#logger,
      shared: this.#shared,
      once: partition !== undefined,
      ...(layout && { mayClaim: () => layout.prepare() }),
      elsewhere: {
        written: ({ position }) => {
          this.#forgetDiscarded(position)
        },
      },
      ...(this.#consistency === 'strong' && store.capabilities.multiProcess && { saveDelay: PROMPT_SAVE_MS }),
      listener: {
        deliver: this.#delivery.deliver,
        progressed: this.#progressed,
        followed: this.#progressed,
        ...(this.#model.batching && { heldBack: () => this.#delivery.heldBack }),
        claimed: ({ position }) => afterwards(this.#mayRun(), (may) => (may ? this.#claimed(position) : false)),
        lost: () => {
          this.#delivery.close()
          void this.#replays.close()
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
    this.#progress.begun((isAwaited) => {
      subscription.isAwaited = isAwaited
    })
    return subscription.start()
  }

  /** A store that does not answer here is one that comes back: the claim is given up, and tried again. */
  #mayRun(): MaybePromise<boolean> {
    return contained(
      () =>
        afterwards(
          this.#layout ? this.#layout.stands() : (this.#options.partition?.mayRun() ?? true),
          (stands) => stands && afterwards(this.#parking.open(), () => true),
        ),
      (error) => {
        this.#log.cannotBegin(error)
        return false
      },
    )
  }

  #claimed(position: number): MaybePromise<void> {
    const { afterStart } = this.#model
    this.#forgetDiscarded(position)
    if (this.#stopping !== undefined) return undefined
    try {
      this.#delivery.open(this.#surround())
    } catch (error) {
      this.#fail(error, undefined)
      throw error
    }
    if (afterStart === undefined) this.#replays.open()
    else
      return this.#afterStart(afterStart).then(() => {
        this.#replays.open()
      })
  }

  /** The store knows the place: nothing up to there comes again. */
  #forgetDiscarded(position: number): void {
    this.#parking.discarded.forget(position, this.#options.partition?.ownsKey)
  }

  /** Gives its place up for another owner: as `stop`, but the event in hand is neither disturbed nor left behind. */
  async giveUp(): Promise<void> {
    this.#delivery.close()
    await this.#replays.close()
    await this.#delivery.inHand
    await this.#subscription?.stop()
  }

  /** Lets the event in hand end, aborts `signal`, writes the checkpoint and releases it. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const subscription = this.#subscription
    this.#abort.abort(new NotRunningError(`the handler ${this.name} is stopped`))
    this.#delivery.close()
    const inHand = Promise.all([this.#replays.close(), this.#delivery.inHand])
    if (subscription === undefined || this.#subscriptionState === 'ended') {
      this.#ended(undefined)
      return
    }
    const { clock, stopTimeout = STOP_TIMEOUT_MS } = this.#options
    const stopped = this.#model.batching
      ? inHand.then(() => subscription.stop())
      : Promise.all([inHand, subscription.stop()])
    if (await waitAtMost(clock, stopTimeout, stopped)) return
    this.#log.stoppedWithin(stopTimeout, this.position, 'event')
    await subscription.abandon()
  }

  #surround(): HandlerSurroundings {
    const { application, dispatch, enqueue, telemetry } = this.#options
    const initialState = refusePromise(this.#model.initialState?.(), `the handler ${this.name}: initialState`)
    const state = { current: initialState }
    return { application, dispatch, enqueue, telemetry, state, handlerName: this.name, signal: this.#abort.signal }
  }

  readonly #progressed = (position: number): void => {
    this.#progress.acknowledge(position)
  }

  #fail(error: unknown, recorded: RecordedEvent | undefined): void {
    this.#failed = true
    this.#lastError = error
    this.#progress.failed(error)
    this.#options.telemetry?.tell('handler:stop', { handlerName: this.name, event: recorded, error })
    this.#log.failed(error, recorded)
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
    if (this.#failed) return
    if (error !== undefined) this.#fail(error, undefined)
    else this.#progress.stopped(new NotRunningError(`the handler ${this.name} is stopped`))
  }
}
