/** Numbers that look random and are the same for a seed, in every run on every machine: a failure can be made again. */
export class SeededRandom {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** A whole number from 0 on, below the limit. */
  below(limit: number): number {
    // Mulberry32: small, and random enough to mix a few calls.
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0]
  }

  /** True in so many of a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent
  }
}
