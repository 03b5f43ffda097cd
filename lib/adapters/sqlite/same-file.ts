import { statSync } from 'node:fs'
import { StoreError } from '../../errors.ts'

/** Milliseconds between two looks: one costs little, though not nothing beside a commit. */
const LOOK_EVERY_MS = 10

/**
 * Whether a path still leads to the file that was opened, and to the log beside it. Where one was removed, or another one was put in
 * its place, the system lets who has it open go on, and what they write is gone once they end.
 */
export class SameFile {
  readonly #path: string
  readonly #file: string | undefined
  /** There from the first transaction on, until the last one that has the file open closes it. */
  #log: string | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(path: string) {
    this.#path = path
    this.#file = identityOf(path)
    this.#log = identityOf(logOf(path))
  }

  /**
   * To be called within a transaction.
   *
   * @throws {StoreError} `store_failed` where it is another file, or none, as far as it was looked at lately
   */
  check(): void {
    const now = performance.now()
    if (now - this.#lookedAt < LOOK_EVERY_MS) return
    const log = identityOf(logOf(this.#path))
    if (identityOf(this.#path) !== this.#file || (this.#log ??= log) !== log) {
      throw new StoreError(
        `the sqlite event store ${this.#path}: the file, or the log beside it (-wal), was removed or replaced while it was open, and ` +
          'what is written now would be lost: stop every process that has it open, put the files right, and start them again',
      )
    }
    this.#lookedAt = now
  }
}

function logOf(path: string): string {
  return `${path}-wal`
}

/** Undefined where there is no such file. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}
