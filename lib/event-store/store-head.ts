import { afterwards, type MaybePromise } from '../effects/maybe-promise.ts'
import type { EventStore } from './event-store.ts'

/** The position of the store's last event, as far as it is known here: asked for only where something is said to be further. */
export class StoreHead {
  readonly #store: Pick<EventStore, 'headPosition'>
  #known = 0

  constructor(store: Pick<EventStore, 'headPosition'>) {
    this.#store = store
  }

  /** There are events up to here, at least. */
  get known(): number {
    return this.#known
  }

  /** Asks the store where one of the places is further than what is known. Then none is beyond what it gives, unless it is nowhere. */
  cover(places: readonly { readonly position: number }[]): MaybePromise<number> {
    if (places.every(({ position }) => position <= this.#known)) return this.#known
    return afterwards(this.#store.headPosition(), (head) => (this.#known = Math.max(this.#known, head)))
  }
}
