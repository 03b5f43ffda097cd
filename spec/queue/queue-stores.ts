import type { EventStore } from 'edict'
import { everyStore, type SharedStore } from '../support/every-store.ts'

/** The stores that keep commands. */
export const everyQueueStore = everyStore

/** What one more reader of a spec's events finds there. */
export async function readFrom<Found>(
  stores: SharedStore,
  read: (store: EventStore) => Found | PromiseLike<Found>,
): Promise<Found> {
  const store = stores.node()
  await store.open()
  try {
    return await read(store)
  } finally {
    await store.close()
  }
}
