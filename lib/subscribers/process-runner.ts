import { callLater, idleTimer } from '../effects/clock.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import type { Logger } from '../effects/logger.ts'
import { afterwards, contained, type MaybePromise } from '../effects/maybe-promise.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import { NotRunningError, describeThrown } from '../errors.ts'
import type { ReachedPlace } from '../event-store/checkpoint-writer.ts'
import { PersistentSubscription, type PersistentSubscriptionState } from '../event-store/persistent-subscription.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import { sharedCheckpoints, type SharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ControlledRunner } from './controlled-handler.ts'
import { EventsInHand } from './events-in-hand.ts'
import { BoardProgress, type HandlerProgress } from './handler-progress.ts'
import { PROMPT_SAVE_MS, STOP_TIMEOUT_MS, type HandlerState } from './handler-runner.ts'
import { StoredParkingLot } from './parking.ts'
import { ProcessFailures } from './process-failures.ts'
import { ProcessInstances, type ProcessInstance, type ProcessTask } from './process-instance.ts'
import { routeOf, type ProcessRoute } from './process-interest.ts'
import { ProcessEndings } from './process-endings.ts'
import type { ProcessRunnerOptions } from './process-manager-body.ts'
import type { ProcessManagerModel } from './process-manager-model.ts'
import { checkInstanceId, processParkingKey } from './process-name.ts'
import { ProcessRecords } from './process-records.ts'
import type { ProcessServices } from './process-services.ts'
import { ProcessTurn } from './process-turn.ts'
import { described } from './recovery.ts'
import { Replays } from './replays.ts'

/** So many events may wait for their instances before no more are taken. */
const MOST_WAITING = 1_000
/** So far a slow instance lets the others run ahead; after a crash, so many events come again, and are passed over. */
const MOST_AHEAD = 10_000

/** Runs one process manager in one application: events of different instances side by side, those of one in order. */
export class ProcessManagerRunner implements ControlledRunner {
  readonly name: string
  readonly #model: ProcessManagerModel
  readonly #options: ProcessRunnerOptions
  readonly #logger: Logger
  readonly #shared: SharedCheckpoints
  readonly #progress: HandlerProgress
  readonly #failures: ProcessFailures
  readonly #records: ProcessRecords
  readonly #inHand = new EventsInHand()
  readonly #instances: ProcessInstances
  readonly #endings: ProcessEndings
  readonly #parking: StoredParkingLot
  readonly #replays: Replays
  #services: ProcessServices | undefined
  #subscription: PersistentSubscription | undefined
  #subscriptionState: PersistentSubscriptionState = 'ended'
  #abort = new AbortController()
  #stopping: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #lastError: unknown
  /** Events are begun. */
  #isOpen = false
  /** Instances whose turn it is, in order. */
  #ready: ProcessInstance[] = []
  #waiting = 0
  #running = 0
  /** Turns that have begun: those that run, and those in a pause. */
  #begun = 0
  #pauses = new Set<() => void>()
  /** How often the event in hand of an instance has failed. */
  readonly #troubled = new Map<ProcessInstance, number>()
  /** Called when there is room for another event. */
  #room: ((taken: boolean) => void) | undefined
  #onceIdle: (() => void)[] = []
  #sweep: { readonly handle: unknown } | undefined

