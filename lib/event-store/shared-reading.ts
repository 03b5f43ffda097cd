import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { AllSlice } from './event-store.ts'
import type { DecodeEvent, LiveFeed } from './live-feed.ts'
import type { StoredEvent } from './stored-event.ts'
import type { ReadPage } from './subscription-page.ts'

interface Page {
  readonly after: number
  readonly slice: AllSlice
  /** By position: what was decoded of the page so far. */
  readonly decoded: Map<number, MaybePromise<readonly RecordedEvent[]>>
}

/** So many pages are kept for those who are a little behind. */
const KEPT = 4

/**
 * Reads and decodes what several subscriptions with the same filter have missed once, as long as they are at about the same place;
 * whoever is far behind reads for itself. It keeps a few pages, whatever the backlog.
 */
export class SharedReading {
  readonly #readPage: ReadPage
  readonly #feed: Pick<LiveFeed, 'decode' | 'fairness'>
  readonly #underWay = new Map<number, PromiseLike<AllSlice>>()
  #pages: readonly Page[] = []

  constructor(read: ReadPage, feed: Pick<LiveFeed, 'decode' | 'fairness'>) {
    this.#readPage = read
    this.#feed = feed
  }

  readonly read: ReadPage = (after, version) => {
    const page = this.#pages.find((one) => one.after <= after && after < one.slice.lastPosition)
    if (page) return after === page.after ? page.slice : rest(page.slice, after)
    const underWay = this.#underWay.get(after)
    if (underWay) return underWay
    // After a turn: the others come as far meanwhile, and want the same page.
    const reading = this.#feed.fairness.turn().then(() => this.#readPage(after, version))
    const kept = reading.then(
      (slice) => {
        this.#underWay.delete(after)
        return this.#keep(after, slice)
      },
      (error: unknown) => {
        this.#underWay.delete(after)
        throw error
      },
    )
    this.#underWay.set(after, kept)
    return kept
  }

  readonly decode: DecodeEvent = (stored: StoredEvent) => {
    const { position } = stored
    const decoded = this.#pages.find((one) => one.after < position && position <= one.slice.lastPosition)?.decoded
    const known = decoded?.get(position)
    if (known !== undefined) return known
    const list = this.#feed.decode(stored)
    decoded?.set(position, list)
    // Who comes next is to try it anew.
    if (isPromiseLike(list)) list.then(undefined, () => decoded?.delete(position))
    return list
  }

  #keep(after: number, slice: AllSlice): AllSlice {
    // The last page is read anew by everyone, since there may be more by then; and there is little left to share.
    const isLast = slice.lastPosition >= slice.headPosition
    this.#pages = isLast ? [] : [...this.#pages.slice(1 - KEPT), { after, slice, decoded: new Map() }]
    return slice
  }
}

function rest(slice: AllSlice, after: number): AllSlice {
  return { ...slice, events: slice.events.filter(({ position }) => position > after) }
}
