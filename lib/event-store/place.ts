import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { StoredEvent } from './stored-event.ts'

type Listed = readonly RecordedEvent[]

/**
 * How far a subscription is, to the event: upcasting may make several of a stored one, which are in hand together and are
 * handled one by one.
 */
export class Place {
  #position: number
  #index: number
  #list: Listed | undefined
  #current = 0
  #at = 0

  constructor(position: number, index: number) {
    this.#position = position
    this.#index = index
  }

  /** Every event up to here is handled, or of no interest. */
  get position(): number {
    return this.#list === undefined ? this.#position : this.#current - 1
  }

  /** How many of the events made of the stored one at `position + 1` are handled. */
  get index(): number {
    return this.#list === undefined ? this.#index : this.#at
  }

  get hasInHand(): boolean {
    return this.#list !== undefined
  }

  /** Takes in hand the events that were made of a stored one. */
  begin(stored: StoredEvent, list: Listed): void {
    this.#at = stored.position === this.#position + 1 ? this.#index : 0
    this.#current = stored.position
    this.#list = list
  }

  /** The next event of those in hand that is wanted; the others are passed over. */
  next(types: ReadonlySet<string> | undefined): RecordedEvent | undefined {
    const list = this.#list
    if (list === undefined) return undefined
    for (; this.#at < list.length; this.#at++) {
      const event = list[this.#at]
      if (event !== undefined && (types === undefined || types.has(event.type))) return event
    }
    return undefined
  }

  /** What `next` gave is handled. */
  handled(): void {
    this.#at++
  }

  /** All that was in hand is handled. */
  finish(): void {
    this.#list = undefined
    this.moveTo(this.#current)
  }

  /** Everything up to a position is handled. False where that is known already. */
  moveTo(position: number): boolean {
    if (position <= this.#position) return false
    this.#position = position
    this.#index = 0
    return true
  }
}
