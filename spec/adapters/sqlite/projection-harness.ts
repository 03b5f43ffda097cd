import Database from 'better-sqlite3'
import type { ProjectionHarness } from '../../../lib/testing/conformance/store-under-test.ts'

// The transaction of a SQLite store is its driver's database.
const databaseOf = (tx: unknown) => tx as Database.Database

/** What the conformance suite writes to the tables of a file. */
export function projectionHarness(path: string): ProjectionHarness {
  return {
    createTable: (tx, name) => {
      databaseOf(tx).exec(`CREATE TABLE ${name} (id TEXT PRIMARY KEY)`)
    },
    insert: (tx, name, id) => {
      databaseOf(tx).prepare(`INSERT INTO ${name} (id) VALUES (?)`).run(id)
    },
    count: (name) => {
      const database = new Database(path)
      try {
        return Number(database.prepare(`SELECT count(*) FROM "${name}"`).pluck().get())
      } finally {
        database.close()
      }
    },
  }
}
