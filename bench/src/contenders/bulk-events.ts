import Database from 'better-sqlite3'
import pg from 'pg'
import type { StoreKind } from './durable-store.ts'
import { freshPlace, storeAt } from './durable-store.ts'

// A store of any size, built by the database itself: the rows that Edict would have written, without its indexes at first. Of each
// thousand events in a row 100 are of one long ledger, which takes part all the time, and 90 each of five accounts and five orders,
// which live no longer than that.

const BLOCK = 1_000
const STREAMS_OF_BLOCK = 10

export const LEDGER = 'ledger'
export const ORDER_CATEGORY = 'Order'
/** One event in a thousand. */
export const RARE_TYPE = 'LedgerReviewed'
export const EVENTS_OF_ACCOUNT = 90
export const BALANCE_OF_ACCOUNT = (EVENTS_OF_ACCOUNT - 1) * 5

export const ledgerVersion = (events: number): number => events / 10
export const accountsIn = (events: number): number => (events / BLOCK) * (STREAMS_OF_BLOCK / 2)

/** Of each ten streams the first five are accounts. */
export const accountNumber = (index: number): string => String(Math.floor(index / 5) * STREAMS_OF_BLOCK + (index % 5))

/** Five events that follow each other have one correlation id: that of the first one's command. */
export const correlationAt = (position: number): string => commandIdOf(position - ((position - 1) % 5))

const commandIdOf = (position: number): string => `0199c0de-c000-7000-8000-${position.toString(16).padStart(12, '0')}`

