import { setImmediate } from 'node:timers'

export interface CommitTurnsOptions {
  /** How many calls wait. */
  readonly waiting: () => number
  /** Sends the next batch. Never rejects: gives what tells each of its calls what became of it. */
  readonly send: () => Promise<readonly (() => void)[]>
}

/**
 * The turns of a group commit: a call that finds nothing under way goes at once; those that come while a batch is under way go
 * together as the next, in one statement and one commit.
 */
export class CommitTurns {
  readonly #options: CommitTurnsOptions
  #underWay = false
  readonly #idle: (() => void)[] = []

  constructor(options: CommitTurnsOptions) {
    this.#options = options
  }

  /** To be called when there is one more that waits. */
  come(): void {
    if (!this.#underWay) void this.#next()
  }

  /** Resolves when every call has been answered. */
  async idle(): Promise<void> {
    if (this.#underWay) await new Promise<void>((resolve) => void this.#idle.push(resolve))
  }

  async #next(): Promise<void> {
    this.#underWay = true
    const answers = await this.#options.send()
    // The caller of a lone append may come again at once, and then finds nothing under way. Of many that are answered now each gets
    // time to come again, so that they go together. One turn of the event loop would not do: an application that gives way to others
    // comes in the turn after, and whoever came first would go alone, with all others waiting for that commit.
    if (answers.length === 1 && this.#options.waiting() === 0) this.#end()
    else setImmediate(() => setImmediate(() => this.#goOn()))
    for (const answer of answers) answer()
  }

  #goOn(): void {
    if (this.#options.waiting() === 0) this.#end()
    else void this.#next()
  }

  #end(): void {
    this.#underWay = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
