import type { MadeStore } from 'edict/testing'
import { inMemoryEventStore } from '../../lib/adapters/in-memory/in-memory-event-store.ts'
import { checkedEventStore } from '../../lib/event-store/checked-event-store.ts'
import type { EventStore, EventStoreCapabilities } from '../../lib/event-store/event-store.ts'
import { overlaid } from './planted-store.ts'
import { SharedTables } from './shared-tables.ts'

export const sharedCapabilities: EventStoreCapabilities = {
  atomicStreams: true,
  durable: true,
  multiProcess: true,
  projections: true,
  commands: true,
  values: 'objects',
}

/** What a bad store of this kind goes wrong with: the operations of one of the processes. */
export type PlantIntoProcess = (process: EventStore, tables: SharedTables) => Partial<EventStore>

/**
 * A store of which several processes could have a value, each opened and closed by itself, and which has tables for projections:
 * for the groups of the conformance suite that the in-memory store has no part in.
 */
export function sharedMemoryStore(plant: PlantIntoProcess = () => ({})): MadeStore {
  const memory = inMemoryEventStore()
  void memory.open()
  const tables = new SharedTables(memory)
  const makeProcess = (): EventStore => {
    const process = new SharedProcess(memory, tables).store
    return checkedEventStore(overlaid(process, plant(process, tables)))
  }
  return { store: makeProcess(), peer: makeProcess, projections: tables.harness, destroy: () => memory.close() }
}

class SharedProcess {
  readonly store: EventStore
  readonly #ends = new Set<() => void>()

  constructor(memory: EventStore, tables: SharedTables) {
    this.store = overlaid(memory, {
      name: 'shared-memory',
      capabilities: sharedCapabilities,
      projections: tables,
      open: () => undefined,
      close: () => {
        for (const end of this.#ends) end()
        this.#ends.clear()
      },
      watch: (listener) => {
        const end = memory.watch(listener)
        this.#ends.add(end)
        return end
      },
      claimCheckpoint: (name, options) => tables.afterTransactions(() => memory.claimCheckpoint(name, options)),
    })
  }
}
