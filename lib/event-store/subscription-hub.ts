import { backoffDelay, type Backoff } from '../effects/backoff.ts'
import type { Clock } from '../effects/clock.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import type { Fairness } from '../effects/fairness.ts'
import { systemRandom, type Random } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { storedTypes, type Upcaster } from '../messages/upcaster.ts'
import type { AllSlice, EventStore } from './event-store.ts'
import { InterestIndex } from './interest-index.ts'
import type { DecodeEvent, LiveFeed, LiveSubscriber } from './live-feed.ts'
import { SharedReading } from './shared-reading.ts'
import { StoreWatch } from './store-watch.ts'
import type { StoredEvent } from './stored-event.ts'
import type { SubscriptionFilter } from './subscription-filter.ts'
import { checkedPage, pageReader, type ReadPage } from './subscription-page.ts'
import { Subscription, type SubscriptionOptions } from './subscription.ts'

export interface SubscriptionHubOptions {
  readonly store: EventStore
  readonly decode: DecodeEvent
  readonly clock: Clock
  readonly fairness: Fairness
  readonly logger: Logger
  /** For jitter. */
  readonly random?: Random
  /** Those of `decode`: what they may turn into a type is read for those who name it. @default none */
  readonly upcasters?: readonly Upcaster[]
  /** How many events are read at once at the most. @default 500 of the live ones, 2_000 of those that were missed */
  readonly batchSize?: number
  /** How many live events may wait for a busy subscription before it goes back to reading. @default 1_000 */
  readonly bufferSize?: number
  /** Milliseconds between looks at the store behind its wake-ups. @default 1_000 */
  readonly pollInterval?: number
}

const readBackoff: Backoff = { base: 250, longest: 30_000 }
/** After so many positions that did not interest them, idle subscriptions are told to write down how far they are. */
const REST_EVERY = 1_000

const settled = Promise.resolve()
const nothing: readonly never[] = []

/**
 * The live side of all subscriptions of one application: each new event is read once, decoded once, and offered to those
 * whom it interests, whatever the number of the others. It watches the store only while someone is live.
 */
export class SubscriptionHub implements LiveFeed {
  readonly decode: DecodeEvent
  readonly fairness: Fairness
  readonly #store: EventStore
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #random: Random
  readonly #upcasters: readonly Upcaster[]
  readonly #batchSize: number
  readonly #missedBatchSize: number
  readonly #bufferSize: number
  readonly #watch: StoreWatch
  readonly #live: InterestIndex<LiveSubscriber>

  /** Every event up to here is offered, and the one at `#reading` is being offered where the two differ. */
  #position = 0
  #reading = 0
  /** The last position that is known to be committed. */
  #head = 0
  /** There may be more than is known. */
  #look = false
  #page: readonly StoredEvent[] = nothing
  #next = 0
  #working = false
  #failures = 0
  #cancelRetry: (() => void) | undefined
  #touched: LiveSubscriber[] = []
  #restAt = REST_EVERY

  constructor(options: SubscriptionHubOptions) {
    this.#store = options.store
    this.decode = options.decode
    this.fairness = options.fairness
    this.#clock = options.clock
    this.#logger = containedLogger(options.logger)
    this.#random = options.random ?? systemRandom
    this.#upcasters = options.upcasters ?? nothing
    this.#batchSize = options.batchSize ?? 500
    this.#missedBatchSize = options.batchSize ?? 2_000
    this.#bufferSize = options.bufferSize ?? 1_000
    const { store, clock, pollInterval = 1_000 } = options
    this.#watch = new StoreWatch({ store, clock, logger: this.#logger }, pollInterval, this.#wake, this.#polled)
    this.#live = new InterestIndex(this.#upcasters)
  }

