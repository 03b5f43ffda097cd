import { inMemoryAuditStore, type AuditStore } from 'edict'
import { postgresAuditStore } from 'edict/postgres'
import { sqliteAuditStore } from 'edict/sqlite'
import { temporaryFile } from '../adapters/sqlite/temporary-file.ts'
import { freshDatabase } from '../support/postgres-server.ts'

export interface AuditPlace {
  /** A store at this place; one more is what another node has. */
  readonly store: () => AuditStore
  remove(): Promise<void>
}

/** Every store of audit trails, each at a new place. */
export const auditPlaces: readonly (readonly [name: string, make: () => Promise<AuditPlace>])[] = [
  [
    'in memory',
    () => {
      const store = inMemoryAuditStore()
      return Promise.resolve({ store: () => store, remove: () => Promise.resolve() })
    },
  ],
  [
    'in a SQLite file',
    () => {
      const { path, remove } = temporaryFile()
      return Promise.resolve({
        store: () => sqliteAuditStore(path),
        remove: () => {
          remove()
          return Promise.resolve()
        },
      })
    },
  ],
  [
    'in PostgreSQL',
    async () => {
      const { connectionString, drop } = await freshDatabase()
      return { store: () => postgresAuditStore({ connectionString, schema: 'audit' }), remove: drop }
    },
  ],
]
