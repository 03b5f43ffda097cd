import type BetterSqlite3 from 'better-sqlite3'
import type { Direction, ReadAllOptions } from '../../event-store/event-store.ts'
import type { Database } from './driver.ts'
import { EVENT_COLUMNS, type EventRow } from './event-rows.ts'

/** Above this many kinds, events are looked through one by one; SQLite takes 500 parts of a compound select at most. */
const MOST_MERGED_KINDS = 256
/** So many events are looked through by one call then. */
const SCANNED_AT_ONCE = 10_000

/** No kind has this number. */
const NO_KIND = 0

export interface FilteredRead extends ReadAllOptions {
  readonly direction: Direction
  readonly from: number
  readonly maxCount: number
  readonly headPosition: number
}

export interface FilteredRows {
  readonly rows: readonly EventRow[]
  readonly lastPosition: number
}

type Rows = BetterSqlite3.Statement<unknown[], EventRow>

const orderOf = (direction: Direction) => (direction === 'forward' ? 'ASC' : 'DESC')

/** The events at positions that a subquery gives. */
function eventsAt(positions: string, direction: Direction, condition = ''): string {
  return `SELECT ${EVENT_COLUMNS} FROM (${positions}) f CROSS JOIN edict_events e ON e.position = f.position
    CROSS JOIN edict_streams s ON s.id = e.stream ${condition} ORDER BY f.position ${orderOf(direction)}`
}

/** Merges the events of some kinds, each of which the index has in the order of positions: no more is read than is given. */
export function mergedKindsSql(kinds: number, direction: Direction): string {
  const one = 'SELECT position FROM edict_events WHERE kind = ? AND position BETWEEN @least AND @most'
  const all = Array.from({ length: kinds }, () => one).join(' UNION ALL ')
  return eventsAt(`${all} ORDER BY position ${orderOf(direction)} LIMIT @count`, direction)
}

export function scanSql(direction: Direction): string {
  return `SELECT ${EVENT_COLUMNS} FROM edict_events e JOIN edict_streams s ON s.id = e.stream
    WHERE e.position BETWEEN @least AND @most AND +e.kind IN (SELECT value FROM json_each(@kinds))
    ORDER BY e.position ${orderOf(direction)} LIMIT @count`
}

export function correlationSql(direction: Direction): string {
  const range = 'position BETWEEN @least AND @most'
  const positions = `SELECT position FROM edict_events WHERE correlation_id = @correlation AND ${range}
    UNION ALL SELECT position FROM edict_events INDEXED BY edict_events_of_command
      WHERE command_id = @correlation AND correlation_id IS NULL AND ${range}`
  const condition = `WHERE (@kinds IS NULL OR e.kind IN (SELECT value FROM json_each(@kinds)))
    AND (@tenant IS NULL OR e.tenant = @tenant)`
  return `${eventsAt(positions, direction, condition)} LIMIT @count`
}

export function tenantSql(direction: Direction): string {
  return `SELECT ${EVENT_COLUMNS} FROM edict_events e INDEXED BY edict_events_of_tenant
    CROSS JOIN edict_streams s ON s.id = e.stream
    WHERE e.tenant = @tenant AND e.position BETWEEN @least AND @most
      AND (@kinds IS NULL OR e.kind IN (SELECT value FROM json_each(@kinds)))
    ORDER BY e.position ${orderOf(direction)} LIMIT @count`
}

/** Where so many events of a tenant end. */
export function tenantWindowSql(direction: Direction): string {
  return `SELECT position FROM edict_events INDEXED BY edict_events_of_tenant
    WHERE tenant = @tenant AND position BETWEEN @least AND @most
    ORDER BY position ${orderOf(direction)} LIMIT 1 OFFSET @count - 1`
}

/** Reads the events that pass a filter, by the indexes. */
export class FilteredReader {
  readonly #database: Database
  readonly #kinds: BetterSqlite3.Statement<[{ types: string | null; category: string | null }], number>
  readonly #statements = new Map<string, Rows>()

  constructor(database: Database) {
    this.#database = database
    this.#kinds = database
      .prepare<[{ types: string | null; category: string | null }], number>(
        `SELECT id FROM edict_kinds WHERE (@types IS NULL OR type IN (SELECT value FROM json_each(@types)))
          AND (@category IS NULL OR category = @category)`,
      )
      .pluck()
  }

