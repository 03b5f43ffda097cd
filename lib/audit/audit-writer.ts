import { backoffDelay, type Backoff } from '../effects/backoff.ts'
import { idleTimer, type Clock } from '../effects/clock.ts'
import { systemRandom } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import type { AuditEntry } from './audit-entry.ts'
import type { AuditStore } from './audit-store.ts'

export interface AuditWriterOptions {
  readonly store: Pick<AuditStore, 'name' | 'write'>
  /** Called before each write. */
  readonly opened: () => Promise<void>
  /** Milliseconds that an entry may wait for others. */
  readonly writeDelay: number
  /** How many entries may wait for a store that does not answer; the oldest give way. */
  readonly bufferLimit: number
  readonly clock: () => Clock
  readonly logger: () => Logger
}

/** So many are not kept waiting for more. */
const BATCH = 500
const RETRY: Backoff = { base: 250, longest: 30_000 }

/** Writes entries in batches, off the way of the commands, in their order, and again where the store fails. */
export class AuditWriter {
  readonly #options: AuditWriterOptions
  /** What is not written yet, by its id: only the latest of each is. */
  readonly #waiting = new Map<string, AuditEntry>()
  /** The batch that is being written; it never rejects. */
  #writing: Promise<unknown> = Promise.resolve()
  /** The batch after that one, where it was asked for. */
  #next: Promise<{ readonly error: unknown } | undefined> | undefined
  #cancelTimer: (() => void) | undefined
  #failures = 0
  #lost = 0

  constructor(options: AuditWriterOptions) {
    this.#options = options
  }

  add(entry: AuditEntry): void {
    this.#waiting.set(entry.entryId, entry)
    this.#bound()
    if (this.#failures === 0 && this.#waiting.size >= BATCH) void this.#write()
    else this.#writeLater(this.#options.writeDelay)
  }

  /** Done when all that was added is written. Rejects with the store's failure; it is tried again all the same. */
  async flush(): Promise<void> {
    if (this.#waiting.size === 0 && this.#next === undefined) {
      await this.#writing
      return
    }
    const failure = await this.#write()
    if (failure !== undefined) throw failure.error
  }

  #writeLater(milliseconds: number): void {
    if (this.#cancelTimer !== undefined) return
    this.#cancelTimer = idleTimer(this.#options.clock(), milliseconds, () => {
      this.#cancelTimer = undefined
      void this.#write()
    })
  }

  /** The batch that has not begun yet: those who ask meanwhile share it. */
  #write(): Promise<{ readonly error: unknown } | undefined> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined
      const batch = this.#writeBatch()
      this.#writing = batch
      return batch
    })
    return this.#next
  }

  async #writeBatch(): Promise<{ readonly error: unknown } | undefined> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const { store, opened } = this.#options
    try {
      await opened()
      const batch = [...this.#waiting.values()]
      if (batch.length > 0) await store.write(batch)
      for (const entry of batch) {
        // A later word on the same command may have come meanwhile.
        if (this.#waiting.get(entry.entryId) === entry) this.#waiting.delete(entry.entryId)
      }
      this.#failures = 0
      if (this.#waiting.size > 0) this.#writeLater(this.#options.writeDelay)
      return undefined
    } catch (error) {
      this.#failures++
      const delay = backoffDelay(RETRY, this.#failures, systemRandom)
      const what = `the audit trail cannot be written, and is tried again in ${Math.round(delay)} ms`
      this.#options.logger().error({ err: error, store: store.name, waiting: this.#waiting.size }, what)
      this.#writeLater(delay)
      return { error }
    }
  }

  #bound(): void {
    const { bufferLimit, store, logger } = this.#options
    if (this.#waiting.size <= bufferLimit) return
    const [oldest] = this.#waiting.keys()
    if (oldest !== undefined) this.#waiting.delete(oldest)
    // Once for each thousand: whoever loses entries has enough to read.
    if (this.#lost++ % 1_000 > 0) return
    logger().error(
      { store: store.name, lost: this.#lost },
      'the audit trail cannot be written, and loses its oldest entries',
    )
  }
}
