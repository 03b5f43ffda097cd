/** The turn of a command among those of its aggregate. */
export interface DispatchTurn {
  /** Undefined where it is there. */
  readonly comes: Promise<void> | undefined
  /** Lets the next one in; it may be called before the turn has come. */
  leave(): void
}

/**
 * Lets commands of one aggregate run one after another, as its mailbox does for those that no workflow follows: side by side, all but one
 * of them would meet a conflict, time and again.
 */
export class DispatchTurns {
  readonly #last = new Map<string, Promise<void>>()

  take(aggregate: string): DispatchTurn {
    const comes = this.#last.get(aggregate)
    let leave: () => void = () => undefined
    const over = new Promise<void>((resolve) => {
      leave = resolve
    })
    const last = comes === undefined ? over : comes.then(() => over)
    this.#last.set(aggregate, last)
    void last.then(() => {
      if (this.#last.get(aggregate) === last) this.#last.delete(aggregate)
    })
    return { comes, leave }
  }
}
