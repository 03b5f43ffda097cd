import { idleTimer, type Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import type { EventStore } from './event-store.ts'

/** The wake-ups of a store, with a poll behind them: a wake-up that is lost delays, and never loses. */
export class StoreWatch {
  readonly #store: EventStore
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #interval: number
  readonly #wake: (headPosition: number | undefined) => void
  readonly #look: () => void
  #endWatch: (() => void) | undefined
  #cancelPoll: (() => void) | undefined

  /** `interval` is in milliseconds; `wake` is given the head position if it is known, `look` is called by the poll. */
  constructor(
    sources: { readonly store: EventStore; readonly clock: Clock; readonly logger: Logger },
    interval: number,
    wake: (headPosition: number | undefined) => void,
    look: () => void,
  ) {
    this.#store = sources.store
    this.#clock = sources.clock
    this.#logger = sources.logger
    this.#interval = interval
    this.#wake = wake
    this.#look = look
  }

  start(): void {
    this.#watch()
    this.#arm()
  }

  stop(): void {
    this.#endWatch?.()
    this.#endWatch = undefined
    this.#cancelPoll?.()
    this.#cancelPoll = undefined
  }

  #watch(): void {
    try {
      this.#endWatch ??= this.#store.watch(this.#wake)
    } catch (error) {
      this.#logger.warn({ store: this.#store.name, error }, 'the event store cannot be watched; it is polled instead')
    }
  }

  #arm(): void {
    this.#cancelPoll = idleTimer(this.#clock, this.#interval, () => {
      this.#arm()
      this.#watch()
      this.#look()
    })
  }
}
