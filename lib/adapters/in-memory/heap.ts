/** Gives the least first. */
export class Heap<Item> {
  readonly #items: Item[] = []
  readonly #rank: (item: Item) => number

  constructor(rank: (item: Item) => number) {
    this.#rank = rank
  }

  get first(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    const items = this.#items
    const rank = this.#rank(item)
    let at = items.length
    while (at > 0) {
      const above = (at - 1) >>> 1
      const parent = items[above] as Item
      if (this.#rank(parent) <= rank) break
      items[at] = parent
      at = above
    }
    items[at] = item
  }

  pop(): Item | undefined {
    const items = this.#items
    const [first] = items
    const last = items.pop()
    if (items.length > 0 && last !== undefined) this.#sink(last)
    return first
  }

  #sink(item: Item): void {
    const items = this.#items
    const rank = this.#rank(item)
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      if (below + 1 < items.length && this.#rankAt(below + 1) < this.#rankAt(below)) below++
      if (this.#rankAt(below) >= rank) break
      items[at] = items[below] as Item
      at = below
    }
    items[at] = item
  }

  #rankAt(at: number): number {
    return this.#rank(this.#items[at] as Item)
  }
}
