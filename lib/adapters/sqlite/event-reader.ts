import type BetterSqlite3 from 'better-sqlite3'
import type { AllSlice, ReadAllOptions, ReadStreamOptions, StreamSlice } from '../../event-store/event-store.ts'
import { DEFAULT_MAX_COUNT } from '../../event-store/limits.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import type { StreamState } from '../../event-store/stream-info.ts'
import type { Database } from './driver.ts'
import { assertGapless, EVENT_COLUMNS, eventOf, POSITION, VERSION, type EventRow } from './event-rows.ts'
import { FilteredReader } from './filtered-reader.ts'
import { Kinds } from './kinds.ts'

/** So many events are given at most by one look at all of them, so that it does not hold the event loop for long. */
export const MOST_OF_A_PAGE = 10_000

export const HEAD_SQL = 'SELECT coalesce(max(position), 0) FROM edict_events'

const BY_VERSION = 'FROM edict_events e JOIN edict_streams s ON s.id = e.stream WHERE e.stream = ?'
export const OF_STREAM_SQL = {
  forward: `SELECT ${EVENT_COLUMNS} ${BY_VERSION} AND e.version BETWEEN ? AND ? ORDER BY e.version`,
  backward: `SELECT ${EVENT_COLUMNS} ${BY_VERSION} AND e.version BETWEEN ? AND ? ORDER BY e.version DESC`,
}
export const OF_ALL_SQL = {
  forward: `SELECT ${EVENT_COLUMNS} FROM edict_events e JOIN edict_streams s ON s.id = e.stream
    WHERE e.position BETWEEN ? AND ? ORDER BY e.position`,
  backward: `SELECT ${EVENT_COLUMNS} FROM edict_events e JOIN edict_streams s ON s.id = e.stream
    WHERE e.position BETWEEN ? AND ? ORDER BY e.position DESC`,
}
export const STREAM_SQL = `SELECT id, category, state, (SELECT max(version) FROM edict_events WHERE stream = s.id)
  FROM edict_streams s WHERE stream_id = ?`
export const OF_COMMAND_SQL = `SELECT ${EVENT_COLUMNS} FROM edict_events e JOIN edict_streams s ON s.id = e.stream
  WHERE e.command_id = ? AND e.stream = (SELECT id FROM edict_streams WHERE stream_id = ?) ORDER BY e.position`

type StreamRow = readonly [id: number, category: string, state: StreamState, version: number | null]
type Rows = BetterSqlite3.Statement<unknown[], EventRow>

/** Reads events through one connection. Events are only ever added: what is read up to a head that was read first is whole. */
export class EventReader {
  readonly #kinds: Kinds
  readonly #filtered: FilteredReader
  readonly #begin: BetterSqlite3.Statement
  readonly #end: BetterSqlite3.Statement
  readonly #head: BetterSqlite3.Statement<[], number>
  readonly #stream: BetterSqlite3.Statement<[string]>
  readonly #ofCommand: Rows
  readonly #ofStream: { readonly forward: Rows; readonly backward: Rows }
  readonly #ofAll: { readonly forward: Rows; readonly backward: Rows }

  constructor(database: Database) {
    // A raw statement's rows are arrays, which its type does not say.
    const rows = (sql: string) => database.prepare(sql).raw() as Rows
    this.#kinds = new Kinds(database)
    this.#filtered = new FilteredReader(database)
    this.#begin = database.prepare('BEGIN')
    this.#end = database.prepare('COMMIT')
    this.#head = database.prepare<[], number>(HEAD_SQL).pluck()
    this.#stream = database.prepare<[string]>(STREAM_SQL).raw()
    this.#ofCommand = rows(OF_COMMAND_SQL)
    this.#ofStream = { forward: rows(OF_STREAM_SQL.forward), backward: rows(OF_STREAM_SQL.backward) }
    this.#ofAll = { forward: rows(OF_ALL_SQL.forward), backward: rows(OF_ALL_SQL.backward) }
  }

  head(): number {
    return this.#head.get() as number
  }

  /** At one moment: a stream that is deleted meanwhile is seen as it was, or as it is then. */
  readStream(streamId: string, options: ReadStreamOptions = {}): StreamSlice {
    this.#begin.run()
    try {
      return this.#readStream(streamId, options)
    } finally {
      this.#end.run()
    }
  }

  #readStream(streamId: string, options: ReadStreamOptions): StreamSlice {
    // See `rows` in the constructor.
    const row = this.#stream.get(streamId) as StreamRow | undefined
    if (row === undefined) return { events: [], streamVersion: 0, category: undefined, state: undefined }
    const [id, category, state] = row
    const streamVersion = row[3] ?? 0
    const { maxCount = DEFAULT_MAX_COUNT, direction = 'forward', fromVersion } = options
    const forward = direction === 'forward'
    const first = forward ? (fromVersion ?? 1) : Math.min(streamVersion, fromVersion ?? streamVersion)
    const last = forward ? Math.min(streamVersion, first + maxCount - 1) : Math.max(1, first - maxCount + 1)
    const rows = forward ? this.#ofStream.forward.all(id, first, last) : this.#ofStream.backward.all(id, last, first)
    assertGapless(rows, { column: VERSION, ...expectedRows(first, last, forward) }, `of ${streamId} the version`)
    return { events: this.#events(rows), streamVersion, category, state }
  }

  readAll(options: ReadAllOptions = {}): AllSlice {
    const { direction = 'forward' } = options
    const forward = direction === 'forward'
    const headPosition = this.head()
    const maxCount = Math.min(options.maxCount ?? DEFAULT_MAX_COUNT, MOST_OF_A_PAGE)
    const from = forward ? (options.fromPosition ?? 1) : Math.min(options.fromPosition ?? headPosition, headPosition)
    const { types, category, correlationId, tenant } = options
    if ((types ?? category ?? correlationId ?? tenant) !== undefined) {
      const { rows, lastPosition } = this.#filtered.read({ ...options, direction, from, maxCount, headPosition })
      return { events: this.#events(rows), lastPosition, headPosition }
    }
    const last = forward ? Math.min(headPosition, from + maxCount - 1) : Math.max(1, from - maxCount + 1)
    const rows = forward ? this.#ofAll.forward.all(from, last) : this.#ofAll.backward.all(last, from)
    const expected = expectedRows(from, last, forward)
    assertGapless(rows, { column: POSITION, ...expected }, 'the event at position')
    return { events: this.#events(rows), lastPosition: from + (rows.length - 1) * expected.step, headPosition }
  }

  readCommand(streamId: string, commandId: string): readonly StoredEvent[] {
    return this.#events(this.#ofCommand.all(commandId, streamId))
  }

  #events(rows: readonly EventRow[]): StoredEvent[] {
    return rows.map((row) => eventOf(row, this.#kinds))
  }

  /** See Kinds. */
  forget(): void {
    this.#kinds.forget()
  }
}

function expectedRows(first: number, last: number, forward: boolean) {
  return forward ? { first, step: 1, count: last - first + 1 } : { first, step: -1, count: first - last + 1 }
}
