import type { Clock } from '../effects/clock.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import type { Logger } from '../effects/logger.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError, SubscriptionOwnedError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { CheckpointWriter } from './checkpoint-writer.ts'
import type { CheckpointClaim } from './checkpoint.ts'
import type { CheckpointStore } from './event-store.ts'
import type { SubscriptionListener } from './live-feed.ts'
import type { SubscriptionFilter } from './subscription-filter.ts'
import type { SubscriptionHub } from './subscription-hub.ts'
import type { Subscription } from './subscription.ts'

/**
 * Where a subscription begins that has no checkpoint yet: with the first event, with what comes next, or with the event at a
 * position, inclusive.
 */
export type StartFrom = 'origin' | 'current' | number

/** `claiming`: another owner holds the subscription, or the store does not answer. */
export type PersistentSubscriptionState = 'claiming' | 'catching-up' | 'live' | 'ended'

export interface PersistentSubscriptionListener extends Omit<SubscriptionListener, 'rest' | 'changed'> {
  changed?(state: PersistentSubscriptionState): void
  /** The checkpoint is ours, and nothing is delivered yet. What it throws or rejects with ends the subscription. */
  claimed?(): MaybePromise<void>
  /** Another owner holds the subscription; this is how far it is. */
  followed?(position: number): void
  /** Another owner has taken the subscription: what is in hand should be let go. */
  lost?(): void
}

export interface PersistentSubscriptionOptions {
  /** The name of the checkpoint. */
  readonly name: string
  /** Unique for each running instance. */
  readonly owner: string
  readonly startFrom: StartFrom
  readonly filter: SubscriptionFilter
  readonly listener: PersistentSubscriptionListener
  readonly hub: SubscriptionHub
  readonly store: CheckpointStore
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds between attempts to take what another owner holds. @default 1_000 */
  readonly claimInterval?: number
  /**
   * Milliseconds by which writing the checkpoint may lag behind, so that many events cost one write. They come again after
   * a crash.
   * @default 10
   */
  readonly saveDelay?: number
}

const CLAIM_INTERVAL = 1_000
const SAVE_DELAY = 10

/**
 * A subscription that goes on where it was: it holds its checkpoint as the only owner over all nodes, and writes down how far
 * it is. Whoever lost it, as the store's fence tells, stops and tries to get it back. Delivery is at least once: what was
 * handled after the last written checkpoint comes again after a crash.
 */
export class PersistentSubscription {
  readonly #options: PersistentSubscriptionOptions
  readonly #logger: Logger
  #writer: CheckpointWriter | undefined
  #subscription: Subscription | undefined
  #claiming: PromiseLike<void> | undefined
  #timer: { readonly handle: unknown } | undefined
  #stopping = false
  #ended = false

  constructor(options: PersistentSubscriptionOptions) {
    this.#options = options
    this.#logger = containedLogger(options.logger)
  }

  /** Every event up to here is handled, or of no interest; 0 while another owner holds it. */
  get position(): number {
    return this.#subscription?.position ?? 0
  }

  /** Tries to take the checkpoint and begins; where it cannot, goes on trying. */
  start(): MaybePromise<void> {
    return this.#tryToClaim()
  }

  /** Stops after the event in hand, writes the checkpoint and releases it. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#cancelTimer()
    // Before anything is waited for, so that no event is begun any more.
    const stopped = this.#subscription?.stop()
    await this.#claiming
    await stopped
    await this.#letGo()
    this.#finish(undefined)
  }

  /** Stops without the event in hand. */
  async abandon(): Promise<void> {
    this.#stopping = true
    this.#cancelTimer()
    this.#subscription?.abandon()
    await this.#letGo()
    this.#finish(undefined)
  }

