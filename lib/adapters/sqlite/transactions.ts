import type BetterSqlite3 from 'better-sqlite3'
import type { Outcome } from '../../errors.ts'
import type { Database } from './driver.ts'
import { hasFailedBy, isBusy } from './failure.ts'

/** Begin, commit and roll back on one connection. */
export class Transactions {
  readonly #database: Database
  readonly #begin: BetterSqlite3.Statement
  readonly #commit: BetterSqlite3.Statement
  readonly #rollback: BetterSqlite3.Statement

  constructor(database: Database) {
    this.#database = database
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollback = database.prepare('ROLLBACK')
  }

  /** Takes the lock of the one writer that a file has. */
  begin(): void {
    // One that could not be rolled back when it failed must not be taken for the next.
    this.rollback()
    this.#begin.run()
  }

  commit(): void {
    this.#commit.run()
  }

  /** @returns whether nothing of the transaction is left */
  rollback(): boolean {
    // SQLite rolls back by itself when the disk is full or cannot be written.
    if (!this.#database.inTransaction) return true
    // The driver would refuse it while somebody has not read all that a query of theirs gives.
    this.#database.unsafeMode(true)
    try {
      this.#rollback.run()
      return true
    } catch {
      return false
    } finally {
      this.#database.unsafeMode(false)
    }
  }

  get isOpen(): boolean {
    return this.#database.inTransaction
  }

  /**
   * What became of a transaction whose commit failed. Where the log could not be brought to disk, all of it may stand in the log
   * nevertheless, and be found there after a crash.
   */
  outcomeOfFailedCommit(thrown: unknown, rolledBack: boolean): Outcome {
    const nothingWritten = isBusy(thrown) || hasFailedBy(thrown, 'SQLITE_FULL')
    return rolledBack && nothingWritten ? 'not-executed' : 'unknown'
  }
}
