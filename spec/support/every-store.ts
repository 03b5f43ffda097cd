import { afterEach, beforeEach } from '@jest/globals'
import { inMemoryEventStore, type EventStore } from 'edict'
import { sqliteEventStore } from 'edict/sqlite'
import { testDatabase } from '../adapters/postgres/test-database.ts'
import { stopAll } from './counter.ts'
import { temporaryFile, type TemporaryFile } from '../adapters/sqlite/temporary-file.ts'

/** The events of one spec, which each of several nodes opens for itself. */
export interface SharedStore {
  /** A store for one more node, not open yet; in memory all nodes have the same one. */
  node(): EventStore
}

/** Each kind of store, for `describe.each`; `share` is called in the block, and gives what is new for each spec. */
export const everyStore: readonly { readonly kind: string; readonly share: () => SharedStore }[] = [
  { kind: 'memory', share: inMemory },
  { kind: 'SQLite', share: stoppingFirst(onSqlite) },
  { kind: 'PostgreSQL', share: stoppingFirst(onPostgres) },
]

/** Applications that a spec has left running are stopped before their store is taken away. */
function stoppingFirst(share: () => SharedStore): () => SharedStore {
  return () => {
    afterEach(stopAll)
    return share()
  }
}

function inMemory(): SharedStore {
  let store = inMemoryEventStore()
  beforeEach(() => {
    store = inMemoryEventStore()
  })
  return { node: () => store }
}

function onSqlite(): SharedStore {
  let file: TemporaryFile
  beforeEach(() => {
    file = temporaryFile()
  })
  afterEach(() => {
    file.remove()
  })
  return { node: () => sqliteEventStore(file.path) }
}

function onPostgres(): SharedStore {
  const database = testDatabase()
  return { node: () => database.make() }
}