  constructor(model: ProcessManagerModel, options: ProcessRunnerOptions) {
    const { name } = model
    const { store, codec, clock, random, application, retryPolicy = {}, board, hub, onHandlerError } = options
    this.name = name
    this.#model = model
    this.#options = options
    this.#logger = containedLogger(options.logger)
    this.#shared = options.shared ?? sharedCheckpoints(options)
    this.#failures = new ProcessFailures({ model, application, retryPolicy, random, onHandlerError })
    this.#records = new ProcessRecords({ model, store, codec, clock })
    this.#instances = new ProcessInstances(model.cachedInstances, name)
    this.#endings = new ProcessEndings({
      records: this.#records,
      hold: () => this.#subscription?.hold,
      lost: () => this.#subscription?.fence(),
      deleted: (instance) => {
        this.#instances.forget(instance)
      },
      free: (instance) => {
        this.#free(instance)
      },
      failed: (error, instance) => {
        this.#log('warn', error, undefined, `cannot delete what is kept of ${instance.id}, and tries again`)
      },
    })
    this.#parking = options.parking ?? new StoredParkingLot(name, store, () => clock.now())
    this.#replays = new Replays({
      stream: this.#parking.stream,
      store,
      hub,
      clock,
      owns: () => true,
      mayGoOn: () => this.#isOpen && (this.#subscription?.holds() ?? false),
      handle: (recorded, _attempt, key) => this.#replay(recorded, key),
      log: (error, what) => {
        this.#log('warn', error, undefined, what)
      },
    })
    this.#progress = new BoardProgress(board, name, { consistency: this.#consistency, types: model.types })
  }

  get #consistency(): 'eventual' | 'strong' {
    return this.#model.consistency ?? this.#options.consistency
  }

  get state(): HandlerState {
    if (this.#failure !== undefined) return 'failed'
    if (this.#pauses.size > 0) return 'retrying'
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
    return Math.max(0, ...this.#troubled.values())
  }

  /** How many instances are in memory. */
  get liveInstances(): number {
    return this.#instances.size
  }

  /** Begins where it was. One that has failed may still be ending what it had in hand: that comes first. */
  start(): MaybePromise<void> {
    if (this.#subscriptionState === 'ended') return this.#start()
    return this.#failure && this.stop().then(() => this.#start())
  }

  #start(): MaybePromise<void> {
    const { hub, store, clock, owner } = this.#options
    const { types, startFrom } = this.#model
    this.#failure = undefined
    this.#stopping = undefined
    this.#abort = new AbortController()
    const subscription = new PersistentSubscription({
      name: this.name,
      owner,
      startFrom,
      filter: { types },
      hub,
      store,
      clock,
      logger: this.#logger,
      shared: this.#shared,
      ...(this.#consistency === 'strong' && store.capabilities.multiProcess && { saveDelay: PROMPT_SAVE_MS }),
      elsewhere: this.#elsewhere,
      listener: {
        deliver: this.#deliver,
        progressed: this.#progressed,
        heldBack: () => this.#inHand.place,
        followed: this.#progressed,
        claimed: () => this.#claimed(),
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
    this.#logger.error(
      { handler: this.name, position: this.position },
      `the process manager ${this.name} did not end its events within ${stopTimeout} ms; it is stopped without them`,
    )
    await subscription.abandon()
  }

  /** A store that does not answer here is one that comes back: the claim is given up, and tried again. */
  #claimed(): MaybePromise<unknown> {
    return contained(
      () =>
        afterwards(this.#parking.open(), () => {
          this.#open()
        }),
      (error) => {
        this.#log('warn', error, undefined, 'cannot begin yet, and tries again')
        return false
      },
    )
  }

  /** The claim is new: what another owner did meanwhile is in the store, and nowhere else. */
  #open(): void {
    this.#inHand.clear()
    this.#instances.clear()
    this.#endings.clear()
    if (this.#stopping !== undefined || this.#failure !== undefined) return
    this.#isOpen = true
    this.#replays.open()
  }

  /** Nothing is begun any more, nor tried again; what has begun may end. */
  #close(): void {
    this.#isOpen = false
    void this.#replays.close()
    for (const end of [...this.#pauses]) end()
    this.#giveRoom()
    this.#waiting = 0
    for (const instance of this.#ready.splice(0)) giveBack(instance)
    if (this.#sweep !== undefined) this.#options.clock.clearTimeout(this.#sweep.handle)
    this.#sweep = undefined
    this.#tellIdle()
  }

  readonly #elsewhere = this.#makeElsewhere()

  #makeElsewhere() {
    return {
      idle: (): MaybePromise<void> => {
        this.#close()
        return this.#isIdle ? undefined : new Promise<void>((resolve) => void this.#onceIdle.push(resolve))
      },
      written: (reached: ReachedPlace): MaybePromise<void> => this.#endings.deleteUpTo(reached.position),
    }
  }

  get #isIdle(): boolean {
    return this.#begun === 0
  }

  #tellIdle(): void {
    if (this.#isOpen || !this.#isIdle) return
    for (const resolve of this.#onceIdle.splice(0)) resolve()
  }

  readonly #deliver = (read: RecordedEvent): MaybePromise<boolean> => {
    if (!this.#isOpen) return false
    let route: ProcessRoute
    try {
      route = this.#routeOf(read)
    } catch (error) {
      return this.#misrouted(error, read)
    }
    const { ids } = route
    if (ids.length === 0) return true
    const task = { recorded: read, route, held: this.#inHand.take(read, ids.length) }
    for (const id of ids) this.#enqueue(id, task)
    this.#beginReady()
    return this.#hasRoom ? true : new Promise((resolve) => void (this.#room = resolve))
  }

  /** In its turn, as any event of the instance; those that are parked behind it wait for it. */
  #replay(recorded: RecordedEvent, key: string): Promise<boolean> {
    const route = this.#routeOf(recorded)
    // `interested` has changed its mind since: then there is nothing to handle.
    const instanceId = route.ids.find((id) => processParkingKey(id, recorded.tenant) === key)
    if (instanceId === undefined) return Promise.resolve(true)
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        resolve(false)
        return
      }
      this.#enqueue(instanceId, { recorded, route, held: undefined, replay: { resolve, reject } })
      this.#beginReady()
    })
  }

  /** @throws what `interested` throws, and what is wrong with what it gives */
  #routeOf(read: RecordedEvent): ProcessRoute {
    const recorded = forAnotherReader(read)
    const interested = this.#model.interestedByType.get(read.type)
    const route = routeOf(`${this.name}'s interested of ${read.type}`, interested?.(recorded.data, recorded))
    for (const id of route.ids) checkInstanceId(this.name, id, read.tenant)
    return route
  }

  #enqueue(id: string, task: ProcessTask): void {
    const instance = this.#instances.obtain(id, task.recorded.tenant)
    instance.tasks.push(task)
    this.#waiting++
    if (instance.busy) return
    instance.busy = true
    this.#ready.push(instance)
  }

  async #misrouted(error: unknown, recorded: RecordedEvent): Promise<boolean> {
    this.#lastError = error
    const failure = { during: 'routing', recorded: forAnotherReader(recorded), instanceId: undefined } as const
    const action = await this.#failures.decide(error, failure, 1, {}, (fault) => {
      this.#log('error', fault.error, recorded, fault.what)
    })
    if ('action' in action && action.action === 'skip') {
      const trouble = { handlerName: this.name, event: recorded, error, failures: 1 }
      this.#options.telemetry?.tell('handler:skip', trouble)
      this.#log('warn', error, recorded, `skips ${described(recorded)}`)
      return true
    }
    this.#fail(error, recorded)
    return false
  }

  get #hasRoom(): boolean {
    return this.#waiting < MOST_WAITING && this.#inHand.size < MOST_AHEAD
  }

  #giveRoom(): void {
    const room = this.#room
    this.#room = undefined
    // It is in hand; where the process manager stops, its place is that of what is.
    room?.(true)
  }

  #beginReady(): void {
    while (this.#running < this.#model.concurrency) {
      const instance = this.#ready.shift()
      if (instance === undefined) return
      void this.#work(instance)
    }
  }

  /** One event of an instance; then it is the turn of the others. */
  async #work(instance: ProcessInstance): Promise<void> {
    const task = instance.tasks.shift()
    const services = this.#services
    if (task === undefined || services === undefined) {
      this.#free(instance)
      return
    }
    this.#waiting--
    this.#running++
    this.#begun++
    const { held, recorded, replay } = task
    try {
      const handled = await new ProcessTurn(services, instance, task).run()
      replay?.resolve(handled)
      if (handled && held !== undefined && this.#inHand.handled(held)) this.#subscription?.progressed()
    } catch (error) {
      // What is contained nowhere else is a fault of this house: it is not passed over.
      if (replay === undefined) this.#fail(error, recorded)
      else replay.reject(error)
    }
    this.#running--
    this.#begun--
    if (this.#troubled.size > 0) this.#troubled.delete(instance)
    this.#free(instance)
    if (this.#hasRoom) this.#giveRoom()
    this.#tellIdle()
  }

  /** The instance is through with something: it waits for its next turn, or rests. */
  #free(instance: ProcessInstance): void {
    if (this.#isOpen && instance.tasks.length > 0) {
      this.#ready.push(instance)
    } else {
      giveBack(instance)
      instance.busy = false
      instance.usedAt = this.#options.clock.now()
      this.#instances.trim()
      this.#sweepLater()
    }
    if (this.#isOpen) this.#beginReady()
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
      ...{ commands, clock, random, dispatch, telemetry, application, signal: this.#abort.signal },
      parked: () => {
        this.#replays.look()
      },
      hold: () => subscription.hold,
      mayGoOn: () => this.#isOpen && subscription.holds(),
      pause: (milliseconds) => this.#pause(milliseconds),
      lost: () => {
        subscription.fence()
      },
      isOver: (instance, position) => {
        this.#endings.add(instance, position)
      },
      goesOn: (instance) => {
        this.#endings.remove(instance)
      },
      troubled: (instance, failures) => {
        this.#troubled.set(instance, failures)
      },
      failed: (error, recorded) => {
        this.#fail(error, recorded)
      },
      log: (level, error, recorded, what) => {
        this.#lastError = error
        this.#log(level, error, recorded, what)
      },
    }
  }

  /** Whoever waits holds nobody up but the instance's own events. */
  #pause(milliseconds: number): Promise<boolean> {
    if (!this.#isOpen) return Promise.resolve(false)
    this.#running--
    this.#beginReady()
    return new Promise((resolve) => {
      const over = (mayGoOn: boolean) => {
        this.#pauses.delete(end)
        this.#running++
        resolve(mayGoOn)
      }
      const cancel = callLater(this.#options.clock, milliseconds, () => {
        over(true)
      })
      const end = () => {
        cancel()
        over(false)
      }
      this.#pauses.add(end)
    })
  }

  /** Lets instances go that have had nothing to do for long. */
  #sweepLater(): void {
    const { idleTimeout } = this.#model
    if (idleTimeout === undefined || this.#sweep !== undefined || !this.#isOpen) return
    const { clock } = this.#options
    const sweep = (milliseconds: number): void => {
      this.#sweep = idleTimer(clock, milliseconds, () => {
        this.#sweep = undefined
        const now = clock.now()
        const next = this.#instances.unload(now - idleTimeout)
        if (next !== undefined && this.#isOpen) sweep(Math.max(1, next + idleTimeout - now))
      })
    }
    sweep(idleTimeout)
  }

  #fail(error: unknown, recorded: RecordedEvent | undefined): void {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    this.#lastError = error
    this.#progress.failed(error)
    this.#options.telemetry?.tell('handler:stop', { handlerName: this.name, event: recorded, error })
    const where = recorded ? `at ${described(recorded)}` : 'and cannot go on'
    this.#log('error', error, recorded, `failed ${where}: it is STOPPED until it is started again`)
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

  #log(level: 'warn' | 'error', error: unknown, recorded: RecordedEvent | undefined, what: string): void {
    const { eventId, position, type } = recorded ?? {}
    this.#logger[level](
      { handler: this.name, application: this.#options.application, error, eventId, position, type },
      `the process manager ${this.name} ${what}: ${describeThrown(error)}`,
    )
  }
}

/** What was not begun is not handled; whoever waits for it is told so. */
function giveBack(instance: ProcessInstance): void {
  for (const { replay } of instance.tasks.splice(0)) replay?.resolve(false)
}
