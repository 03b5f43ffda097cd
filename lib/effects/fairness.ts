/** How long one piece of synchronous work may hold the event loop, in milliseconds. */
const SLICE_MS = 10

interface WebPlatform {
  readonly setImmediate?: (callback: () => void) => unknown
}

/** Waits for the event loop to turn once: timers, signals and sockets get their go. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    // Node and Bun have setImmediate, which comes after sockets and does not wait for a timer's millisecond.
    const immediate = (globalThis as WebPlatform).setImmediate
    if (immediate) immediate(resolve)
    else setTimeout(resolve, 0)
  })
}

/**
 * Sees to it that a loop of work that never has to wait (dispatches in memory, a handler catching up) does not starve the
 * process. This is the one place that reads the time past the application's clock: a clock that a test holds still must not
 * hold the event loop still too.
 */
export class Fairness {
  #sliceStart = Date.now()
  #turn: Promise<void> | undefined

  /**
   * Whether the work should await `turn()` before its next step. Call it once a step.
   *
   * @param now milliseconds of the machine's clock, where the caller has just read it: reading it is most of the cost
   */
  turnDue(now: number = Date.now()): boolean {
    if (this.#turn) return true
    const held = now - this.#sliceStart
    // Negative where the machine's clock was set back.
    return held > SLICE_MS || held < 0
  }

  /** One turn of the event loop, shared by all who wait for it. */
  turn(): Promise<void> {
    this.#turn ??= eventLoopTurn().then(() => {
      this.#turn = undefined
      this.#sliceStart = Date.now()
    })
    return this.#turn
  }
}
