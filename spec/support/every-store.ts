import { afterEach, beforeEach } from '@jest/globals'
import { inMemoryEventStore, type EventStore } from 'edict'
import { sqliteEventStore } from 'edict/sqlite'
import { testDatabase } from '../adapters/postgres/test-database.ts'
import { temporaryFile, type TemporaryFile } from '../adapters/sqlite/temporary-file.ts'
import { stopAll } from './counter.ts'

/** The events of one spec, which each of several nodes opens for itself, and a node that starts again does once more. */
export interface SharedStore {
  /** A store for one more node, not open yet; in memory all nodes have the same one. */
  node(): EventStore
}

export interface EveryStore {
  readonly kind: 'memory' | 'SQLite' | 'PostgreSQL'
  /**
   * Called once in a `describe` block: gives what is new for each spec of it, and is taken away after it. Before that, whatever
   * `started` has started is stopped.
   */
  readonly share: () => SharedStore
}

/** For `describe.each`: the specs of a block, on each kind of store. */
export const everyStore: readonly EveryStore[] = [
  { kind: 'memory', share: stoppingFirst(inMemory) },
  { kind: 'SQLite', share: stoppingFirst(onSqlite) },
  { kind: 'PostgreSQL', share: stoppingFirst(onPostgres) },
]

/** Those that several processes can open. */
export const everyDurableStore = everyStore.filter(({ kind }) => kind !== 'memory')

/** Jest calls the hooks of a block in the order in which they were given. */
function stoppingFirst(share: () => SharedStore): () => SharedStore {
  return () => {
    afterEach(stopAll, 120_000)
    return share()
  }
}

function inMemory(): SharedStore {
  let store: EventStore
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
