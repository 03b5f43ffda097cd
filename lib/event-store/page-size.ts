import type { StoredEvent } from './stored-event.ts'

/** So many events are asked for at first. */
const FIRST = 500
/** Characters, or bytes, of data that a page may have and the next one be larger. */
const LIGHT = 500_000
/** Those above which the next page is to be smaller. */
const HEAVY = 4_000_000

/**
 * How many events a reader asks for at once: more while pages are full and light, since each question has its price, and fewer where
 * their data is heavy, so that a page costs bounded memory.
 */
export class PageSize {
  readonly #most: number
  #count: number

  constructor(most: number) {
    this.#most = most
    this.#count = Math.min(FIRST, most)
  }

  get count(): number {
    return this.#count
  }

  /** Learns from a page that was asked for. */
  learn(events: readonly StoredEvent[]): void {
    const weight = weightOf(events)
    if (weight > HEAVY) this.#count = Math.max(1, Math.floor(events.length / 2))
    else if (weight < LIGHT && events.length >= this.#count) this.#count = Math.min(this.#most, this.#count * 2)
  }
}

function weightOf(events: readonly StoredEvent[]): number {
  let weight = 0
  for (const { data } of events) {
    // A store that keeps values has no copy of them to give.
    if (typeof data === 'string' || data instanceof Uint8Array) weight += data.length
  }
  return weight
}
