import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { StoreError } from '../errors.ts'
import type { AllSlice } from './event-store.ts'
import type { StoredEvent } from './stored-event.ts'
import type { ReadPage } from './subscription-page.ts'

/** What a subscription reads from the store while it catches up: one page at a time, and the next when that is through. */
export class Backlog {
  readonly #read: ReadPage
  #page: readonly StoredEvent[] = []
  #next = 0
  #end: number
  #head = Infinity
  /** The last version that was begun with; for one that follows a single stream. */
  version = 0

  constructor(read: ReadPage, startAfter: number) {
    this.#read = read
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
    const page = this.#read(position, this.version)
    if (isPromiseLike(page)) {
      return page.then((answer) => {
        this.#keep(answer, position, limit)
      })
    }
    this.#keep(page, position, limit)
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