  read(read: FilteredRead): FilteredRows {
    const { from, maxCount, headPosition, correlationId, tenant } = read
    const forward = read.direction === 'forward'
    const [least, most] = forward ? [from, headPosition] : [1, from]
    const end = forward ? Math.max(headPosition, from - 1) : 1
    const kinds = this.#kindsOf(read)
    if (kinds?.length === 0 || least > most) return { rows: [], lastPosition: end }
    const count = maxCount
    if (correlationId !== undefined) {
      const asked = { correlation: correlationId, tenant: tenant ?? null, kinds: kinds ? JSON.stringify(kinds) : null }
      return this.#answer(this.#statement(correlationSql, read).all({ least, most, count, ...asked }), read, end)
    }
    if (tenant !== undefined) return this.#ofTenant(tenant, kinds, { least, most }, read, end)
    return kinds === undefined || kinds.length > MOST_MERGED_KINDS
      ? this.#scan(kinds ?? [], read)
      : this.#answer(this.#merge(kinds, { least, most, count }, read), read, end)
  }

  /** What else is asked of a tenant's events is looked for among so many of them in one call. */
  #ofTenant(
    tenant: string,
    kinds: readonly number[] | undefined,
    range: { readonly least: number; readonly most: number },
    read: FilteredRead,
    end: number,
  ): FilteredRows {
    let { least, most } = range
    let reached = end
    if (kinds !== undefined) {
      const window = { tenant, ...range, count: SCANNED_AT_ONCE }
      // Its one row has the position alone.
      const last = this.#statement(tenantWindowSql, read).all(window)[0]?.[0]
      if (last !== undefined) {
        reached = last
        if (read.direction === 'forward') most = last
        else least = last
      }
    }
    const asked = { tenant, kinds: kinds ? JSON.stringify(kinds) : null, count: read.maxCount }
    return this.#answer(this.#statement(tenantSql, read).all({ least, most, ...asked }), read, reached)
  }

  #kindsOf({ types, category }: FilteredRead): number[] | undefined {
    if (types === undefined && category === undefined) return undefined
    return this.#kinds.all({ types: types ? JSON.stringify([...types]) : null, category: category ?? null })
  }

  #merge(kinds: readonly number[], range: object, { direction }: FilteredRead): readonly EventRow[] {
    // Statements for few different numbers of kinds: the places that are left over ask for none.
    const places = 2 ** Math.ceil(Math.log2(kinds.length))
    const numbers = Array.from({ length: places }, (_, index) => kinds[index] ?? NO_KIND)
    const key = `${places} kinds ${direction}`
    let statement = this.#statements.get(key)
    if (statement === undefined)
      this.#statements.set(key, (statement = this.#prepare(mergedKindsSql(places, direction))))
    return statement.all(...numbers, range)
  }

  #scan(kinds: readonly number[], read: FilteredRead): FilteredRows {
    const { from, headPosition, maxCount: count } = read
    const forward = read.direction === 'forward'
    const [least, most] = forward
      ? [from, Math.min(headPosition, from + SCANNED_AT_ONCE - 1)]
      : [Math.max(1, from - SCANNED_AT_ONCE + 1), from]
    const rows = this.#statement(scanSql, read).all({ least, most, count, kinds: JSON.stringify(kinds) })
    return this.#answer(rows, read, forward ? most : least)
  }

  /** Where as many were found as were wanted there may be more right behind. */
  #answer(rows: readonly EventRow[], { maxCount }: FilteredRead, end: number): FilteredRows {
    const last = rows.length === maxCount ? rows.at(-1) : undefined
    return { rows, lastPosition: last === undefined ? end : last[0] }
  }

  #statement(sqlOf: (direction: Direction) => string, { direction }: FilteredRead): Rows {
    const sql = sqlOf(direction)
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.#prepare(sql)))
    return statement
  }

  #prepare(sql: string): Rows {
    // A raw statement's rows are arrays, which its type does not say.
    return this.#database.prepare(sql).raw() as Rows
  }
}
