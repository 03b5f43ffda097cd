import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import pg from 'pg'
import type { StoreConfiguration } from './node-configuration.ts'
import { freshDatabase, onServer } from '../support/postgres-server.ts'

/** A store together with a way past it, by which a spec can damage what is stored. */
export interface RawDatabase extends AsyncDisposable {
  readonly store: () => EventStore
  readonly configuration: StoreConfiguration
  /** Runs SQL in which `events` and `checkpoints` are the store's tables. */
  execute(sql: string): Promise<void>
  /** The first column of each row. */
  query(sql: string): Promise<unknown[]>
}

export const rawDatabases: readonly [name: string, make: () => Promise<RawDatabase>][] = [
  ['SQLite', rawSqlite],
  ['PostgreSQL', rawPostgres],
]

async function rawSqlite(): Promise<RawDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'edict-faults-'))
  const path = join(directory, 'events.db')
  return {
    store: () => sqliteEventStore(path, { busyTimeout: 60_000 }),
    configuration: { kind: 'sqlite', path },
    execute: async (sql) => {
      const database = new Database(path, { timeout: 60_000 })
      database.exec(sql.replace(/\b(events|checkpoints)\b/g, 'edict_$1'))
      database.close()
    },
    query: async (sql) => {
      const database = new Database(path, { readonly: true })
      try {
        return database.prepare(sql).pluck().all()
      } finally {
        database.close()
      }
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true, maxRetries: 10 }),
  }
}

async function rawPostgres(): Promise<RawDatabase> {
  const { connectionString, drop } = await freshDatabase()
  return {
    store: () => postgresEventStore({ connectionString }),
    configuration: { kind: 'postgres', connectionString },
    execute: (sql) => onServer(connectionString, sql.replace(/\b(events|checkpoints)\b/g, 'edict.$1')),
    query: async (sql) => {
      const client = new pg.Client({ connectionString })
      await client.connect()
      try {
        const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' })
        return rows.map(([first]) => first)
      } finally {
        await client.end()
      }
    },
    [Symbol.asyncDispose]: drop,
  }
}
