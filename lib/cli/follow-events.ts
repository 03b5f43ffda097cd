import type { EventStore, ReadAllOptions } from '../event-store/event-store.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'

/** Milliseconds after which it looks again without having been woken. */
const LOOK_AGAIN = 1_000

/** Every event from a position on that passes a filter, as they are appended, without an end. */
export async function* followEvents(
  store: EventStore,
  fromPosition: number,
  filter: ReadAllOptions,
): AsyncGenerator<StoredEvent, never, undefined> {
  const bell = new Bell()
  const stopWatching = store.watch(() => {
    bell.ring()
  })
  try {
    for (let next = fromPosition; ;) {
      bell.silence()
      const { events, lastPosition, headPosition } = await store.readAll({ ...filter, fromPosition: next })
      yield* events
      next = Math.max(next, lastPosition + 1)
      if (next > headPosition) await bell.rung(LOOK_AGAIN)
    }
  } finally {
    stopWatching()
  }
}

/** An append may come between a look and the wait for the next one. */
class Bell {
  #hasRung = false
  #heard: () => void = () => undefined

  ring(): void {
    this.#hasRung = true
    this.#heard()
  }

  silence(): void {
    this.#hasRung = false
  }

  /** Resolves when it rings, at once where it has since it was silenced, or after so many milliseconds. */
  rung(milliseconds: number): Promise<void> {
    if (this.#hasRung) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#heard = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
