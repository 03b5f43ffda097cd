import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import { freshDatabase, onServer } from '../support/postgres-server.ts'

/** A store together with a way past it, by which a spec can damage what is stored. */
export interface RawDatabase extends AsyncDisposable {
  readonly store: () => EventStore
  /** Runs SQL in which `events` is the table of events and `kinds` what says of which type they are. */
  execute(sql: string): Promise<void>
}

export const rawDatabases: readonly [name: string, make: () => Promise<RawDatabase>][] = [
  ['SQLite', rawSqlite],
  ['PostgreSQL', rawPostgres],
]

async function rawSqlite(): Promise<RawDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'edict-faults-'))
  const path = join(directory, 'events.db')
  return {
    store: () => sqliteEventStore(path),
    execute: async (sql) => {
      const database = new Database(path, { timeout: 5_000 })
      database.exec(sql.replace(/\bevents\b/g, 'edict_events'))
      database.close()
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true, maxRetries: 10 }),
  }
}

async function rawPostgres(): Promise<RawDatabase> {
  const { connectionString, drop } = await freshDatabase()
  return {
    store: () => postgresEventStore({ connectionString }),
    execute: (sql) => onServer(connectionString, sql.replace(/\bevents\b/g, 'edict.events')),
    [Symbol.asyncDispose]: drop,
  }
}
