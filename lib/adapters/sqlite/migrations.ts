import { readdirSync, readFileSync } from 'node:fs'
import { SchemaMismatchError, StoreError } from '../../errors.ts'
import type { Database } from './driver.ts'

/** In the header of every file of ours: the letters Edic. */
export const APPLICATION_ID = 0x45646963

const FOLDER = new URL('./migrations/', import.meta.url)

interface Migration {
  readonly number: number
  readonly sql: string
}

/** The migrations in their order; read anew for each open, which is seldom. */
function readMigrations(): readonly Migration[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name, index) => {
      const number = Number(name.slice(0, 4))
      if (number !== index + 1)
        throw new StoreError(`the migrations of the sqlite event store have a gap before ${name}`)
      return { number, sql: readFileSync(new URL(name, FOLDER), 'utf8') }
    })
}

/**
 * Looks at whose file this is, before anything is written to it.
 *
 * @returns the number of the last migration that it has; 0 for a new file
 * @throws {StoreError} `store_failed` where it is somebody else's
 */
function foundMigration(database: Database, path: string): number {
  const number = (pragma: string) => Number(database.pragma(pragma, { simple: true }))
  const applicationId = number('application_id')
  if (applicationId === APPLICATION_ID) return number('user_version')
  const tables = Number(database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get())
  if (applicationId === 0 && tables === 0) return 0
  throw new StoreError(
    `${path} is a SQLite file of another application, and was left as it is: give the event store a file of its own`,
  )
}

/** How many migrations a file has, and how many there are. */
export function migrationCounts(
  database: Database,
  path: string,
): { readonly found: number; readonly expected: number } {
  return { found: foundMigration(database, path), expected: readMigrations().length }
}

/**
 * @throws {SchemaMismatchError} `schema_mismatch` where the file is from a newer version
 * @throws {StoreError} `store_failed` where it is somebody else's, or cannot be migrated
 * @returns whether there is something to migrate
 */
export function checkSchema(database: Database, path: string, readOnly: boolean): boolean {
  const expected = readMigrations().length
  // In one transaction, that is of one moment: another process may be making the tables just now.
  const found = database.transaction(() => foundMigration(database, path)).deferred()
  if (found > expected) throw new SchemaMismatchError('sqlite', found, expected)
  if (found < expected && readOnly) {
    throw new StoreError(`${path} lacks tables of this version, and readOnly makes none: open it once without readOnly`)
  }
  return found < expected
}

/** Brings the tables up to date, in one transaction, in which only one of several processes finds something to do. */
export function migrate(database: Database, path: string): void {
  const migrations = readMigrations()
  database
    .transaction(() => {
      const found = foundMigration(database, path)
      for (const { number, sql } of migrations) if (number > found) database.exec(sql)
      database.pragma(`application_id = ${APPLICATION_ID}`)
      database.pragma(`user_version = ${Math.max(found, migrations.length)}`)
    })
    .immediate()
}