  #finish(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.listener.changed?.('ended')
    this.#options.listener.ended?.(error)
  }

  #cancelTimer(): void {
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer.handle)
    this.#timer = undefined
  }

  #tryToClaim(): MaybePromise<void> {
    this.#options.listener.changed?.('claiming')
    let claiming: MaybePromise<void>
    try {
      const startAfter = this.#startAfter()
      claiming = isPromiseLike(startAfter) ? startAfter.then((after) => this.#take(after)) : this.#take(startAfter)
    } catch (error) {
      this.#claimFailed(error)
      return
    }
    if (!isPromiseLike(claiming)) return
    this.#claiming = claiming.then(
      () => {
        this.#claiming = undefined
      },
      (error: unknown) => {
        this.#claiming = undefined
        this.#claimFailed(error)
      },
    )
    return this.#claiming
  }

  #startAfter(): MaybePromise<number> {
    const { startFrom, store } = this.#options
    if (startFrom === 'origin') return 0
    return startFrom === 'current' ? store.headPosition() : startFrom - 1
  }

  #take(startAfter: number): MaybePromise<void> {
    const { store, name, owner } = this.#options
    const claim = store.claimCheckpoint(name, { owner, startAfter })
    return isPromiseLike(claim) ? claim.then((answer) => this.#taken(answer)) : this.#taken(claim)
  }

  #taken(claim: CheckpointClaim | undefined): MaybePromise<void> {
    if (claim === undefined) return this.#follow()
    const { store, clock, saveDelay = SAVE_DELAY, listener } = this.#options
    const current = () => this.#subscription ?? claim
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
      },
      fenced: () => {
        this.#fenced(writer)
      },
    })
    this.#writer = writer
    if (this.#stopping) return
    const ready = listener.claimed?.()
    if (isPromiseLike(ready)) return ready.then(() => this.#subscribe(claim, writer))
    this.#subscribe(claim, writer)
  }

  #subscribe(claim: CheckpointClaim, writer: CheckpointWriter): void {
    if (this.#stopping) return
    const { name, filter, hub, listener } = this.#options
    listener.progressed(claim.position)
    this.#subscription = hub.subscribe({
      name,
      filter,
      startAfter: claim.position,
      startIndex: claim.index,
      listener: {
        deliver: (event: RecordedEvent) => listener.deliver(event),
        progressed: (position) => {
          writer.note()
          listener.progressed(position)
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

  #endWith(error: unknown): void {
    this.#stopping = true
    void this.#letGo().then(() => {
      this.#finish(error)
    })
  }

  /** Another owner holds it: tells how far that one is, and tries again later. */
  #follow(): MaybePromise<void> {
    const { store, name, listener } = this.#options
    this.#tryLater()
    if (!listener.followed) return
    const checkpoint = store.readCheckpoint(name)
    if (!isPromiseLike(checkpoint)) {
      if (checkpoint) listener.followed(checkpoint.position)
      return
    }
    return checkpoint.then((answer) => {
      if (answer) listener.followed?.(answer.position)
    })
  }

  #claimFailed(error: unknown): void {
    if (this.#stopping) return
    if (this.#writer !== undefined || error instanceof NotRunningError) {
      this.#endWith(error)
      return
    }
    const { name } = this.#options
    this.#logger.warn(
      { subscription: name, error },
      `${name}: its checkpoint cannot be claimed; it will be tried again`,
    )
    this.#tryLater()
  }

  #tryLater(): void {
    if (this.#stopping) return
    this.#cancelTimer()
    const handle = this.#options.clock.setTimeout(() => {
      this.#timer = undefined
      void this.#tryToClaim()
    }, this.#options.claimInterval ?? CLAIM_INTERVAL)
    // Waiting for another owner alone must not keep a process alive.
    ;(handle as { readonly unref?: () => void } | undefined)?.unref?.()
    this.#timer = { handle }
  }

  #fenced(writer: CheckpointWriter): void {
    if (this.#writer !== writer) return
    const { name, listener } = this.#options
    const error = new SubscriptionOwnedError(name)
    this.#logger.warn({ subscription: name, error }, `${error.message}; it will be tried again`)
    if (this.#stopping) return
    const subscription = this.#subscription
    this.#writer = this.#subscription = undefined
    listener.lost?.()
    const stopped = subscription?.stop()
    listener.changed?.('claiming')
    if (isPromiseLike(stopped)) {
      void stopped.then(() => {
        this.#tryLater()
      })
    } else this.#tryLater()
  }

  async #letGo(): Promise<void> {
    await this.#writer?.close()
  }
}
