const done = Promise.resolve()

/** How long one piece of synchronous work may hold the event loop, in milliseconds. */
const SLICE_MS = 10

/** A line that never runs empty still has to let go of those who were served. */
const COMPACT_AT = 1_024

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
  /** Those who stand in line, in the order in which they came. */
  #line: (() => void)[] = []
  /** How many of them, from the front, have been served. */
  #served = 0
  #serving = false

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

  /** As `turnDue`, for work that must not overtake what stands in line. */
  lineDue(now?: number): boolean {
    return this.#serving || this.turnDue(now)
  }

  /**
   * Waits until it is the caller's turn, which then goes on without asking again. Each turn of the event loop serves as many as a
   * slice has time for: were all who wait woken each time, to send most of them back would take longer than the work.
   */
  inLine(): Promise<void> {
    return new Promise((resolve) => {
      this.#line.push(resolve)
      if (!this.#serving) void this.#serve()
    })
  }

  async #serve(): Promise<void> {
    this.#serving = true
    do {
      await this.turn()
      // The others who waited for this turn have a slice of their own.
      const begun = Date.now()
      for (let held = 0; held >= 0 && held <= SLICE_MS; held = Date.now() - begun) {
        const begin = this.#next()
        if (begin === undefined) break
        begin()
        // Whoever was called goes on now.
        await done
      }
    } while (this.#served < this.#line.length)
    this.#line = []
    this.#served = 0
    this.#serving = false
  }

  #next(): (() => void) | undefined {
    const begin = this.#line[this.#served++]
    if (this.#served >= COMPACT_AT && this.#served * 2 >= this.#line.length) {
      this.#line.splice(0, this.#served)
      this.#served = 0
    }
    return begin
  }
}
