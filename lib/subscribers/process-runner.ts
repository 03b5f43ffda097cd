import { containedLogger } from '../effects/contained-logger.ts'
import type { Logger } from '../effects/logger.ts'
import { afterwards, contained, type MaybePromise } from '../effects/maybe-promise.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import { NotRunningError } from '../errors.ts'
import type { PersistentSubscriptionState } from '../event-store/persistent-subscription-options.ts'
import { PersistentSubscription } from '../event-store/persistent-subscription.ts'
import type { CheckpointClaim } from '../event-store/checkpoint.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import { sharedCheckpoints, type SharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ControlledRunner } from './controlled-handler.ts'
import { DiscardedEvents } from './discarded-events.ts'
import { BoardProgress, type HandlerProgress } from './handler-progress.ts'
import { HandlerLog } from './handler-log.ts'
import type { HandlerState } from './handler-control.ts'
import { PROMPT_SAVE_MS, STOP_TIMEOUT_MS } from './runner-times.ts'
import { interestOf } from './interest.ts'
import { StoredParkingLot } from './parking.ts'
import { ProcessDelivery } from './process-delivery.ts'
import { ProcessFailures } from './process-failures.ts'
import type { ProcessRunnerOptions } from './process-manager-body.ts'
import type { ProcessManagerModel } from './process-manager-model.ts'
import { ProcessRecords } from './process-records.ts'
import type { ProcessServices } from './process-services.ts'
import { described } from './described.ts'
import { Replays } from './replays.ts'

/** Runs one process manager in one application: events of different instances side by side, those of one in order. */
export class ProcessManagerRunner implements ControlledRunner {
  readonly name: string
  readonly #model: ProcessManagerModel
  readonly #options: ProcessRunnerOptions
  readonly #logger: Logger
  readonly #log: HandlerLog
  readonly #shared: SharedCheckpoints
  readonly #progress: HandlerProgress
  readonly #failures: ProcessFailures
  readonly #records: ProcessRecords
  readonly #delivery: ProcessDelivery
  /** They may come again for long, where a slow instance holds the place back. */
  readonly #discarded: DiscardedEvents
  readonly #parking: StoredParkingLot
  readonly #replays: Replays
  #services: ProcessServices | undefined
  #subscription: PersistentSubscription | undefined
  #subscriptionState: PersistentSubscriptionState = 'ended'
  #abort = new AbortController()
  #stopping: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #lastError: unknown

