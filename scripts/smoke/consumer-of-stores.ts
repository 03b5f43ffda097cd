import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import { readAllEvents, type EventStore } from 'edict'

export const stores: readonly EventStore[] = [
  sqliteEventStore('accounts.db'),
  postgresEventStore({ connectionString: 'postgres://localhost/accounts' }),
]

export const everything = stores.map((store) => readAllEvents(store))
