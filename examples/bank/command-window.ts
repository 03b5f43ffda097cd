/**
 * How many commands are under way at a time. A store that is asked for many commits at once makes them together, and the disk
 * is waited for once; a command that waited for the one before would have a commit to itself.
 */
const WIDTH = 256

/** Keeps a bounded number of commands under way, begun in order. */
export class CommandWindow {
  readonly #underWay = new Set<Promise<void>>()
  #failure: { readonly cause: unknown } | undefined

  /** Begins a command when there is room for it. Rejects with what an earlier one failed with. */
  async begin(run: () => Promise<void>): Promise<void> {
    if (this.#underWay.size >= WIDTH) await Promise.race(this.#underWay)
    this.#throwFailure()
    const running: Promise<void> = run()
      .catch((cause: unknown) => {
        this.#failure ??= { cause }
      })
      .finally(() => this.#underWay.delete(running))
    this.#underWay.add(running)
  }

  /** Resolves when all that was begun has ended. */
  async end(): Promise<void> {
    await Promise.all(this.#underWay)
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.cause
  }
}
