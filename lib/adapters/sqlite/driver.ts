import type BetterSqlite3 from 'better-sqlite3'
import { MissingDriverError } from '../../errors.ts'
import { checkLibraryVersion } from './library-version.ts'

export type Database = BetterSqlite3.Database
export type Driver = typeof BetterSqlite3

const PACKAGE = 'better-sqlite3'

/** Loads the driver when a store is opened, so that whoever has none can still import the package. */
export async function loadDriver(): Promise<Driver> {
  try {
    return (await import('better-sqlite3')).default
  } catch (thrown) {
    if (isNotFound(thrown)) throw new MissingDriverError('sqlite', PACKAGE, { cause: thrown })
    throw thrown
  }
}

function isNotFound(thrown: unknown): boolean {
  const code: unknown = thrown instanceof Error ? (thrown as { readonly code?: unknown }).code : undefined
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}

/** @throws {UnsupportedVersionError} `unsupported_version` */
export function checkLibrary(database: Database): void {
  checkLibraryVersion(database.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? 'none')
}
