import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '../edict.ts'
import { postgresEventStore } from '../edict-postgres.ts'
import { sqliteEventStore } from '../edict-sqlite.ts'
import { freshDatabase } from '../postgres-server.ts'

/** A new store of its own, with a second way in. */
export interface DurableStore {
  /** A path, or a connection string. */
  readonly place: string
  readonly eventStore: EventStore
  /** The same events through other connections, which see nothing but what is committed. Open. */
  readonly witness: EventStore
  remove(): Promise<void>
}

export type StoreKind = 'sqlite' | 'postgres'

/** As a user makes it: with all defaults. */
export const storeAt = (kind: StoreKind, place: string): EventStore =>
  kind === 'sqlite' ? sqliteEventStore(place) : postgresEventStore({ connectionString: place })

/** An empty place with the tables of a store: a file in a folder of its own, or a database. */
export async function freshPlace(kind: StoreKind): Promise<Pick<DurableStore, 'place' | 'remove'>> {
  if (kind === 'postgres') {
    const { connectionString, drop } = await freshDatabase()
    return { place: connectionString, remove: drop }
  }
  const folder = await mkdtemp(join(tmpdir(), 'edict-bench-'))
  return { place: join(folder, 'bank.db'), remove: () => rm(folder, { recursive: true, force: true }) }
}

export async function freshStore(kind: StoreKind): Promise<DurableStore> {
  const { place, remove } = await freshPlace(kind)
  const witness = storeAt(kind, place)
  await witness.open()
  return {
    place,
    eventStore: storeAt(kind, place),
    witness,
    remove: async () => {
      await witness.close()
      await remove()
    },
  }
}
