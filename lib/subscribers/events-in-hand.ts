import type { ReachedPlace } from '../event-store/reached-place.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'

/** An event that was taken, until all whom it concerns have handled it. */
export class HeldEvent {
  readonly position: number
  readonly index: number
  /** For how many it is still to be handled. */
  open: number
  next: HeldEvent | undefined

  constructor({ position, index }: RecordedEvent, open: number) {
    this.position = position
    this.index = index
    this.open = open
  }
}

/** The events that are handled side by side, in the order in which they were taken: the first that is not through is the low-water mark. */
export class EventsInHand {
  #first: HeldEvent | undefined
  #last: HeldEvent | undefined
  #size = 0

  /** From the first one that is not through to the last that was taken. */
  get size(): number {
    return this.#size
  }

  /** The place before the first event that is not through. */
  get place(): ReachedPlace | undefined {
    return this.#first && { position: this.#first.position - 1, index: this.#first.index }
  }

  take(event: RecordedEvent, open: number): HeldEvent {
    const held = new HeldEvent(event, open)
    if (this.#last === undefined) this.#first = held
    else this.#last.next = held
    this.#last = held
    this.#size++
    return held
  }

  /** One of those whom it concerns has handled it. Whether the place has moved. */
  handled(held: HeldEvent): boolean {
    held.open--
    if (held.open > 0 || held !== this.#first) return false
    while (this.#first !== undefined && this.#first.open === 0) {
      this.#first = this.#first.next
      this.#size--
    }
    if (this.#first === undefined) this.#last = undefined
    return true
  }

  clear(): void {
    this.#first = this.#last = undefined
    this.#size = 0
  }
}
