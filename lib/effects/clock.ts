/** The longest that platforms' timers can count, in milliseconds; a longer wait would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The door through which time comes in. Order never depends on it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** Milliseconds since any moment, which nobody puts forward or back. Where it is missing, the passing of time is that of `now`. */
  monotonic?(): number
  /** Calls back after a number of milliseconds; the handle goes to `clearTimeout`. */
  setTimeout(callback: () => void, milliseconds: number): unknown
  clearTimeout(handle: unknown): void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (handle) => {
    clearTimeout(handle as ReturnType<typeof setTimeout>)
  },
}

/**
 * Calls back after any number of milliseconds, also of more than one timer can count; never, after `Infinity`. Gives what takes it
 * back.
 */
export function callLater(clock: Clock, milliseconds: number, callback: () => void): () => void {
  let handle: unknown
  const wait = (left: number): void => {
    const now = Math.min(left, LONGEST_TIMER_MS)
    handle = clock.setTimeout(() => {
      if (left > now) wait(left - now)
      else callback()
    }, now)
  }
  wait(milliseconds)
  return () => {
    clock.clearTimeout(handle)
  }
}

/** What some work gives. Until then the process stays alive, though all that would go on with the work may be idle timers. */
export async function stayingAlive<Value>(clock: Clock, work: Promise<Value>): Promise<Value> {
  const letGo = callLater(clock, Infinity, () => undefined)
  try {
    return await work
  } finally {
    letGo()
  }
}

/** As `callLater`, for what must not keep a process alive by itself; what is more than a timer can count comes early. */
export function idleTimer(clock: Clock, milliseconds: number, callback: () => void): () => void {
  const handle = clock.setTimeout(callback, Math.min(milliseconds, LONGEST_TIMER_MS))
  ;(handle as { readonly unref?: () => void } | undefined)?.unref?.()
  return () => {
    clock.clearTimeout(handle)
  }
}

/** Resolves after any number of milliseconds. */
export function pause(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => void callLater(clock, milliseconds, resolve))
}
