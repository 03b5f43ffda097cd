import { afterEach, beforeEach } from '@jest/globals'
import Database from 'better-sqlite3'
import { checkedEventStore, type EventStore, type Projection, type ProjectionContext } from 'edict'
import { projection } from 'edict/projections'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import pg from 'pg'
import type { MaybePromise } from '../../lib/effects/maybe-promise.ts'
import type { ProjectionStore } from '../../lib/event-store/projection-store.ts'
import type { RecordedEvent } from '../../lib/messages/recorded-event.ts'
import { temporaryFile } from '../adapters/sqlite/temporary-file.ts'
import { Added, stopAll } from '../support/counter.ts'
import { freshDatabase } from '../support/postgres-server.ts'

export type Row = Readonly<Record<string, unknown>>

/** A database with a read model in it, and any number of stores upon it. */
export interface ProjectedDatabase {
  store(): EventStore
  /** As any reader outside of Edict would. */
  read(sql: string): Promise<readonly Row[]>
}

interface MadeDatabase extends ProjectedDatabase {
  drop(): Promise<void>
}

export interface StoreKind {
  readonly kind: 'sqlite' | 'postgres'
  make(): Promise<MadeDatabase>
  /** Runs a statement whose parameters are `?1`, `?2`, …, each there once and in order. */
  write(tx: unknown, sql: string, values: readonly unknown[]): MaybePromise<unknown>
}

const sqlite: StoreKind = {
  kind: 'sqlite',
  make: () => {
    const { path, remove } = temporaryFile()
    return Promise.resolve({
      // One that holds the file while the machine stands still does not let the others fail.
      store: () => sqliteEventStore(path, { busyTimeout: 60_000 }),
      read: async (sql) => {
        const reader = new Database(path, { readonly: true })
        try {
          return reader.prepare<[], Row>(sql).all()
        } finally {
          reader.close()
        }
      },
      drop: async () => {
        remove()
      },
    })
  },
  write: (tx, sql, values) => (tx as Database.Database).prepare(sql.replaceAll(/\?\d/g, '?')).run(...values),
}

const postgres: StoreKind = {
  kind: 'postgres',
  make: async () => {
    const database = await freshDatabase()
    const { connectionString } = database
    const reader = new pg.Pool({ connectionString, max: 2 })
    // A spec that ends connections ends these, too; who reads by one is told.
    reader.on('error', () => undefined)
    return {
      store: () => postgresEventStore({ connectionString }),
      read: async (sql) => (await reader.query<Row>(sql)).rows,
      drop: async () => {
        await reader.end()
        await database.drop()
      },
    }
  },
  write: (tx, sql, values) => (tx as pg.ClientBase).query(sql.replaceAll('?', '$'), [...values]),
}

export const storeKinds = [sqlite, postgres].map((kind) => [kind.kind, kind] as const)

/** Called once in a `describe` block: a new database for each spec of it, dropped when what the spec has started is stopped. */
export function projectedDatabase(kind: StoreKind): ProjectedDatabase {
  let database: MadeDatabase
  // The first who asks for a database may have to wait for its server to start.
  beforeEach(async () => {
    database = await kind.make()
  }, 180_000)
  afterEach(async () => {
    await stopAll()
    await database.drop()
  }, 120_000)
  return { store: () => database.store(), read: (sql) => database.read(sql) }
}

export interface TotalsOptions {
  readonly name?: string
  readonly version?: number
  readonly batchSize?: number
  readonly consistency?: 'eventual' | 'strong'
  readonly onError?: NonNullable<Parameters<typeof projection<string, [typeof Added], 'totals'>>[1]['onError']>
  /** Called before the write. */
  readonly before?: (recorded: RecordedEvent, context: ProjectionContext) => unknown
  /** Called after the write, in the same transaction. */
  readonly after?: (recorded: RecordedEvent, context: ProjectionContext, tx: unknown) => unknown
  /** Version 2 says it another way. */
  readonly factor?: number
}

/** A read model that is wrong as soon as an event is missing from it, or in it twice. */
export function totals(store: StoreKind, options: TotalsOptions = {}): Projection {
  const {
    name = 'totals',
    version = 1,
    batchSize,
    consistency = 'strong',
    onError,
    before,
    after,
    factor = 1,
  } = options
  return projection(name, {
    version,
    events: [Added],
    tables: { totals: 'id VARCHAR(50) PRIMARY KEY, total INTEGER NOT NULL, events INTEGER NOT NULL' },
    consistency,
    ...(batchSize !== undefined && { batchSize }),
    ...(onError !== undefined && { onError }),
    project: async ({ by }, recorded, tx: unknown, context) => {
      await before?.(recorded, context)
      const table = context.tables.totals
      await store.write(
        tx,
        `INSERT INTO ${table} VALUES (?1, ?2, 1) ON CONFLICT (id) DO UPDATE
          SET total = ${table}.total + excluded.total, events = ${table}.events + 1`,
        [recorded.streamId, by * factor],
      )
      await after?.(recorded, context, tx)
    },
  })
}

/** A store that does all as another one does, but for what is given. */
export function altered(
  store: EventStore,
  change: (projections: ProjectionStore, store: EventStore) => Partial<ProjectionStore>,
): EventStore {
  const delegate: Record<string, unknown> = delegating(store)
  const projections = store.projections
  if (projections === undefined) throw new Error('a store with projections is needed')
  delegate['projections'] = { ...delegating(projections), ...change(projections, store) }
  return checkedEventStore(delegate as unknown as EventStore)
}

function delegating(target: object): Record<string, unknown> {
  const delegate: Record<string, unknown> = {}
  const names = [...Object.getOwnPropertyNames(target), ...Object.getOwnPropertyNames(Object.getPrototypeOf(target))]
  for (const name of names) {
    const value = (target as Readonly<Record<string, unknown>>)[name]
    delegate[name] = typeof value === 'function' ? value.bind(target) : value
  }
  return delegate
}
