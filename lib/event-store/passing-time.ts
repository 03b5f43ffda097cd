import type { Clock } from '../effects/clock.ts'

/** A moment, as a clock that can be put back and one that cannot tell it. */
export interface Moment {
  readonly now: number
  readonly monotonic: number
}

/**
 * How much time has passed. The monotonic clock stands still while a machine sleeps, and the other one may be put back: the longer
 * of the two is taken, since who trusts too long in a lease has a rival.
 */
export class PassingTime {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  moment(): Moment {
    return { now: this.#clock.now(), monotonic: this.#clock.monotonic?.() ?? 0 }
  }

  /** Milliseconds. */
  since({ now, monotonic }: Moment): number {
    return Math.max(this.#clock.now() - now, (this.#clock.monotonic?.() ?? 0) - monotonic)
  }
}
