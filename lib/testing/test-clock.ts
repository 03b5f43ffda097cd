import type { Clock } from '../effects/clock.ts'
import { Fairness } from '../effects/fairness.ts'

interface Timer {
  /** By the passing of time, which `set` does not touch. */
  readonly at: number
  readonly callback: () => void
}

/** A clock that a test holds: time passes only when the test says so. */
export interface TestClock extends Clock {
  /** Milliseconds that have passed since the clock was made. */
  monotonic(): number
  /** How many timers wait. */
  readonly timers: number
  /** Milliseconds until the next timer; undefined where none waits. */
  readonly next: number | undefined
  /**
   * Lets time pass. Timers fire in the order in which they are due, each at its own time; between two of them, and at the end, what was
   * set going has its turn. What waits for something beside the clock (a database, say) may need to be awaited by itself.
   */
  advance(milliseconds: number): Promise<void>
  /** Puts the clock to another time, as one puts a machine's clock forward or back: no time passes, and no timer fires. */
  set(time: Date | number | string): void
}

const START = '2026-01-01T00:00:00Z'
/** Turns of the event loop between two timers: what one of them sets going may go on after some of its own. */
const TURNS = 3

/**
 * Makes a clock that stands still until a test lets time pass, for the `clock` of an application.
 *
 * @example
 * import { testClock } from 'edict/testing'
 *
 * const clock = testClock('2026-01-01T09:00:00Z')
 * const bank = application({ name: 'bank', router: bankRouter, eventStore: inMemoryEventStore({ clock }), clock })
 * await clock.advance(60_000)
 *
 * @param start @default 2026-01-01T00:00:00Z
 * @throws RangeError where `start` is no time
 */
export function testClock(start: Date | number | string = START): TestClock {
  return new HeldClock(start)
}

/** The body of `testClock`. */
export class HeldClock implements TestClock {
  #passed = 0
  /** What `now` is ahead of the time that has passed. */
  #offset: number
  #last = 0
  readonly #timers = new Map<number, Timer>()
  readonly #fairness = new Fairness()

  constructor(start: Date | number | string) {
    this.#offset = timeOf(start)
  }

  now(): number {
    return this.#offset + this.#passed
  }

  monotonic(): number {
    return this.#passed
  }

  setTimeout(callback: () => void, milliseconds: number): number {
    this.#timers.set(++this.#last, { at: this.#passed + Math.max(0, milliseconds), callback })
    return this.#last
  }

  clearTimeout(handle: unknown): void {
    // It is asked for what it gave, or for nothing at all.
    this.#timers.delete(handle as number)
  }

  get timers(): number {
    return this.#timers.size
  }

  get next(): number | undefined {
    const next = this.#due(Infinity)
    return next && next.timer.at - this.#passed
  }

  async advance(milliseconds: number): Promise<void> {
    if (!(milliseconds >= 0) || milliseconds === Infinity) {
      throw new RangeError(`advance: time passes by a number of milliseconds, not by ${milliseconds}`)
    }
    const end = this.#passed + milliseconds
    for (;;) {
      await this.#settle()
      const due = this.#due(end)
      if (due === undefined) break
      this.#timers.delete(due.handle)
      this.#passed = Math.max(this.#passed, due.timer.at)
      due.timer.callback()
    }
    this.#passed = Math.max(this.#passed, end)
    await this.#settle()
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await this.#fairness.turn()
  }

  /** The first timer up to a time; of two of one time, the one that was set first. */
  #due(end: number): { readonly handle: number; readonly timer: Timer } | undefined {
    let first: { readonly handle: number; readonly timer: Timer } | undefined
    for (const [handle, timer] of this.#timers) {
      if (timer.at <= end && (first === undefined || timer.at < first.timer.at)) first = { handle, timer }
    }
    return first
  }

  set(time: Date | number | string): void {
    this.#offset = timeOf(time) - this.#passed
  }
}

function timeOf(time: Date | number | string): number {
  const milliseconds = new Date(time).getTime()
  if (Number.isNaN(milliseconds)) throw new RangeError(`a clock cannot stand at ${String(time)}`)
  return milliseconds
}