  /** Makes a subscription, which begins with its `start`. */
  subscribe(options: SubscriptionOptions): Subscription {
    const read = options.reading?.read ?? this.#reader(options.filter)
    const { streamId, types } = options.filter
    // Of all events that it reads, only those of a stream are not chosen by their types already.
    const stored = streamId === undefined || types === undefined ? undefined : storedTypes(types, this.#upcasters)
    return new Subscription(options, this, read, this.#bufferSize, stored)
  }

  /** For several subscriptions with one filter, which are to read what they have missed together. */
  shareReading(filter: SubscriptionFilter): SharedReading {
    return new SharedReading(this.#reader(filter), this)
  }

  #reader(filter: SubscriptionFilter): ReadPage {
    return pageReader(this.#store, filter, this.#missedBatchSize, this.#upcasters)
  }

  get position(): number {
    return this.#position
  }

  /** The last position of the store, as far as it is known here. */
  get headPosition(): number {
    return Math.max(this.#head, this.#position)
  }

  join(subscriber: LiveSubscriber, head: number): number {
    if (this.#live.size === 0) {
      // With nobody to serve, the hub has not followed; it goes on from what this one has read.
      if (!this.#working) {
        this.#reading = Math.max(this.#reading, head)
        this.#position = this.#reading
      }
      this.#restAt = this.#reading + REST_EVERY
      this.#watch.start()
    }
    this.#live.add(subscriber)
    // What was committed since that reading, before the watch began, has woken nobody.
    this.#wake(undefined)
    return this.#reading
  }

  leave(subscriber: LiveSubscriber): void {
    this.#live.remove(subscriber)
    if (this.#live.size > 0) return
    this.#watch.stop()
    if (this.#cancelRetry === undefined) return
    this.#cancelRetry()
    this.#cancelRetry = undefined
    this.#working = false
  }

  touch(subscriber: LiveSubscriber): void {
    if (!this.#working) subscriber.rest()
    else if (!subscriber.touched) {
      subscriber.touched = true
      this.#touched.push(subscriber)
    }
  }

  retryLater(name: string, what: string, error: unknown, failures: number, retry: () => void): () => void {
    const delay = backoffDelay(readBackoff, failures, this.#random)
    this.#logger.warn({ subscription: name, error, failures, retryInMs: Math.round(delay) }, `${name}: ${what}`)
    const handle = this.#clock.setTimeout(retry, delay)
    return () => {
      this.#clock.clearTimeout(handle)
    }
  }

  readonly #polled = (): void => {
    this.#wake(undefined)
    // Who could not write down how far it is tries again.
    for (const subscriber of this.#live.everyone()) subscriber.rest()
  }

  readonly #wake = (head: number | undefined): void => {
    if (head === undefined) this.#look = true
    else if (head <= this.#reading) return
    else if (head > this.#head) this.#head = head
    if (this.#working) return
    this.#working = true
    void settled.then(this.#work)
  }

  /** Works until something has to be waited for, or everything that is known to be there is offered. */
  readonly #work = (): void => {
    for (;;) {
      while (this.#next < this.#page.length) {
        if (this.fairness.turnDue()) {
          this.#restAll()
          void this.fairness.turn().then(this.#work)
          return
        }
        const stored = this.#page[this.#next++]
        if (stored !== undefined && stored.position > this.#reading && !this.#offer(stored)) return
      }
      if (this.#live.size === 0 || !(this.#look || this.#head > this.#reading)) break
      if (!this.#read()) return
    }
    this.#page = nothing
    this.#next = 0
    this.#working = false
    this.#restAll()
  }

  /** False where the event has to be waited for. */
  #offer(stored: StoredEvent): boolean {
    this.#reading = stored.position
    const interested = this.#live.interestedIn(stored)
    if (interested.length === 0) {
      this.#position = stored.position
      return true
    }
    let list: MaybePromise<readonly RecordedEvent[]>
    try {
      list = this.decode(stored)
    } catch {
      this.#undecodable(stored, interested)
      return true
    }
    if (!isPromiseLike(list)) {
      this.#hand(stored, list, interested)
      return true
    }
    this.#restAll()
    list.then(
      (decoded) => {
        this.#hand(stored, decoded, interested)
        this.#work()
      },
      () => {
        this.#undecodable(stored, interested)
        this.#work()
      },
    )
    return false
  }

  #hand(stored: StoredEvent, list: readonly RecordedEvent[], interested: readonly LiveSubscriber[]): void {
    if (list.length > 0) for (const subscriber of interested) subscriber.offer(stored, list)
    this.#position = stored.position
  }

  /** Whom the event interests reads it for itself, with its own patience; the others go on. */
  #undecodable(stored: StoredEvent, interested: readonly LiveSubscriber[]): void {
    for (const subscriber of interested) subscriber.fallBack()
    this.#position = stored.position
  }

  #read(): boolean {
    this.#look = false
    const after = this.#reading
    const head = this.#head
    let page: MaybePromise<AllSlice>
    try {
      page = this.#store.readAll({ fromPosition: after + 1, maxCount: this.#batchSize })
      if (!isPromiseLike(page)) {
        this.#take(page, after, head)
        return true
      }
    } catch (error) {
      this.#unreadable(error)
      return false
    }
    this.#restAll()
    page.then(
      (answer) => {
        try {
          this.#take(answer, after, head)
        } catch (error) {
          this.#unreadable(error)
          return
        }
        this.#work()
      },
      (error: unknown) => {
        this.#unreadable(error)
      },
    )
    return false
  }

  #take(page: AllSlice, after: number, knownHead: number): void {
    checkedPage(this.#store.name, page, after, true)
    this.#failures = 0
    this.#page = page.events
    this.#next = 0
    if (page.headPosition > this.#head) this.#head = page.headPosition
    // A wake-up knew of more than the store shows: the next one, or the poll, looks again.
    else if (page.lastPosition === after && this.#head === knownHead) this.#head = after
  }

  #unreadable(error: unknown): void {
    if (error instanceof NotRunningError) {
      for (const subscriber of this.#live.everyone()) subscriber.fail(error)
      this.#look = false
      this.#head = this.#reading
      this.#work()
      return
    }
    this.#look = true
    this.#restAll()
    this.#failures++
    this.#cancelRetry = this.retryLater('live events', 'the event store cannot be read', error, this.#failures, () => {
      this.#cancelRetry = undefined
      this.#work()
    })
  }

  #restAll(): void {
    if (this.#position >= this.#restAt) {
      this.#restAt = this.#position + REST_EVERY
      for (const subscriber of this.#live.everyone()) subscriber.rest()
    }
    while (this.#touched.length > 0) {
      const touched = this.#touched
      this.#touched = []
      for (const subscriber of touched) subscriber.rest()
    }
  }
}
