import { setTimeout as pause } from 'node:timers/promises'
import { backoffDelay } from '../../effects/backoff.ts'
import { systemRandom } from '../../effects/ids.ts'
import { checkLibrary, loadDriver, type Database } from './driver.ts'
import { isBusy, storeFailure } from './failure.ts'
import { checkSchema, migrate } from './migrations.ts'
import type { CheckedOptions } from './options.ts'

/** Milliseconds that a write may block this thread while another process writes; longer waits are left to timers. */
const BLOCKING_WAIT_MS = 2
/** The same for a read, which waits only while another process repairs or closes the file. */
const LONGEST_READ_WAIT_MS = 1_000

/** Bytes of the log that stay on disk once all of it is in the file: after a burst, room is given back. */
const LOG_KEPT = 64 * 1_024 * 1_024

const RETRY = { base: 1, longest: 25 }

/** Milliseconds until the next try, after so many that found the file busy. */
export function busyDelay(failures: number): number {
  return backoffDelay(RETRY, failures, systemRandom)
}

/**
 * Two connections to one file: what a transaction on the one has not committed yet is never seen by the other.
 */
export interface Connections {
  readonly writing: Database
  readonly reading: Database
}

export interface OpenedConnections extends Connections {
  /** Another connection that writes, where the first one is closed. */
  readonly connectAgain: () => Database
}

/** Opens a file, makes it where it is not there, and brings its tables up to date. */
export async function openConnections(path: string, options: CheckedOptions): Promise<OpenedConnections> {
  const opened: Database[] = []
  try {
    const driver = await loadDriver()
    const { readOnly } = options
    const connect = (timeout: number) => {
      const database = new driver(path, { timeout, readonly: readOnly, fileMustExist: readOnly })
      opened.push(database)
      return database
    }
    const connectAgain = () => {
      const database = new driver(path, { timeout: BLOCKING_WAIT_MS, fileMustExist: true })
      prepareWrites(database, options)
      return database
    }
    const writing = connect(BLOCKING_WAIT_MS)
    await retryWhileBusy(options.busyTimeout, () => {
      checkLibrary(writing)
      prepareFile(writing, path, options)
    })
    const reading = connect(Math.min(options.busyTimeout, LONGEST_READ_WAIT_MS))
    reading.pragma('query_only = ON')
    return { writing, reading, connectAgain }
  } catch (thrown) {
    for (const database of opened) database.close()
    throw storeFailure(path, thrown)
  }
}

function prepareFile(database: Database, path: string, options: CheckedOptions): void {
  const { readOnly } = options
  const outdated = checkSchema(database, path, readOnly)
  if (readOnly) return
  database.pragma('journal_mode = WAL')
  prepareWrites(database, options)
  if (outdated) migrate(database, path)
  // SQLite opens what it may not write without a word: this asks for the lock of a writer.
  else database.exec('BEGIN IMMEDIATE; ROLLBACK')
}

/** What a connection forgets when it is closed. */
function prepareWrites(database: Database, { synchronous }: CheckedOptions): void {
  database.pragma(`synchronous = ${synchronous}`)
  database.pragma(`journal_size_limit = ${LOG_KEPT}`)
  if (synchronous === 'full') {
    // On macOS a plain fsync leaves the data in the drive's cache; elsewhere these two mean nothing.
    database.pragma('fullfsync = ON')
    database.pragma('checkpoint_fullfsync = ON')
  }
}

async function retryWhileBusy(busyTimeout: number, work: () => void): Promise<void> {
  const deadline = Date.now() + busyTimeout
  for (let failures = 1; ; failures++) {
    try {
      work()
      return
    } catch (thrown) {
      if (!isBusy(thrown) || Date.now() >= deadline) throw thrown
    }
    await pause(busyDelay(failures))
  }
}

/** Brings the log into the file, so that the file is whole by itself, and lets go of it. */
export function closeConnections({ writing, reading }: Connections, readOnly: boolean): void {
  reading.close()
  try {
    // Where others still have the file open, what they need of the log stays; nothing is lost either way.
    if (!readOnly) writing.pragma('wal_checkpoint(TRUNCATE)')
  } catch {
    // The log is there at the next open: to close must not fail for it.
  }
  writing.close()
}
