import { InvalidOptionError } from '../errors.ts'
import { checkText } from '../event-store/argument-checks.ts'
import { checkedEventStore } from '../event-store/checked-event-store.ts'
import { projectionsOf } from '../event-store/checked-projection-store.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { dropPlace, placesOf } from './projection-places.ts'

/**
 * Removes what a projection has left in the event store, once no application has it any more: its views, its tables and its place, in
 * one transaction. Does nothing where there is no such projection.
 *
 * @example
 * import { removeProjection } from 'edict/projections'
 * import { sqliteEventStore } from 'edict/sqlite'
 *
 * await removeProjection(sqliteEventStore('bank.db'), 'account-balances')
 *
 * @throws {InvalidOptionError} `invalid_option` where a node still runs it
 */
export async function removeProjection(eventStore: EventStore, name: string): Promise<void> {
  checkText('removeProjection', 'the name of the projection', name)
  const store = checkedEventStore(eventStore)
  const projections = projectionsOf(store)
  await store.open()
  try {
    const places = await placesOf(store, name)
    if (places.some(({ owner }) => owner !== undefined)) {
      throw new InvalidOptionError(
        `removeProjection: ${name} still runs: remove it from the application, or stop that, on every node`,
      )
    }
    await projections.transaction(async (tx) => {
      const publication = await projections.readPublication(tx, name)
      const views = Object.keys(publication?.tables ?? {})
      await projections.unpublish(tx, name)
      // Builds that never came to their end have tables, too.
      for (const place of places) await dropPlace(projections, tx, name, place, views)
      await projections.dropTables(tx, Object.values(publication?.tables ?? {}))
    })
  } finally {
    await store.close()
  }
}
