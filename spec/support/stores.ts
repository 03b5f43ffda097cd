import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inMemoryEventStore, type EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import { freshDatabase } from './postgres-server.ts'

/** Where the events of one spec are, whatever keeps them. */
export interface OpenedStore {
  /** A store of its own on the same events, as another process has it; the one in memory is always the same. */
  another(): EventStore
  close(): Promise<void>
}

/** For `describe.each`: all kinds of stores, by name. */
export const everyStore: readonly (readonly [name: string, open: () => Promise<OpenedStore>])[] = [
  [
    'memory',
    () => {
      const store = inMemoryEventStore()
      // Held open for the whole spec: what it has is gone when the last one closes it.
      return Promise.resolve(store.open()).then(() => ({
        another: () => store,
        close: async () => store.close(),
      }))
    },
  ],
  [
    'SQLite',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'edict-spec-'))
      return {
        another: () => sqliteEventStore(join(folder, 'events.db')),
        close: () => rm(folder, { recursive: true, force: true }),
      }
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const { connectionString, drop } = await freshDatabase()
      return { another: () => postgresEventStore({ connectionString }), close: drop }
    },
  ],
]
