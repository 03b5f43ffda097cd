import type { Database } from './database.ts'

/** Milliseconds between two notifications to other nodes: those in between are of no use, as readers read all there is. */
const NOTIFY_INTERVAL_MS = 10

/**
 * Tells those who listen on a channel, on other nodes. After a commit and not within it, where PostgreSQL would let all transactions of
 * all databases that notify commit one after another.
 */
export class Notifier {
  readonly #database: Database
  readonly #channel: string
  readonly #together: (before: string, next: string) => string
  #payload: string | undefined
  #notifying = false
  #closed = false

  /** `together`: what is sent instead of two payloads that come in one interval. */
  constructor(database: Database, channel: string, together: (before: string, next: string) => string) {
    this.#database = database
    this.#channel = channel
    this.#together = together
  }

  notify(payload: string): void {
    this.#payload = this.#payload === undefined ? payload : this.#together(this.#payload, payload)
    if (!this.#notifying) void this.#send()
  }

  async #send(): Promise<void> {
    this.#notifying = true
    while (this.#payload !== undefined && !this.#closed) {
      const payload = this.#payload
      this.#payload = undefined
      try {
        await this.#database.query('SELECT pg_notify($1, $2)', [this.#channel, payload])
      } catch {
        // The others poll.
      }
      await new Promise((resolve) => setTimeout(resolve, NOTIFY_INTERVAL_MS).unref())
    }
    this.#notifying = false
  }

  close(): void {
    this.#closed = true
  }
}
