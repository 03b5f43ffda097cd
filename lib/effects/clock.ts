/** The longest that platforms' timers can count, in milliseconds; a longer wait would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The door through which time comes in. Order never depends on it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** Calls back after a number of milliseconds; the handle goes to `clearTimeout`. */
  setTimeout(callback: () => void, milliseconds: number): unknown
  clearTimeout(handle: unknown): void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (handle) => {
    clearTimeout(handle as ReturnType<typeof setTimeout>)
  },
}
