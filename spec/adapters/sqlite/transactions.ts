import type Database from 'better-sqlite3'
import { projectionsOf } from '../../../lib/event-store/checked-projection-store.ts'
import type { EventStore } from '../../../lib/event-store/event-store.ts'

/** Work on the store's own writing connection. */
export function inTransaction<Result>(
  store: EventStore,
  work: (tx: Database.Database) => Result | Promise<Result>,
): Promise<Result> {
  // The transaction of a SQLite store is its driver's database.
  return projectionsOf(store).transaction((tx) => work(tx as Database.Database))
}
