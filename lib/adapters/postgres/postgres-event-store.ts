import type { ClientBase } from 'pg'
import { NotRunningError } from '../../errors.ts'
import { checkedEventStore } from '../../event-store/checked-event-store.ts'
import type { EventStore, StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import type { AppendInOptions } from './append-in.ts'
import { checkedOptions, type PostgresEventStoreOptions } from './options.ts'
import { PostgresAdapter } from './postgres-adapter.ts'

/** An event store on PostgreSQL, with what only that has. */
export interface PostgresEventStore extends EventStore {
  /**
   * Brings the store's tables up to date, by a connection of its own: the store need not be open. Safe to run from several
   * processes at once.
   *
   * @throws {SchemaMismatchError} `schema_mismatch` where a newer version of Edict has migrated the database
   */
  migrate(): Promise<void>
  /** All that `migrate` runs on an empty database, to be reviewed, or to be run by other means. */
  migrationSql(): Promise<string>
  /**
   * Appends within a transaction of your own, as its last statement: the events are there when you commit, and not if you roll back.
   * All streams are written, or none. From here until your commit all other appends wait: end it soon.
   *
   * @throws {AppendLockTimeoutError} `append_lock_timeout` where other appends were in the way for too long, or for ever
   * @throws {InvalidOptionError} `invalid_option` where the client is not in a transaction, or in one that is not READ COMMITTED
   */
  appendIn(
    client: ClientBase,
    streams: readonly StreamAppend[],
    options?: AppendInOptions,
  ): Promise<readonly StreamAppendResult[]>
}

/**
 * An event store on PostgreSQL 14 or newer, which any number of processes may share. Needs the package `pg`, which is loaded when the
 * store is opened.
 *
 * @example
 * import { application } from 'edict'
 * import { postgresEventStore } from 'edict/postgres'
 *
 * const eventStore = postgresEventStore({ connectionString: 'postgres://bank@localhost/bank' })
 * const bank = application({ name: 'bank', router: bankRouter, eventStore })
 *
 * @throws {InvalidOptionError} `invalid_option`; on `open` also MissingDriverError `missing_driver`, UnsupportedVersionError
 * `unsupported_version`, SchemaMismatchError `schema_mismatch` and StoreError `store_failed`
 */
export function postgresEventStore(options: PostgresEventStoreOptions): PostgresEventStore {
  const adapter = new PostgresAdapter(checkedOptions(options))
  const store = checkedEventStore(adapter)
  return Object.assign(store, {
    migrate: () => adapter.migrate(),
    migrationSql: () => adapter.migrationSql(),
    appendIn: async (client: ClientBase, streams: readonly StreamAppend[], given?: AppendInOptions) => {
      if (!adapter.isOpen)
        throw new NotRunningError('appendIn: the postgres event store is not open; call open() first')
      return adapter.appendIn(client, streams, given)
    },
  })
}