  constructor(model: ProcessManagerModel, options: ProcessRunnerOptions) {
    const { name } = model
    const { store, codec, clock, random, application, retryPolicy = {}, board, hub, onHandlerError } = options
    this.name = name
    this.#model = model
    this.#options = options
    this.#logger = containedLogger(options.logger)
    this.#log = new HandlerLog(name, `the process manager ${name}`, { logger: this.#logger, application })
    this.#shared = options.shared ?? sharedCheckpoints(options)
    this.#failures = new ProcessFailures({ model, application, retryPolicy, random, onHandlerError })
    this.#records = new ProcessRecords({ model, store, codec, clock })
    this.#delivery = new ProcessDelivery({
      model,
      clock,
      records: this.#records,
      hold: () => this.#subscription?.hold,
      lost: () => this.#subscription?.fence(),
      progressed: () => this.#subscription?.progressed(),
      misrouted: (error, recorded) => this.#misrouted(error, recorded),
      failed: (error, recorded) => {
        this.#fail(error, recorded)
      },
      log: (error, what) => {
        this.#log.tell('warn', error, undefined, what)
      },
    })
    this.#discarded = options.discarded ?? new DiscardedEvents()
    this.#parking = options.parking ?? new StoredParkingLot(name, store, () => clock.now(), this.#discarded)
    this.#replays = new Replays({
      stream: this.#parking.stream,
      store,
      hub,
      clock,
      owns: () => true,
      mayGoOn: () => this.#delivery.isOpen && (this.#subscription?.holds() ?? false),
      handle: (recorded, _attempt, key) => this.#delivery.replay(recorded, key),
      log: (error, what) => {
        this.#log.tell('warn', error, undefined, what)
      },
    })
    this.#progress = new BoardProgress(board, name, {
      consistency: this.#consistency,
      types: model.types,
      selects: interestOf({ filter: model.filter, selector: undefined }),
    })
  }

  get #consistency(): 'eventual' | 'strong' {
    return this.#model.consistency ?? this.#options.consistency
  }

  get state(): HandlerState {
    if (this.#failure !== undefined) return 'failed'
    if (this.#delivery.isRetrying) return 'retrying'
    if (this.#subscriptionState === 'ended') return 'stopped'
    return this.#subscriptionState === 'claiming' ? 'starting' : this.#subscriptionState
  }

  /** Every event up to here is handled, or does not interest the process manager. */
  get position(): number {
    return this.#subscription?.position ?? 0
  }

  /** How many positions the process manager is behind what is known of the store. */
  get lag(): number {
    return Math.max(0, this.#options.hub.headPosition - this.position)
  }

  /** What failed last; undefined where nothing did. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** How often that event in hand has failed which failed most often. */
  get failures(): number {
    return this.#delivery.failures
  }

  /** How many instances are in memory. */
  get liveInstances(): number {
    return this.#delivery.liveInstances
  }

  /** Begins where it was. One that has failed may still be ending what it had in hand: that comes first. */
  start(): MaybePromise<void> {
    if (this.#subscriptionState === 'ended') return this.#start()
    return this.#failure && this.stop().then(() => this.#start())
  }

  #start(): MaybePromise<void> {
    const { hub, store, clock, owner } = this.#options
    const { filter, startFrom } = this.#model
    this.#failure = undefined
    this.#stopping = undefined
    this.#abort = new AbortController()
    const subscription = new PersistentSubscription({
      name: this.name,
      owner,
      startFrom,
      filter,
      hub,
      store,
      clock,
      logger: this.#logger,
      shared: this.#shared,
      ...(this.#consistency === 'strong' && store.capabilities.multiProcess && { saveDelay: PROMPT_SAVE_MS }),
      elsewhere: {
        idle: () => {
          this.#close()
          return this.#delivery.idle()
        },
        written: (reached) => {
          this.#discarded.forget(reached.position)
          return this.#delivery.written(reached)
        },
      },
      listener: {
        deliver: this.#delivery.deliver,
        progressed: this.#progressed,
        heldBack: () => this.#delivery.heldBack,
        followed: this.#progressed,
        claimed: (claim) => this.#claimed(claim),
        lost: () => {
          this.#close()
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
    this.#services = this.#serve(subscription)
    this.#subscriptionState = 'claiming'
    this.#progress.begun((isAwaited) => {
      subscription.isAwaited = isAwaited
    })
    return subscription.start()
  }

  /** Lets the events that have begun end, writes the checkpoint and releases it. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const subscription = this.#subscription
    this.#abort.abort(new NotRunningError(`the process manager ${this.name} is stopped`))
    this.#close()
    if (subscription === undefined || this.#subscriptionState === 'ended') {
      this.#ended(undefined)
      return
    }
    const { clock, stopTimeout = STOP_TIMEOUT_MS } = this.#options
    if (await waitAtMost(clock, stopTimeout, subscription.stop())) return
    this.#log.stoppedWithin(stopTimeout, this.position, 'events')
    await subscription.abandon()
  }

  /** A store that does not answer here is one that comes back: the claim is given up, and tried again. */
  #claimed({ position }: CheckpointClaim): MaybePromise<unknown> {
    return contained(
      () =>
        afterwards(this.#parking.open(), () => {
          this.#discarded.forget(position)
          this.#open()
        }),
      (error) => {
        this.#log.cannotBegin(error)
        return false
      },
    )
  }

  /** The claim is new. */
  #open(): void {
    this.#delivery.forget()
    if (this.#stopping !== undefined || this.#failure !== undefined || this.#services === undefined) return
    this.#delivery.open(this.#services)
    this.#replays.open()
  }

  /** Nothing is begun any more, nor tried again; what has begun may end. */
  #close(): void {
    this.#delivery.close()
    void this.#replays.close()
  }

  async #misrouted(error: unknown, recorded: RecordedEvent): Promise<boolean> {
    this.#lastError = error
    const failure = { during: 'routing', recorded: forAnotherReader(recorded), instanceId: undefined } as const
    const action = await this.#failures.decide(error, failure, 1, {}, (fault) => {
      this.#log.tell('error', fault.error, recorded, fault.what)
    })
    if ('action' in action && action.action === 'skip') {
      const trouble = { handlerName: this.name, event: recorded, error, failures: 1 }
      this.#options.telemetry?.tell('handler:skip', trouble)
      this.#log.tell('warn', error, recorded, `skips ${described(recorded)}`)
      return true
    }
    this.#fail(error, recorded)
    return false
  }

  readonly #progressed = (position: number): void => {
    this.#progress.acknowledge(position)
  }

  #serve(subscription: PersistentSubscription): ProcessServices {
    const { clock, random, dispatch, telemetry, application, commands } = this.#options
    return {
      model: this.#model,
      records: this.#records,
      failures: this.#failures,
      parking: this.#parking,
      discarded: this.#discarded,
      ...{ commands, clock, random, dispatch, telemetry, application, signal: this.#abort.signal },
      parked: () => {
        this.#replays.look()
      },
      hold: () => subscription.hold,
      mayGoOn: () => this.#delivery.isOpen && subscription.holds(),
      pause: (milliseconds) => this.#delivery.pause(milliseconds),
      lost: () => {
        subscription.fence()
      },
      isOver: (instance, position) => {
        this.#delivery.isOver(instance, position)
      },
      goesOn: (instance) => {
        this.#delivery.goesOn(instance)
      },
      troubled: (instance, failures) => {
        this.#delivery.troubled(instance, failures)
      },
      failed: (error, recorded) => {
        this.#fail(error, recorded)
      },
      log: (level, error, recorded, what) => {
        this.#lastError = error
        this.#log.tell(level, error, recorded, what)
      },
    }
  }

  #fail(error: unknown, recorded: RecordedEvent | undefined): void {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    this.#lastError = error
    this.#progress.failed(error)
    this.#options.telemetry?.tell('handler:stop', { handlerName: this.name, event: recorded, error })
    this.#log.failed(error, recorded)
    this.#close()
    void this.#subscription?.stop()
  }

  #ended(error: unknown): void {
    this.#subscriptionState = 'ended'
    this.#close()
    if (this.#failure !== undefined) return
    if (error !== undefined) this.#fail(error, undefined)
    else this.#progress.stopped(new NotRunningError(`the process manager ${this.name} is stopped`))
  }
}
