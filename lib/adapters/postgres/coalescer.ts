import { CommitTurns } from './commit-turns.ts'

/** A call whose items are sent together. */
interface WaitingCall<Item, Answer> {
  readonly items: readonly Item[]
  readonly resolve: (answers: readonly Answer[]) => void
  readonly reject: (reason: unknown) => void
}

export interface CoalescerOptions<Item, Answer> {
  /** Sends what one statement can carry; gives an answer for each. */
  readonly send: (items: readonly Item[]) => Promise<readonly Answer[]>
  /** Whether a failure is that of one item among several, so that the others may still go through. */
  readonly isOfOne: (thrown: unknown) => boolean
  /** No two items of the same text go in one batch. */
  readonly keyOf: (item: Item) => string
  /** How much of a batch's room an item takes. */
  readonly sizeOf: (item: Item) => number
  /** At most so many items in a batch, and of such a size together, unless one call has more of them. */
  readonly most: { readonly items: number; readonly size: number }
}

/** Group commit for calls whose items are sent as one list. */
export class Coalescer<Item, Answer> {
  readonly #options: CoalescerOptions<Item, Answer>
  #waiting: WaitingCall<Item, Answer>[] = []
  readonly #turns: CommitTurns

  constructor(options: CoalescerOptions<Item, Answer>) {
    this.#options = options
    this.#turns = new CommitTurns({
      waiting: () => this.#waiting.length,
      send: () => this.#send(this.#takeBatch()),
    })
  }

  add(items: readonly Item[]): Promise<readonly Answer[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, resolve, reject })
      this.#turns.come()
    })
  }

  /** Resolves when every call has been answered. */
  end(): Promise<void> {
    return this.#turns.idle()
  }

  /** In the order in which they came: none is overtaken. */
  #takeBatch(): readonly WaitingCall<Item, Answer>[] {
    const { keyOf, sizeOf, most } = this.#options
    const keys = new Set<string>()
    let calls = 0
    let items = 0
    let size = 0
    for (const call of this.#waiting) {
      items += call.items.length
      for (const item of call.items) size += sizeOf(item)
      const isFull = items > most.items || size > most.size
      if (calls > 0 && (isFull || call.items.some((item) => keys.has(keyOf(item))))) break
      for (const item of call.items) keys.add(keyOf(item))
      calls++
    }
    return this.#waiting.splice(0, calls)
  }

  /** Never rejects: gives what tells each call what became of it. */
  async #send(calls: readonly WaitingCall<Item, Answer>[]): Promise<readonly (() => void)[]> {
    let answers: readonly Answer[]
    try {
      answers = await this.#options.send(calls.flatMap(({ items }) => items))
    } catch (thrown) {
      if (calls.length === 1 || !this.#options.isOfOne(thrown)) return calls.map((call) => () => call.reject(thrown))
      const told: (() => void)[] = []
      for (const call of calls) told.push(...(await this.#send([call])))
      return told
    }
    let first = 0
    return calls.map(({ items, resolve }) => {
      const own = answers.slice(first, (first += items.length))
      return () => resolve(own)
    })
  }
}
