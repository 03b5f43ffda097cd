import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { StoredEvent } from './stored-event.ts'
import { Backlog } from './backlog.ts'
import { Place } from './place.ts'
import { LiveBuffer } from './live-buffer.ts'
import type { DecodeEvent, LiveFeed, SubscriptionListener } from './live-feed.ts'
import type { SharedReading } from './shared-reading.ts'
import { isOf, type SubscriptionFilter } from './subscription-filter.ts'
import type { ReadPage } from './subscription-page.ts'

export type SubscriptionState = 'catching-up' | 'live' | 'ended'

export interface SubscriptionOptions {
  readonly name: string
  readonly filter: SubscriptionFilter
  readonly listener: SubscriptionListener
  /** The first event that is delivered comes after this position; 0 for all. */
  readonly startAfter: number
  /** How many of the events that upcasting makes of the first stored event are passed over. @default 0 */
  readonly startIndex?: number
  /** Shared with others of the same filter. */
  readonly reading?: SharedReading
}

/** How often an event that cannot be decoded is tried before the subscription gives up. */
const DECODE_ATTEMPTS = 8

/**
 * Every event after a position, in order, each once: first from the store, page by page, then from the live feed. It stays
 * synchronous for as long as store, decoder and listener do; only one event is with the listener at a time.
 */
export class Subscription {
  readonly name: string
  readonly filter: SubscriptionFilter
  /** For the feed: whether this one is on its list of those to be told that the work is over. */
  touched = false
  readonly #feed: LiveFeed
  readonly #decode: DecodeEvent
  readonly #listener: SubscriptionListener
  readonly #place: Place
  readonly #backlog: Backlog
  readonly #buffer: LiveBuffer
  readonly #storedTypes: ReadonlySet<string> | undefined
  #state: SubscriptionState = 'catching-up'
  /** The feed brings what comes after this position; undefined while it brings nothing. */
  #joinedAt: number | undefined

  /** Work is under way, here or in something that is waited for. */
  #busy = false
  #delivering = false
  #stopping = false
  #failures = 0
  #cancelPause: (() => void) | undefined
  readonly #onceEnded: (() => void)[] = []

  /** `storedTypes` are the only ones that can be of interest; default: all that are read. */
  constructor(
    options: SubscriptionOptions,
    feed: LiveFeed,
    read: ReadPage,
    bufferSize: number,
    storedTypes?: ReadonlySet<string>,
  ) {
    this.#storedTypes = storedTypes
    this.name = options.name
    this.filter = options.filter
    this.#listener = options.listener
    this.#feed = feed
    this.#decode = options.reading?.decode ?? feed.decode
    this.#backlog = new Backlog(read, options.startAfter, options.filter.streamId === undefined)
    this.#buffer = new LiveBuffer(bufferSize)
    this.#place = new Place(options.startAfter, options.startIndex ?? 0)
  }

  get state(): SubscriptionState {
    return this.#state
  }

  /** Every event up to here is handled, or of no interest. */
  get position(): number {
    const { position } = this.#place
    // One that is live and has nothing to do is as far as the feed: what it was not given does not interest it.
    return this.#state === 'live' && !this.#busy ? Math.max(position, this.#feed.position) : position
  }

  /** How many of the events made of the stored one at `position + 1` are handled. */
  get index(): number {
    return this.position === this.#place.position ? this.#place.index : 0
  }

  /** Begins. Where everything is synchronous, it has caught up when this returns. */
  start(): void {
    this.#pump()
  }

