import { InvalidOptionError } from '../errors.ts'
import { checkText } from '../event-store/argument-checks.ts'
import { checkedEventStore } from '../event-store/checked-event-store.ts'
import { projectionsOf } from '../event-store/checked-projection-store.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { beginningOf } from './projection-generation.ts'
import { physicalTable } from './projection-statements.ts'

const CHECKPOINT = /:(\d+)\.(\d+)$/

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
    const places = (await store.listCheckpoints(`${name}:`)).filter((place) => isOf(name, place.name))
    if (places.some(({ owner }) => owner !== undefined)) {
      throw new InvalidOptionError(
        `removeProjection: ${name} still runs: remove it from the application, or stop that, on every node`,
      )
    }
    await projections.transaction(async (tx) => {
      const publication = await projections.readPublication(tx, name)
      const views = Object.keys(publication?.tables ?? {})
      await projections.unpublish(tx, name)
      const tables = new Set(Object.values(publication?.tables ?? {}))
      for (const place of places) {
        await projections.deleteCheckpoint(tx, place.name)
        // Builds that never came to their end.
        const [, version, generation] = CHECKPOINT.exec(place.name) ?? []
        await projections.unpublish(tx, beginningOf(name, Number(version), Number(generation)))
        for (const view of views) tables.add(physicalTable(name, view, Number(version), Number(generation)))
      }
      await projections.dropTables(tx, [...tables])
    })
  } finally {
    await store.close()
  }
}

/** Another projection's name may begin as this one's checkpoints do. */
function isOf(name: string, checkpoint: string): boolean {
  return CHECKPOINT.test(checkpoint.slice(name.length)) && checkpoint.slice(name.length).lastIndexOf(':') === 0
}
