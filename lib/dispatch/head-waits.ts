import { callLater, type Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { StoreWatch } from '../event-store/store-watch.ts'

/** Milliseconds between looks at the store behind its wake-ups. */
const POLL_INTERVAL = 500

interface HeadWait {
  readonly position: number
  readonly settle: (reached: boolean) => void
}

/** Waits for events that are yet to come, from whatever node. The store is watched only while somebody waits. */
export class HeadWaits {
  readonly #store: EventStore
  readonly #clock: Clock
  readonly #watch: StoreWatch
  readonly #waits = new Set<HeadWait>()
  #looking = false
  /** Something may have been committed since the look that is under way began. */
  #lookAgain = false

  constructor(sources: { readonly store: EventStore; readonly clock: Clock; readonly logger: Logger }) {
    this.#store = sources.store
    this.#clock = sources.clock
    const look = () => void this.#look()
    this.#watch = new StoreWatch(
      sources,
      POLL_INTERVAL,
      (head) => {
        if (head === undefined) look()
        else this.#reached(head)
      },
      look,
    )
  }

  /** Whether the store has an event at a position within so many milliseconds. */
  async reached(position: number, timeout: number): Promise<boolean> {
    if ((await this.#store.headPosition()) >= position) return true
    const { promise, settle } = settled()
    const wait = { position, settle }
    const cancel =
      timeout === Infinity
        ? undefined
        : callLater(this.#clock, timeout, () => {
            settle(false)
          })
    if (this.#waits.size === 0) this.#watch.start()
    this.#waits.add(wait)
    // What was committed before the watch began has woken nobody.
    void this.#look()
    const reached = await promise
    cancel?.()
    this.#waits.delete(wait)
    if (this.#waits.size === 0) this.#watch.stop()
    return reached
  }

  /** Whoever waits has waited in vain. */
  end(): void {
    for (const { settle } of this.#waits) settle(false)
  }

  async #look(): Promise<void> {
    this.#lookAgain = true
    if (this.#looking) return
    this.#looking = true
    try {
      while (this.#isToLook()) this.#reached(await this.#store.headPosition())
    } catch {
      // A store that does not answer is asked again by the poll, until the time of those who wait is over.
    } finally {
      this.#looking = false
    }
  }

  #isToLook(): boolean {
    const again = this.#lookAgain
    this.#lookAgain = false
    return again
  }

  #reached(head: number): void {
    for (const { position, settle } of this.#waits) if (position <= head) settle(true)
  }
}

function settled(): { readonly promise: Promise<boolean>; readonly settle: (reached: boolean) => void } {
  let settle: (reached: boolean) => void = () => undefined
  const promise = new Promise<boolean>((resolve) => {
    settle = resolve
  })
  return { promise, settle }
}
