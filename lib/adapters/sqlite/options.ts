import { resolve } from 'node:path'
import { InvalidOptionError } from '../../errors.ts'
import { checkOptionalWhole, checkOptions, shown } from '../../event-store/argument-checks.ts'

/** How a SQLite file is opened. */
export interface SqliteEventStoreOptions {
  /**
   * What an acknowledged append has survived. `'full'`: it is on disk. `'normal'`: it outlives the process, however that ends, but
   * the last ones may be lost when the machine loses power; the file stays consistent. @default 'full'
   */
  readonly synchronous?: 'full' | 'normal'
  /** Milliseconds to wait for other processes that write to the file, before a write fails. @default 5_000 */
  readonly busyTimeout?: number
  /**
   * Milliseconds that a projection's transaction may take, as no other write to the file is possible meanwhile; then it is rolled
   * back, and fails. @default 30_000
   */
  readonly transactionTimeout?: number
  /** Only reads: every write fails, and the file must be there. @default false */
  readonly readOnly?: boolean
}

export type CheckedOptions = Required<SqliteEventStoreOptions>

const OPTIONS = ['synchronous', 'busyTimeout', 'transactionTimeout', 'readOnly']
const WHERE = 'sqliteEventStore'
/** Timers count in 32 bits. */
const LONGEST_TIMEOUT_MS = 2_000_000_000

/** @returns the absolute path, so that a later change of the working directory changes nothing */
export function checkedPath(path: string, where = WHERE, inMemory = 'inMemoryEventStore()'): string {
  if (typeof path !== 'string' || path.trim() === '') {
    throw new InvalidOptionError(`${where}: the path of a file is needed, not ${shown(path)}`)
  }
  if (path === ':memory:') {
    throw new InvalidOptionError(`${where}: a database in memory has no file to share; use ${inMemory} instead`)
  }
  if (path.startsWith('file:')) {
    throw new InvalidOptionError(`${where}: a plain path is needed, not a URI: ${shown(path)}`)
  }
  if (path.includes('\0')) throw new InvalidOptionError(`${where}: the path must not contain a NUL character`)
  return resolve(path)
}

export function checkedOptions(options: SqliteEventStoreOptions): CheckedOptions {
  checkOptions(WHERE, options, OPTIONS)
  const { synchronous = 'full', busyTimeout = 5_000, transactionTimeout = 30_000, readOnly = false } = options
  const level: unknown = synchronous
  if (level !== 'full' && level !== 'normal') {
    throw new InvalidOptionError(`${WHERE}: synchronous must be 'full' or 'normal', not ${shown(level)}`)
  }
  checkOptionalWhole(WHERE, 'busyTimeout', busyTimeout, 0)
  checkOptionalWhole(WHERE, 'transactionTimeout', transactionTimeout, 1)
  if (transactionTimeout > LONGEST_TIMEOUT_MS) {
    throw new InvalidOptionError(`${WHERE}: transactionTimeout must be at most ${LONGEST_TIMEOUT_MS} ms`)
  }
  if (typeof readOnly !== 'boolean') {
    throw new InvalidOptionError(`${WHERE}: readOnly must be true or false, not ${shown(readOnly)}`)
  }
  return { synchronous, busyTimeout, transactionTimeout, readOnly }
}
