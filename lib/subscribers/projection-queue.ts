import type { ReachedPlace } from '../event-store/reached-place.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'

/** Whether an event was handled by the time that a projection was at a place. */
export function isHandledAt(place: ReachedPlace, event: RecordedEvent): boolean {
  return event.position <= place.position || (event.position === place.position + 1 && event.index < place.index)
}

/** The events that were read and are not committed yet, in their order, and how far has been read. */
export class ProjectionQueue {
  #events: RecordedEvent[] = []
  #readPosition: number

  constructor(readPosition: number) {
    this.#readPosition = readPosition
  }

  get length(): number {
    return this.#events.length
  }

  /** Every event up to here has been in the queue, or is of no interest. */
  get readPosition(): number {
    return this.#readPosition
  }

  add(event: RecordedEvent): void {
    this.#events.push(event)
  }

  progressed(position: number): void {
    this.#readPosition = Math.max(this.#readPosition, position)
  }

  first(count: number): readonly RecordedEvent[] {
    return this.#events.slice(0, count)
  }

  /** Where the projection is once so many events are handled. */
  placeAfter(count: number): ReachedPlace {
    const last = this.#events[count - 1]
    const next = this.#events[count]
    if (next === undefined && (last === undefined || this.#readPosition >= last.position)) {
      return { position: this.#readPosition, index: 0 }
    }
    if (last === undefined) return { position: 0, index: 0 }
    // Upcasting made several events of a stored one, and there are more of them to come.
    if (next === undefined || next.position === last.position) {
      return { position: last.position - 1, index: last.index + 1 }
    }
    return { position: last.position, index: 0 }
  }

  drop(count: number): void {
    this.#events.splice(0, count)
  }
}
