import Database from 'better-sqlite3'
import { sqliteEventStore } from '../edict-sqlite.ts'
import { verify } from '../verify.ts'

const TABLES = ['edict_streams', 'edict_kinds'] as const
const EVENTS = 'edict_events'

type Connection = InstanceType<typeof Database>
type Row = readonly unknown[]

/** Rows that Edict wrote, to be written again. */
export interface WrittenRows {
  readonly events: readonly Row[]
  /** What the events refer to. */
  readonly others: Readonly<Record<(typeof TABLES)[number], readonly Row[]>>
}

const rowsOf = (database: Connection, table: string): Row[] =>
  database.prepare(`SELECT * FROM ${table} ORDER BY rowid`).raw().all() as Row[]

export function writtenRows(path: string): WrittenRows {
  const database = new Database(path, { readonly: true })
  try {
    const [streams, kinds] = TABLES.map((table) => rowsOf(database, table))
    return { events: rowsOf(database, EVENTS), others: { edict_streams: streams!, edict_kinds: kinds! } }
  } finally {
    database.close()
  }
}

const insertInto = (database: Connection, table: string, row: Row) =>
  database.prepare(`INSERT INTO ${table} VALUES (${row.map(() => '?').join(', ')})`)

/** The tables and indexes of Edict's store, and nothing of Edict: a prepared insert for each event. */
export class RawSqlite {
  readonly #database: Connection
  readonly #path: string
  readonly #begin
  readonly #commit
  #events = 0

  private constructor(database: Connection, path: string) {
    this.#database = database
    this.#path = path
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
  }

  /** A new file that holds what the events refer to already. */
  static async open(path: string, { others }: WrittenRows): Promise<RawSqlite> {
    const store = sqliteEventStore(path)
    await store.open()
    await store.close()
    const database = new Database(path)
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.exec('BEGIN')
    for (const table of TABLES) {
      for (const row of others[table]) insertInto(database, table, row).run(...row)
    }
    database.exec('COMMIT')
    return new RawSqlite(database, path)
  }

  insert(rows: readonly Row[], perTransaction: number): void {
    const insert = insertInto(this.#database, EVENTS, rows[0]!)
    for (let start = 0; start < rows.length; start += perTransaction) {
      this.#begin.run()
      for (const row of rows.slice(start, start + perTransaction)) insert.run(...row)
      this.#commit.run()
    }
    this.#events += rows.length
  }

  /** Throws unless all that was inserted is there, for another connection too. */
  close(): void {
    const other = new Database(this.#path, { readonly: true })
    const found = other.prepare(`SELECT count(*) AS events, max(position) AS head FROM ${EVENTS}`).get()
    other.close()
    this.#database.close()
    const { events, head } = found as { events: number; head: number }
    verify('the number of rows', events, this.#events)
    verify('the last position', head, this.#events)
  }
}