  /** Ends after the event that is being delivered, if there is one; what has not been delivered is not handled. */
  stop(): MaybePromise<void> {
    if (this.#state === 'ended') return
    this.#stopping = true
    if (!this.#delivering) {
      this.#end(undefined)
      return
    }
    this.#leave()
    return new Promise((resolve) => void this.#onceEnded.push(resolve))
  }

  /** Ends at once: the event that is being delivered counts as not handled. */
  abandon(): void {
    this.#end(undefined)
  }

  /** The feed cannot go on: the store is closed. */
  fail(error: unknown): void {
    if (this.#delivering) this.fallBack()
    else this.#end(error)
  }

  /** From the feed: the events made of one stored event, after all that it offered before. */
  offer(stored: StoredEvent, list: readonly RecordedEvent[]): void {
    if (this.#joinedAt === undefined || stored.position <= this.#joinedAt) return
    if (!isOf(this.filter, stored)) return
    if (!this.#busy) {
      this.#begin(stored, list)
      this.#pump()
    } else if (!this.#buffer.add(stored, list)) {
      this.fallBack()
    }
  }

  /** Goes back to reading from the store: the feed ran away from it, or brought something that cannot be read. */
  fallBack(): void {
    if (this.#state === 'ended') return
    this.#leave()
    this.#backlog.goOn(this.#state === 'live' ? this.#place.position : undefined)
    this.#become('catching-up')
    if (!this.#busy) this.#pump()
  }

  /** A good moment to write down how far it is. */
  rest(): void {
    this.touched = false
    this.#listener.rest?.()
  }

  #leave(): void {
    if (this.#joinedAt === undefined) return
    if (!this.#busy) this.#place.moveTo(this.position)
    this.#joinedAt = undefined
    this.#buffer.clear()
    this.#feed.leave(this)
  }

  #become(state: SubscriptionState): void {
    if (this.#state === state) return
    this.#state = state
    this.#listener.changed?.(state)
  }

  #end(error: unknown): void {
    if (this.#state === 'ended') return
    this.#leave()
    this.#cancelPause?.()
    this.#become('ended')
    this.#listener.ended?.(error)
    for (const resolve of this.#onceEnded) resolve()
  }

  #begin(stored: StoredEvent, list: readonly RecordedEvent[]): void {
    this.#failures = 0
    this.#backlog.version = stored.streamVersion
    this.#place.begin(stored, list)
  }

  /** Works until something has to be waited for, or there is nothing left to do. */
  #pump(): void {
    this.#busy = true
    try {
      while (this.#deliverList() && this.#nextList());
    } catch (error) {
      this.#end(error)
    }
  }

  /** Delivers what is in hand. False where that has to be waited for, and where the subscription is over. */
  #deliverList(): boolean {
    const place = this.#place
    const { types } = this.filter
    for (let event = place.next(types); event !== undefined; event = place.next(types)) {
      if (this.#stopping) break
      this.#delivering = true
      const handled = this.#listener.deliver(event)
      if (typeof handled !== 'boolean') {
        this.#feed.touch(this)
        handled.then(this.#delivered, this.#broke)
        return false
      }
      this.#delivering = false
      if (this.#state === 'ended') return false
      if (!handled) {
        this.#end(undefined)
        return false
      }
      place.handled()
    }
    if (place.hasInHand && place.next(types) === undefined) {
      place.finish()
      this.#listener.progressed(place.position)
    }
    if (!this.#stopping) return true
    this.#end(undefined)
    return false
  }

  readonly #delivered = (handled: boolean): void => {
    this.#delivering = false
    if (this.#state === 'ended') return
    if (handled) {
      this.#place.handled()
      this.#pump()
    } else {
      this.#end(undefined)
    }
  }

  readonly #broke = (error: unknown): void => {
    this.#delivering = false
    this.#end(error)
  }

  /** Takes the next list in hand: of the page, of another page, of what the feed brought. False where there is none now. */
  #nextList(): boolean {
    while (this.#state === 'catching-up') {
      if (!this.#backlog.isThrough) {
        if (this.#turnDue()) return false
        const taken = this.#takeFromPage()
        if (taken !== undefined) return taken
      } else if (!this.#finishPage() && !this.#readPage()) return false
    }
    if (this.#state === 'ended') return false
    const next = this.#buffer.shift()
    if (next !== undefined) {
      this.#begin(next.stored, next.list)
      return !this.#turnDue()
    }
    this.#busy = false
    this.#feed.touch(this)
    return false
  }

  #turnDue(): boolean {
    const { fairness } = this.#feed
    if (!fairness.turnDue()) return false
    this.#feed.touch(this)
    void fairness.turn().then(this.#resume)
    return true
  }

  readonly #resume = (): void => {
    if (this.#state !== 'ended') this.#pump()
  }

  /** Undefined where the event is passed over. */
  #takeFromPage(): boolean | undefined {
    const stored = this.#backlog.take()
    if (stored === undefined) return undefined
    const isOfInterest =
      this.#storedTypes?.has(stored.type) !== false && stored.tombstone !== true && isOf(this.filter, stored)
    if (stored.position <= this.#place.position || !isOfInterest) {
      this.#backlog.version = stored.streamVersion
      return undefined
    }
    let list: MaybePromise<readonly RecordedEvent[]>
    try {
      list = this.#decode(stored)
    } catch (error) {
      this.#undecodable(error)
      return false
    }
    if (!isPromiseLike(list)) {
      this.#begin(stored, list)
      return true
    }
    this.#feed.touch(this)
    list.then(
      (decoded) => {
        if (this.#state === 'ended') return
        this.#begin(stored, decoded)
        this.#pump()
      },
      (error: unknown) => {
        this.#undecodable(error)
      },
    )
    return false
  }

  #undecodable(error: unknown): void {
    if (this.#state === 'ended') return
    this.#backlog.putBack()
    if (this.#failures + 1 >= DECODE_ATTEMPTS) this.#end(error)
    else this.#pauseAfter(error, 'an event cannot be read')
  }

  /** True where that was the last page, for now. */
  #finishPage(): boolean {
    if (this.#place.moveTo(this.#backlog.end)) this.#listener.progressed(this.#backlog.end)
    if (this.#joinedAt === undefined && this.#backlog.atHead) {
      // From here on nothing is missed: the feed brings what it has not read yet, the rest comes from the store.
      this.#joinedAt = Math.max(this.#place.position, this.#feed.join(this, this.#backlog.head))
    }
    const done = this.#joinedAt !== undefined && this.#place.position >= this.#joinedAt
    if (done) {
      this.#backlog.clear()
      this.#become('live')
    }
    this.#feed.touch(this)
    return done
  }

  #readPage(): boolean {
    let reading: MaybePromise<void>
    try {
      reading = this.#backlog.read(this.#place.position, this.#joinedAt ?? Infinity)
    } catch (error) {
      this.#unreadable(error)
      return false
    }
    if (!isPromiseLike(reading)) {
      this.#failures = 0
      return true
    }
    reading.then(
      () => {
        this.#failures = 0
        this.#resume()
      },
      (error: unknown) => {
        this.#unreadable(error)
      },
    )
    return false
  }

  #unreadable(error: unknown): void {
    if (this.#state === 'ended') return
    if (error instanceof NotRunningError) this.#end(error)
    else this.#pauseAfter(error, 'the event store cannot be read')
  }

  #pauseAfter(error: unknown, what: string): void {
    this.#failures++
    this.#cancelPause = this.#feed.retryLater(this.name, what, error, this.#failures, () => {
      this.#cancelPause = undefined
      this.#resume()
    })
  }
}
