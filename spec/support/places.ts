import { afterEach } from '@jest/globals'
import { inMemoryEventStore, type EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import { temporaryFile } from '../adapters/sqlite/temporary-file.ts'
import { stopAll } from './counter.ts'
import { freshDatabase } from './postgres-server.ts'

/** A place for data: each store value over it is what another process, or a restart, would make. */
export type Place = () => EventStore

export type StoreKind = 'memory' | 'SQLite' | 'PostgreSQL'

/** For `describe.each`. */
export const everyStore: readonly StoreKind[] = ['memory', 'SQLite', 'PostgreSQL']

/** Places for the specs of one file; what is running is stopped, and the data removed, after each spec. */
export function places(): (kind: StoreKind) => Promise<Place> {
  const cleanUps: (() => unknown)[] = []
  afterEach(async () => {
    await stopAll()
    for (const cleanUp of cleanUps.splice(0)) await cleanUp()
  }, 60_000)
  return async (kind) => {
    if (kind === 'memory') {
      const store = inMemoryEventStore()
      return () => store
    }
    if (kind === 'SQLite') {
      const { path, remove } = temporaryFile()
      cleanUps.push(remove)
      return () => sqliteEventStore(path)
    }
    const { connectionString, drop } = await freshDatabase()
    cleanUps.push(drop)
    return () => postgresEventStore({ connectionString })
  }
}
