import pg from 'pg'
import { postgresEventStore } from '../edict-postgres.ts'
import { verify } from '../verify.ts'

const SCHEMA = 'edict'

type Row = Readonly<Record<string, unknown>>

interface Column {
  readonly name: string
  readonly type: string
}

/** Rows of events that Edict wrote, to be written again. */
export interface WrittenEvents {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
}

// Whatever a column holds is handed on as it came over the wire.
const AS_TEXT = { getTypeParser: () => (value: unknown) => value }

export async function writtenEvents(connectionString: string): Promise<WrittenEvents> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const { rows: columns } = await client.query<Column>(
      `SELECT column_name AS name, udt_name AS type FROM information_schema.columns
       WHERE table_schema = $1 AND table_name = 'events' ORDER BY ordinal_position`,
      [SCHEMA],
    )
    const text = `SELECT * FROM ${SCHEMA}.events ORDER BY position`
    const { rows } = await client.query<Row>({ text, types: AS_TEXT as never })
    return { columns, rows }
  } finally {
    await client.end()
  }
}

/** Whether the version of each stream is written too, as Edict's store does; it keeps that in a row of another table. */
export type Tables = 'events' | 'events and streams'

/** The tables and indexes of Edict's store, and nothing of Edict: one prepared statement for each batch, on one connection. */
export class RawPostgres {
  readonly #client: pg.Client
  readonly #statement: { readonly name: string; readonly text: string }
  readonly #columns: readonly string[]
  #events = 0

  private constructor(client: pg.Client, columns: readonly Column[], tables: Tables) {
    this.#client = client
    this.#columns = columns.map(({ name }) => name)
    this.#statement = { name: 'insert', text: insertOf(columns, tables) }
  }

  static async open(connectionString: string, { columns }: WrittenEvents, tables: Tables): Promise<RawPostgres> {
    const store = postgresEventStore({ connectionString })
    await store.open()
    await store.close()
    const client = new pg.Client({ connectionString })
    await client.connect()
    return new RawPostgres(client, columns, tables)
  }

  async insert(rows: readonly Row[], perStatement: number): Promise<void> {
    for (let start = 0; start < rows.length; start += perStatement) {
      const batch = rows.slice(start, start + perStatement)
      const values = this.#columns.map((name) => batch.map((row) => row[name]))
      await this.#client.query({ ...this.#statement, values })
    }
    this.#events += rows.length
  }

  /** Empties the tables, so that the same rows can be written once more. */
  async clear(): Promise<void> {
    await this.#client.query(`TRUNCATE ${SCHEMA}.events, ${SCHEMA}.streams`)
    this.#events = 0
  }

  /** Throws unless all that was inserted is there, for another connection too. */
  async check(connectionString: string): Promise<void> {
    const other = new pg.Client({ connectionString })
    await other.connect()
    const { rows } = await other.query<{ events: string; head: string }>(
      `SELECT count(*) AS events, max(position) AS head FROM ${SCHEMA}.events`,
    )
    await other.end()
    verify('the number of rows', Number(rows[0]!.events), this.#events)
    verify('the last position', Number(rows[0]!.head), this.#events)
  }

  async close(): Promise<void> {
    await this.#client.end()
  }
}

function insertOf(columns: readonly Column[], tables: Tables): string {
  const names = columns.map(({ name }) => name).join(', ')
  const lists = columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ')
  const events = `INSERT INTO ${SCHEMA}.events (${names}) SELECT * FROM unnest(${lists})`
  if (tables === 'events') return events
  return `WITH inserted AS (${events} RETURNING stream_id, category, stream_version)
    INSERT INTO ${SCHEMA}.streams AS s (stream_id, category, version)
    SELECT stream_id, category, stream_version FROM inserted
    ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version`
}
