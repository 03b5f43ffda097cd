import type { AllSlice, ReadAllOptions, ReadStreamOptions, StreamSlice } from '../../event-store/event-store.ts'
import { DEFAULT_MAX_COUNT } from '../../event-store/limits.ts'
import type { StreamState } from '../../event-store/stream-info.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import { numberArray, textArray } from './array-literal.ts'
import type { Queries, Row } from './database.ts'
import { EVENT_COLUMN_COUNT, EVENT_COLUMNS, eventOf } from './event-rows.ts'
import { allQuery } from './read-all-query.ts'
import { assertGapless } from './gapless.ts'
import type { SchemaName } from './schema-name.ts'

/** One look at all events gives no more than this, so that it costs bounded memory. */
const MOST_OF_A_PAGE = 10_000

/** What is asked of one stream. */
export interface StreamRead {
  readonly streamId: string
  readonly options: ReadStreamOptions
}

/** Reads events. Each answer comes of one statement, and so of one moment. */
export class EventReader {
  readonly #schema: SchemaName
  readonly #ofStream: { readonly forward: string; readonly backward: string }
  readonly #ofStreams: string
  readonly #ofCommand: string
  readonly #head: string

  constructor(schema: SchemaName) {
    this.#schema = schema
    this.#ofStream = { forward: schema.sql(streamQuery(true)), backward: schema.sql(streamQuery(false)) }
    this.#ofStreams = schema.sql(STREAMS_QUERY)
    this.#ofCommand = schema.sql(
      `SELECT e.category, ${EVENT_COLUMNS} FROM "edict".events e
       WHERE e.stream_id = $1 AND e.command_id = $2 ORDER BY e.stream_version`,
    )
    this.#head = schema.sql('SELECT coalesce(max(e.position), 0) FROM "edict".events e')
  }

  async head(queries: Queries): Promise<number> {
    const [row] = await queries.query(this.#head)
    return Number(row?.[0])
  }

  async readStream(queries: Queries, streamId: string, options: ReadStreamOptions = {}): Promise<StreamSlice> {
    const { direction = 'forward', maxCount = DEFAULT_MAX_COUNT } = options
    const { fromVersion = direction === 'forward' ? 1 : Number.MAX_SAFE_INTEGER } = options
    const rows = await queries.query(this.#ofStream[direction], [streamId, fromVersion, maxCount])
    return sliceOf(rows, 0, streamId, { direction, fromVersion, maxCount })
  }

  /** Several streams forward: for each what gives it as `readStream` does, and throws where that one is damaged. */
  async readStreams(queries: Queries, reads: readonly StreamRead[]): Promise<readonly (() => StreamSlice)[]> {
    const asked = reads.map(({ streamId, options: { fromVersion = 1, maxCount = DEFAULT_MAX_COUNT } }) => {
      return { streamId, direction: 'forward' as const, fromVersion, maxCount, rows: [] as Row[] }
    })
    const rows = await queries.query(this.#ofStreams, [
      textArray(asked.map(({ streamId }) => streamId)),
      numberArray(asked.map(({ fromVersion }) => fromVersion)),
      numberArray(asked.map(({ maxCount }) => maxCount)),
    ])
    for (const row of rows) asked[Number(row[0]) - 1]?.rows.push(row)
    return asked.map((read) => () => sliceOf(read.rows, 1, read.streamId, read))
  }

  async readCommand(queries: Queries, streamId: string, commandId: string): Promise<readonly StoredEvent[]> {
    const rows = await queries.query(this.#ofCommand, [streamId, commandId])
    return rows.map((row) => eventOf(row, 1, streamId, row[0] as string))
  }

  async readAll(queries: Queries, options: ReadAllOptions = {}): Promise<AllSlice> {
    const maxCount = Math.min(options.maxCount ?? DEFAULT_MAX_COUNT, MOST_OF_A_PAGE)
    const { text, values, window, limit, rest } = allQuery(this.#schema, { ...options, maxCount })
    const rows = await queries.query(text, values)
    const headPosition = Number(rows[0]?.[0])
    const forward = options.direction !== 'backward'
    const from = forward ? (options.fromPosition ?? 1) : Math.min(options.fromPosition ?? headPosition, headPosition)
    // Without any event there is one row that says where the head is.
    const found = rows[0]?.[1] === null ? [] : rows
    const { types, category, correlationId, tenant } = options
    if ((types ?? category ?? correlationId ?? tenant) === undefined) {
      const count = Math.min(maxCount, forward ? headPosition - from + 1 : from)
      assertGapless(found, { at: 1, first: from, step: forward ? 1 : -1, count }, 'the event at position')
    }
    const events = eventsOf(found, rest, maxCount)
    const last = events.length === maxCount ? events.at(-1)?.position : undefined
    if (last !== undefined) return { events, lastPosition: last, headPosition }
    if (found.length === limit) return { events, lastPosition: Number(found.at(-1)?.[1]), headPosition }
    const end = forward ? Math.min(headPosition, from + window - 1) : Math.max(1, from - window + 1)
    return { events, lastPosition: forward ? Math.max(from - 1, end) : Math.min(from + 1, end), headPosition }
  }
}

const PARAMETERS = { streamId: '$1', fromVersion: '$2::bigint', maxCount: '$3::bigint' }

/**
 * Versions have no gap, so that a page is a range of them, and costs its own events however long the stream is. They are compared one
 * by one: beside the equality of the stream, PostgreSQL would go through an index from the stream's first version to find where a
 * comparison of whole rows begins.
 */
function streamQuery(forward: boolean, { streamId, fromVersion, maxCount } = PARAMETERS): string {
  const from = forward ? fromVersion : `least(${fromVersion}, s.version)`
  const [comparison, beyond, end, order] = forward
    ? ['>=', '<', `${from} + ${maxCount}`, '']
    : ['<=', '>', `${from} - ${maxCount}`, 'DESC']
  return `SELECT s.version, s.category, s.state, e.* FROM "edict".streams s LEFT JOIN LATERAL (
      SELECT ${EVENT_COLUMNS} FROM "edict".events e
      WHERE e.stream_id = ${streamId} AND e.stream_version ${comparison} ${from} AND e.stream_version ${beyond} ${end}
      ORDER BY e.stream_id ${order}, e.stream_version ${order}
    ) e ON true WHERE s.stream_id = ${streamId}`
}

/** Each stream by itself, as OFFSET keeps the planner from joining them with all streams that there are. */
const STREAMS_QUERY = `SELECT r.place, f.* FROM unnest($1::text[], $2::bigint[], $3::bigint[])
    WITH ORDINALITY AS r (stream_id, from_version, max_count, place)
    CROSS JOIN LATERAL (${streamQuery(true, { streamId: 'r.stream_id', fromVersion: 'r.from_version', maxCount: 'r.max_count' })} OFFSET 0) f
    ORDER BY r.place, f.stream_version`

/** What the rows say of a stream; `at` is where in a row its version is. */
function sliceOf(rows: readonly Row[], at: number, streamId: string, asked: Required<ReadStreamOptions>): StreamSlice {
  const { direction, fromVersion, maxCount } = asked
  const [first] = rows
  if (first === undefined) return { events: [], streamVersion: 0, category: undefined, state: undefined }
  const category = first[at + 1] as string
  const streamVersion = Number(first[at])
  // A stream that has no event there is one row without any.
  const found = first[at + 3] === null ? [] : rows
  const forward = direction === 'forward'
  const from = forward ? fromVersion : Math.min(fromVersion, streamVersion)
  const count = Math.min(maxCount, forward ? streamVersion - from + 1 : from)
  assertGapless(found, { at: at + 4, first: from, step: forward ? 1 : -1, count }, `of ${streamId} the version`)
  const events = found.map((row) => eventOf(row, at + 3, streamId, category))
  return { events, streamVersion, category, state: first[at + 2] as StreamState }
}

function eventsOf(rows: readonly Row[], rest: (event: StoredEvent) => boolean, maxCount: number): StoredEvent[] {
  const events: StoredEvent[] = []
  for (const row of rows) {
    if (events.length === maxCount) break
    const at = 1 + EVENT_COLUMN_COUNT
    const event = eventOf(row, 1, row[at] as string, row[at + 1] as string)
    if (rest(event)) events.push(event)
  }
  return events
}
