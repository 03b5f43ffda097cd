import { containedLogger } from '../effects/contained-logger.ts'
import type { Logger } from '../effects/logger.ts'
import { afterwards, contained, isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { SubscriptionOwnedError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { CheckpointClaimer } from './checkpoint-claimer.ts'
import { CheckpointWriter } from './checkpoint-writer.ts'
import type { CheckpointClaim, CheckpointHold } from './checkpoint.ts'
import { HandledPlaces } from './handled-places.ts'
import type { Lease } from './lease-keeper.ts'
import type { Moment } from './passing-time.ts'
import type { PersistentSubscriptionOptions } from './persistent-subscription-options.ts'
import type { ReachedPlace } from './reached-place.ts'
import { sharedCheckpoints, type SharedCheckpoints } from './shared-checkpoints.ts'
import type { Subscription } from './subscription.ts'

const SAVE_DELAY = 10

/**
 * A subscription that goes on where it was: it holds its checkpoint as the only owner over all nodes, and writes down how far
 * it is. Whoever lost it, as the store's fence or the renewal of the lease tells, stops and tries to get it back. Delivery is at
 * least once: what was handled after the last written checkpoint comes again after a crash.
 */
export class PersistentSubscription {
  readonly #options: PersistentSubscriptionOptions
  readonly #logger: Logger
  readonly #shared: SharedCheckpoints
  readonly #handled: HandledPlaces
  readonly #claimer: CheckpointClaimer
  #writer: CheckpointWriter | undefined
  #lease: Lease | undefined
  #subscription: Subscription | undefined
  #warned = false
  #stopping = false
  #ended = false

  constructor(options: PersistentSubscriptionOptions) {
    const { name, owner, startFrom, store, clock, once = false, mayClaim, listener } = options
    this.#options = options
    this.#logger = containedLogger(options.logger)
    this.#shared = options.shared ?? sharedCheckpoints(options)
    this.#handled = options.places ?? new HandledPlaces(startFrom)
    this.#claimer = new CheckpointClaimer({
      name,
      owner,
      startFrom,
      store,
      clock,
      logger: this.#logger,
      shared: this.#shared,
      handled: this.#handled,
      once,
      mayClaim,
      attempts: () => listener.changed?.('claiming'),
      taken: (claim, askedAt) => this.#taken(claim, askedAt),
      followed: (position) => listener.followed?.(position),
      gaveUp: (error) => {
        this.#endWith(error)
      },
    })
  }

  /** Every event up to here is handled, or of no interest; 0 while another owner holds it. */
  get position(): number {
    const subscription = this.#subscription
    if (subscription === undefined) return 0
    return this.#options.listener.heldBack?.()?.position ?? subscription.position
  }

  /** Something that was held back is dealt with. */
  progressed(): void {
    const { position } = this
    this.#writer?.note()
    this.#writer?.rest()
    if (position > 0) this.#options.listener.progressed(position)
  }

  /** The claim that is held; undefined while another owner has it. */
  get hold(): CheckpointHold | undefined {
    return this.#lease?.hold
  }

  /** Whether somebody waits for another owner's progress: then that is followed closely. */
  set isAwaited(awaited: boolean) {
    this.#claimer.isAwaited = awaited
  }

  /** Tries to take the checkpoint and begins; where it cannot, goes on trying. */
  start(): MaybePromise<void> {
    return this.#claimer.claim()
  }

  /**
   * Whether the subscription is ours for sure, so that something may be begun. While the store cannot be reached for longer than
   * the lease, the answer waits; false where it is lost or stopped.
   */
  holds(): MaybePromise<boolean> {
    return this.#stopping ? false : (this.#lease?.holds() ?? false)
  }

  /** Stops after the event in hand, writes the checkpoint and releases it. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#claimer.stop()
    // Before anything is waited for, so that no event is begun any more.
    this.#lease?.beginNothing()
    const stopped = this.#subscription?.stop()
    await this.#claimer.claiming
    await stopped
    await this.#options.elsewhere?.idle?.()
    await this.#letGo()
    this.#finish(undefined)
  }

  /** Stops without the event in hand. */
  async abandon(): Promise<void> {
    this.#stopping = true
    this.#claimer.stop()
    this.#subscription?.abandon()
    await this.#letGo()
    this.#finish(undefined)
  }

  /** Another owner has taken the subscription. For whoever writes the checkpoint in a transaction of its own. */
  fence(): void {
    const writer = this.#writer
    if (writer === undefined) return
    writer.fence()
    this.#fenced(writer)
  }

  #finish(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.listener.changed?.('ended')
    this.#options.listener.ended?.(error)
  }

  #taken(claim: CheckpointClaim, askedAt: Moment): MaybePromise<void> {
    const { store, clock, saveDelay = SAVE_DELAY, listener, elsewhere } = this.#options
    const current = (): ReachedPlace =>
      this.#subscription === undefined ? claim : (listener.heldBack?.() ?? this.#subscription)
    const isCatchingUp = () => this.#subscription?.state === 'catching-up'
    const writer = new CheckpointWriter({
      store,
      clock,
      claim,
      saveDelay,
      logger: this.#logger,
      place: {
        get position() {
          return current().position
        },
        get index() {
          return current().index
        },
        get isCatchingUp() {
          return isCatchingUp()
        },
      },
      fenced: () => {
        this.#fenced(writer)
      },
      written: elsewhere && ((place) => elsewhere.written(place)),
    })
    const lease = this.#shared.leases.keep(claim, askedAt, () => {
      writer.fence()
      this.#fenced(writer)
    })
    this.#writer = writer
    this.#lease = lease
    if (this.#stopping) return
    const begin = (stays: unknown): MaybePromise<void> => {
      if (this.#writer !== writer) return
      if (stays === false) return this.#giveUp()
      const headPosition = contained(() => this.#shared.head.cover([claim]), this.#cannotBegin)
      return afterwards(headPosition, (known) => {
        if (known !== undefined && this.#writer === writer) this.#subscribe(claim, known, writer, lease)
      })
    }
    return contained(() => afterwards(listener.claimed?.(claim), begin), this.#failed)
  }

  readonly #failed = (error: unknown): void => {
    if (!this.#stopping) this.#endWith(error)
  }

  readonly #cannotBegin = async (error: unknown): Promise<undefined> => {
    const { name } = this.#options
    this.#logger.warn({ subscription: name, error }, `${name}: it cannot begin yet; it will be tried again`)
    await this.#giveUp()
  }

  async #giveUp(): Promise<void> {
    await this.#letGo()
    this.#writer = this.#lease = undefined
    this.#claimer.claimLater()
  }

  #subscribe(claim: CheckpointClaim, headPosition: number, writer: CheckpointWriter, lease: Lease): void {
    if (this.#stopping) return
    const { name, filter, reading, hub, listener } = this.#options
    if (this.#handled.isHandled(claim, headPosition)) listener.progressed(claim.position)
    else this.#warnOfBeyond(claim, headPosition)
    this.#subscription = hub.subscribe({
      name,
      filter,
      ...(reading && { reading }),
      startAfter: claim.position,
      startIndex: claim.index,
      listener: {
        deliver: (event: RecordedEvent) => {
          const holds = lease.holds()
          if (holds === true) return listener.deliver(event)
          return afterwards(holds, (answer) => answer && !this.#stopping && listener.deliver(event))
        },
        progressed: (position) => {
          writer.note()
          const heldBack = listener.heldBack?.()
          listener.progressed(heldBack === undefined ? position : heldBack.position)
        },
        rest: () => {
          writer.rest()
        },
        changed: (state) => {
          if (state !== 'ended') listener.changed?.(state)
        },
        ended: (error) => {
          // Stopping, and giving way to another owner, wait for this by themselves.
          if (!this.#stopping && this.#writer === writer) this.#endWith(error)
        },
      },
    })
    this.#subscription.start()
  }

  /** A checkpoint beyond the last event is that of another history: the store was restored from a backup, say. */
  #warnOfBeyond({ position }: CheckpointClaim, headPosition: number): void {
    if (this.#warned) return
    this.#warned = true
    const { name } = this.#options
    this.#logger.warn(
      { subscription: name, position, headPosition },
      `${name}: its checkpoint is at position ${position}, but the store's last event is at ${headPosition}: ` +
        'it passes over every event up to its checkpoint; delete the checkpoint if the store was restored from a backup',
    )
  }

  #endWith(error: unknown): void {
    this.#stopping = true
    this.#claimer.stop()
    if (this.#writer === undefined) this.#finish(error)
    else {
      void this.#idleElsewhere()
        .then(() => this.#letGo())
        .then(() => {
          this.#finish(error)
        })
    }
  }

  #fenced(writer: CheckpointWriter): void {
    if (this.#writer !== writer) return
    const { name, listener, tellsOfLoss = true } = this.#options
    if (tellsOfLoss) {
      const error = new SubscriptionOwnedError(name)
      this.#logger.warn({ subscription: name, error }, `${error.message}; it will be tried again`)
    }
    this.#lease?.end()
    if (this.#stopping) return
    const subscription = this.#subscription
    this.#writer = this.#lease = this.#subscription = undefined
    listener.lost?.()
    const stopped = this.#options.elsewhere?.idle ? this.#stopBoth(subscription) : subscription?.stop()
    listener.changed?.('claiming')
    const stoppedNow = (): void => {
      if (!this.#stopping) this.#claimer.claimLater()
    }
    if (isPromiseLike(stopped)) void stopped.then(stoppedNow)
    else stoppedNow()
  }

  async #stopBoth(subscription: Subscription | undefined): Promise<void> {
    await subscription?.stop()
    await this.#idleElsewhere()
  }

  async #idleElsewhere(): Promise<void> {
    await this.#options.elsewhere?.idle?.()
  }

  async #letGo(): Promise<void> {
    this.#lease?.end()
    await this.#writer?.close()
  }
}
