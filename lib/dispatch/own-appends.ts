/** More gaps than this are forgotten: what lies beyond them is then read, which costs time and nothing else. */
const MOST_RANGES = 1_000

/**
 * How far the positions of a store are accounted for without a gap: by what this node appended, and by what it has read. Positions are
 * contiguous, so that a node that writes alone need not read a single event to know that nobody else wrote one.
 */
export class OwnAppends {
  #position = 0
  /** Own appends beyond a gap: from the first position to the last. */
  readonly #ahead = new Map<number, number>()

  /** Every position up to here is accounted for. */
  get position(): number {
    return this.#position
  }

  /** This node appended these positions, both inclusive. */
  note(first: number, last: number): void {
    if (first === this.#position + 1) this.advanceTo(last)
    else if (first > this.#position && this.#ahead.size < MOST_RANGES) this.#ahead.set(first, last)
  }

  /** Everything up to a position has been looked at. */
  advanceTo(position: number): void {
    if (position <= this.#position) return
    this.#position = position
    let joined = this.#ahead.size > 0
    while (joined) {
      joined = false
      for (const [first, last] of this.#ahead) {
        if (first > this.#position + 1) continue
        this.#ahead.delete(first)
        if (last <= this.#position) continue
        this.#position = last
        joined = true
      }
    }
  }
}
