import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { StoreError } from '../errors.ts'
import type { AllSlice } from './event-store.ts'
import type { StoredEvent } from './stored-event.ts'
import type { ReadPage } from './subscription-page.ts'

/**
 * What a subscription reads from the store while it catches up, page by page. From a store that has to be waited for, the next page is on its
 * way while one is worked on: never more than that one, so that a slow reader costs bounded memory.
 */
export class Backlog {
  readonly #read: ReadPage
  readonly #readsAhead: boolean
  #ahead: { readonly after: number; readonly page: PromiseLike<AllSlice> } | undefined
  #page: readonly StoredEvent[] = []
  #next = 0
  #end: number
  #head = Infinity
  /** The last version that was begun with; for one that follows a single stream. */
  version = 0

  /** `readsAhead` where a page can be asked for by its position alone. */
  constructor(read: ReadPage, startAfter: number, readsAhead: boolean) {
    this.#read = read
    this.#readsAhead = readsAhead
    this.#end = startAfter
  }

  /** What has been read reaches up to here. */
  get end(): number {
    return this.#end
  }

  /** The last position of the store when it was read. */
  get head(): number {
    return this.#head
  }

  get atHead(): boolean {
    return this.#end >= this.#head
  }

  get isThrough(): boolean {
    return this.#next >= this.#page.length
  }

  take(): StoredEvent | undefined {
    return this.#page[this.#next++]
  }

  /** Nothing of a page that is through is kept in memory. */
  clear(): void {
    this.#page = []
    this.#next = 0
    this.#ahead = undefined
  }

  /** What was taken last is to be taken again. */
  putBack(): void {
    this.#next--
  }

  /** More is to be read; after a position, unless there is still something of a page. */
  goOn(position: number | undefined): void {
    if (position !== undefined) this.#end = position
    this.#head = Infinity
  }

  /**
   * Reads the page after a position.
   *
   * @param position the last one that is not wanted any more
   * @param limit the last position that is wanted: what comes after it arrives otherwise
   */
  read(position: number, limit: number): MaybePromise<void> {
    const page = this.#takeAhead(position) ?? this.#read(position, this.version)
    if (isPromiseLike(page)) {
      return page.then((answer) => {
        this.#keep(answer, position, limit)
        if (this.#readsAhead && limit === Infinity && !this.atHead) this.#readAhead(answer.lastPosition)
      })
    }
    this.#keep(page, position, limit)
  }

  #takeAhead(position: number): PromiseLike<AllSlice> | undefined {
    const ahead = this.#ahead
    this.#ahead = undefined
    return ahead?.after === position ? ahead.page : undefined
  }

  #readAhead(after: number): void {
    let page: MaybePromise<AllSlice>
    try {
      page = this.#read(after, this.version)
    } catch {
      // It is read again, and fails again, where it is needed.
      return
    }
    if (!isPromiseLike(page)) return
    // Whoever takes it is told of its failure; it may be that nobody does.
    page.then(undefined, () => undefined)
    this.#ahead = { after, page }
  }

  #keep(page: AllSlice, position: number, limit: number): void {
    const { events, lastPosition, headPosition } = page
    if (lastPosition === position && position < limit && limit !== Infinity) {
      throw new StoreError(`position ${limit} was there, and now the last one is ${headPosition}`)
    }
    this.#page = lastPosition <= limit ? events : events.filter((event) => event.position <= limit)
    this.#next = 0
    this.#end = Math.min(lastPosition, limit)
    this.#head = headPosition
  }
}