/** A new store with so many events, in whole thousands; the database's own words for each row. */
export async function bulkStore(kind: StoreKind, events: number) {
  const { place, remove } = await freshPlace(kind)
  try {
    const store = storeAt(kind, place)
    await store.open()
    await store.close()
    await (kind === 'sqlite' ? fillSqlite(place, events) : fillPostgres(place, events))
    return { place, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** `n` is the position. Both databases divide whole numbers to whole numbers. */
const ROWS = `
  SELECT n, i, k, block, CASE WHEN i % 10 = 0 THEN NULL ELSE block * 10 + k % 10 END AS stream,
    CASE WHEN i % 10 = 0 THEN block * 100 + i / 10 + 1 ELSE k / 10 + 1 END AS version
  FROM (SELECT n, i, block, i - i / 10 - 1 AS k FROM (SELECT n, (n - 1) % 1000 AS i, (n - 1) / 1000 AS block FROM numbers) a) b`
const IS_ACCOUNT = 'stream % 10 < 5'

async function fillSqlite(path: string, events: number): Promise<void> {
  const database = new Database(path)
  // From the log of a store there is no way to none but by this one.
  database.pragma('journal_mode = DELETE')
  database.pragma('journal_mode = OFF')
  database.pragma('synchronous = OFF')
  database.pragma('cache_size = -500000')
  const indexes = database
    .prepare(
      "SELECT name, sql FROM sqlite_schema WHERE tbl_name = 'edict_events' AND type = 'index' AND sql IS NOT NULL",
    )
    .all() as { readonly name: string; readonly sql: string }[]
  for (const { name } of indexes) database.exec(`DROP INDEX ${name}`)
  const numbers = (last: number) =>
    `WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < ${last})`
  const id = (kind: string, of = 'n') => `printf('0199c0de-${kind}000-7000-8000-%012x', ${of})`
  const of = (name: string) => `printf('{"${name}Number":"%d","amount":5}', stream)`
  database.exec(`
    INSERT INTO edict_kinds (id, category, type, schema_version, content_type) VALUES
      (1, 'Ledger', 'LedgerEntered', 1, 'application/json'), (2, 'Ledger', '${RARE_TYPE}', 1, 'application/json'),
      (3, 'BankAccount', 'AccountOpened', 1, 'application/json'), (4, 'BankAccount', 'MoneyDeposited', 1, 'application/json'),
      (5, '${ORDER_CATEGORY}', 'OrderPlaced', 1, 'application/json'), (6, '${ORDER_CATEGORY}', 'OrderChanged', 1, 'application/json');
    INSERT INTO edict_streams (id, stream_id, category) VALUES (1, '${LEDGER}', 'Ledger');
    ${numbers(events / 100)}
    INSERT INTO edict_streams (id, stream_id, category)
      SELECT 1 + n, iif(${IS_ACCOUNT}, 'bank-account-', 'order-') || stream, iif(${IS_ACCOUNT}, 'BankAccount', '${ORDER_CATEGORY}')
      FROM (SELECT n, n - 1 AS stream FROM numbers);
    ${numbers(events)}
    INSERT INTO edict_events (position, stream, version, kind, created_at, event_id, command_id, correlation_id, data)
      SELECT n, coalesce(stream + 2, 1), version,
        CASE WHEN stream IS NULL THEN iif(i = 0, 2, 1) ELSE iif(${IS_ACCOUNT}, 3, 5) + (version > 1) END,
        1760000000000 + n, ${id('e')}, ${id('c')}, iif((n - 1) % 5 = 0, NULL, ${id('c', 'n - (n - 1) % 5')}),
        CASE WHEN stream IS NULL THEN '{"amount":5}' WHEN NOT ${IS_ACCOUNT} THEN ${of('order')}
          WHEN version > 1 THEN ${of('account')} ELSE printf('{"accountNumber":"%d","initialBalance":0}', stream) END
      FROM (${ROWS})`)
  for (const { sql } of indexes) database.exec(sql)
  database.pragma('journal_mode = WAL')
  database.close()
}

async function fillPostgres(connectionString: string, events: number): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const { rows: indexes } = await client.query<{ name: string; definition: string; constraint: string | null }>(
      `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition, c.conname AS constraint
       FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid WHERE i.indrelid = 'edict.events'::regclass`,
    )
    for (const { name, constraint } of indexes) {
      await client.query(
        constraint === null ? `DROP INDEX ${name}` : `ALTER TABLE edict.events DROP CONSTRAINT ${constraint}`,
      )
    }
    const id = (kind: string, of = 'n') => `'0199c0de-${kind}000-7000-8000-' || lpad(to_hex(${of}), 12, '0')`
    const of = (name: string) => `'{"${name}Number":"' || stream || '","amount":5}'`
    await client.query(
      `INSERT INTO edict.streams (stream_id, category, version) SELECT '${LEDGER}', 'Ledger', ${ledgerVersion(events)}
       UNION ALL SELECT CASE WHEN ${IS_ACCOUNT} THEN 'bank-account-' ELSE 'order-' END || stream,
         CASE WHEN ${IS_ACCOUNT} THEN 'BankAccount' ELSE '${ORDER_CATEGORY}' END, ${EVENTS_OF_ACCOUNT}
       FROM generate_series(0, ${events / 100 - 1}) stream`,
    )
    await client.query(
      `INSERT INTO edict.events (position, stream_version, schema_version, created_at, data_format, stream_id, category, event_id,
         type, command_id, causation_id, correlation_id, content_type, metadata, data)
       SELECT n, version, 1, 1760000000000 + n, 0,
         CASE WHEN stream IS NULL THEN '${LEDGER}' WHEN ${IS_ACCOUNT} THEN 'bank-account-' || stream ELSE 'order-' || stream END,
         CASE WHEN stream IS NULL THEN 'Ledger' WHEN ${IS_ACCOUNT} THEN 'BankAccount' ELSE '${ORDER_CATEGORY}' END, ${id('e')},
         CASE WHEN stream IS NULL THEN CASE i WHEN 0 THEN '${RARE_TYPE}' ELSE 'LedgerEntered' END
           WHEN ${IS_ACCOUNT} THEN CASE version WHEN 1 THEN 'AccountOpened' ELSE 'MoneyDeposited' END
           ELSE CASE version WHEN 1 THEN 'OrderPlaced' ELSE 'OrderChanged' END END,
         ${id('c')}, ${id('c')}, ${id('c', 'n - (n - 1) % 5')}, 'application/json', '{}',
         CASE WHEN stream IS NULL THEN '{"amount":5}' WHEN NOT ${IS_ACCOUNT} THEN ${of('order')}
           WHEN version > 1 THEN ${of('account')} ELSE '{"accountNumber":"' || stream || '","initialBalance":0}' END
       FROM (WITH numbers AS (SELECT n FROM generate_series(1, ${events}::bigint) n) ${ROWS}) r`,
    )
    await client.query("SET maintenance_work_mem = '1GB'")
    for (const { name, definition, constraint } of indexes) {
      await client.query(definition)
      if (constraint === null) continue
      await client.query(
        `ALTER TABLE edict.events ADD CONSTRAINT ${constraint} PRIMARY KEY USING INDEX ${name.split('.').at(-1)!}`,
      )
    }
    // As the server itself does sooner or later.
    await client.query('VACUUM (ANALYZE) edict.events')
    await client.query('VACUUM (ANALYZE) edict.streams')
  } finally {
    await client.end()
  }
}
