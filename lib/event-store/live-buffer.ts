import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { StoredEvent } from './stored-event.ts'

interface Buffered {
  readonly stored: StoredEvent
  readonly list: readonly RecordedEvent[]
}

/** What came live while the listener was busy: first in, first out, bounded. */
export class LiveBuffer {
  readonly #limit: number
  #items: Buffered[] = []
  #first = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** False, and nothing is kept, where it is full. */
  add(stored: StoredEvent, list: readonly RecordedEvent[]): boolean {
    if (this.#items.length - this.#first >= this.#limit) return false
    this.#items.push({ stored, list })
    return true
  }

  shift(): Buffered | undefined {
    const item = this.#items[this.#first]
    if (item === undefined) return undefined
    this.#first++
    if (this.#first === this.#items.length) this.clear()
    else if (this.#first >= this.#limit) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
    return item
  }

  clear(): void {
    if (this.#items.length > 0) this.#items = []
    this.#first = 0
  }
}
