import type Database from 'better-sqlite3'
import type { Projection } from 'edict'
import type { Client } from 'pg'
import { projection } from '../../lib/subscribers/projection.ts'
import type { RecordedOf } from '../../lib/messages/recorded-event.ts'
import type { LedgerLine } from './ledger.ts'
import type { Plant, StoreConfiguration } from './node-configuration.ts'
import { TOO_LATE } from './planted-stores.ts'
import { pause } from './random.ts'
import { Counted } from './tally.ts'

export const PROJECTION = 'counted'

/** Without any key, so that what is written twice is there twice; numbered, so that the order of writing is known. */
const COLUMNS = {
  sqlite: 'number INTEGER PRIMARY KEY, position INTEGER NOT NULL, stream_id TEXT NOT NULL, total INTEGER NOT NULL',
  postgres: 'number BIGSERIAL PRIMARY KEY, position BIGINT NOT NULL, stream_id TEXT NOT NULL, total BIGINT NOT NULL',
}

/** One of so many events is written down slowly, so that a kill hits the middle of a transaction. */
const SLOW_EVERY = 5

type Write = (position: number, streamId: string, by: number, table: string) => unknown

interface ReadModelConfiguration {
  readonly store: StoreConfiguration
  readonly plants: readonly Plant[]
}

/** Each event in a row, with the running total of its stream: it is right only if each before it was written once, in order. */
export function readModel(
  { store, plants }: ReadModelConfiguration,
  note: (line: LedgerLine) => void,
): Projection<typeof PROJECTION> {
  const outside = plants.includes('write-outside-of-the-transaction') ? writeOutside(store) : undefined
  const project = async (
    { by }: { readonly by: number },
    { position, streamId }: RecordedOf<typeof Counted>,
    tx: Database.Database | Client,
    { tables }: { readonly tables: { readonly counted: string } },
  ): Promise<void> => {
    note({ kind: 'projecting', position })
    await (outside ?? writeBy(store, tx))(position, streamId, by, tables.counted)
    if (position % SLOW_EVERY === 0 && outside === undefined) await pause(1)
  }
  return projection<typeof PROJECTION, [typeof Counted], 'counted', Database.Database | Client>(PROJECTION, {
    events: [Counted],
    tables: { counted: COLUMNS[store.kind] },
    project,
  })
}

function writeBy(store: StoreConfiguration, tx: Database.Database | Client): Write {
  if (store.kind === 'sqlite') {
    // The store's kind says whose transaction it is.
    const database = tx as Database.Database
    return (position, streamId, by, table) =>
      database.prepare(statement(table, ['?', '?', '?'])).run(position, streamId, by)
  }
  // As above.
  const client = tx as Client
  return (position, streamId, by, table) =>
    client.query(statement(table, ['$1::bigint', '$2::text', '$3::bigint']), [position, streamId, by])
}

function statement(table: string, [position = '', streamId = '', by = '']: readonly string[]): string {
  return `INSERT INTO ${table} (position, stream_id, total)
    SELECT given.position, given.stream_id, given.added + coalesce(
      (SELECT total FROM ${table} t WHERE t.stream_id = given.stream_id ORDER BY number DESC LIMIT 1), 0)
    FROM (SELECT ${position} AS position, ${streamId} AS stream_id, ${by} AS added) given`
}

/** The planted bug: it is written when the place is committed already. */
function writeOutside(store: StoreConfiguration): Write {
  let tail: Promise<unknown> = pause(0)
  const connection = connect(store)
  return (position, streamId, by, table) => {
    tail = Promise.all([tail, pause(TOO_LATE)]).then(async () => {
      await writeBy(store, await connection)(position, streamId, by, table)
    })
    tail.catch(() => undefined)
  }
}

async function connect(store: StoreConfiguration): Promise<Database.Database | Client> {
  if (store.kind === 'sqlite') {
    const { default: Driver } = await import('better-sqlite3')
    return new Driver(store.path)
  }
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: store.connectionString })
  await client.connect()
  return client
}
