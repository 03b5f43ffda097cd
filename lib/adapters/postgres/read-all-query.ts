import type { ReadAllOptions } from '../../event-store/event-store.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import { textArray } from './array-literal.ts'
import type { Parameter } from './database.ts'
import { EVENT_COLUMNS } from './event-rows.ts'
import type { SchemaName } from './schema-name.ts'

/** A look at all events: a row for each, with the head position before it; one with the head alone where there is none. */
export interface AllQuery {
  readonly text: string
  readonly values: readonly Parameter[]
  /** How many positions are looked at, where fewer events than asked for were found. */
  readonly window: number
  /** No more events than this are found by one call. */
  readonly limit: number
  /** What is left to be looked at in each event that was found. */
  readonly rest: (event: StoredEvent) => boolean
}

/** So many positions are looked at in one call, where a filter that no index has may pass few of them. */
const WINDOW = 20_000

/** So many events of a correlation are looked at in one call at least, where something else is asked of them, too. */
const LEAST_OF_CORRELATION = 1_000

const everything = () => true

/**
 * Each filter that an index has is compared as a whole row, which no other index can do: so the plan does not depend on what the
 * statistics say of how common a category is, and a page never costs more than its own events.
 */
export function allQuery(
  schema: SchemaName,
  {
    fromPosition,
    maxCount,
    direction = 'forward',
    types,
    category,
    correlationId,
  }: ReadAllOptions & { maxCount: number },
): AllQuery {
  const forward = direction === 'forward'
  // Of one correlation there are few events: what else is asked of them is looked at when they are there.
  const filtered = correlationId !== undefined && (types !== undefined || category !== undefined)
  const rest = ({ type, category: found }: StoredEvent) =>
    (types === undefined || types.has(type)) && (category === undefined || category === found)
  const limit = filtered ? Math.max(maxCount, LEAST_OF_CORRELATION) : maxCount
  const values: Parameter[] = [fromPosition ?? (forward ? 1 : Number.MAX_SAFE_INTEGER), limit]
  const parameter = (value: Parameter) => `$${values.push(value)}`
  const order = forward ? '' : ' DESC'
  // Above the head there is nothing, so that a window that begins there would be empty.
  const from = forward ? '$1::bigint' : 'least($1::bigint, h.position)'
  const comparison = forward ? '>=' : '<='
  const windowed = types !== undefined && correlationId === undefined
  const end = windowed ? `${from} ${forward ? '+' : '-'} ${WINDOW - 1}` : forward ? `${Number.MAX_SAFE_INTEGER}` : '0'

  const leading = correlationId ?? category
  const column = correlationId === undefined ? 'category' : 'correlation_id'
  let conditions: string
  let ordering = `e.position${order}`
  if (leading !== undefined) {
    const lead = parameter(leading)
    const beyond = forward ? '<=' : '>='
    const place = `(e.${column}, e.position)`
    conditions = `e.${column} = ${lead} AND ${place} ${comparison} (${lead}, ${from}) AND ${place} ${beyond} (${lead}, ${end})`
    ordering = `e.${column}${order}, e.position${order}`
  } else {
    conditions = `e.position ${comparison} ${from}`
    if (windowed) conditions += ` AND e.position ${forward ? '<=' : '>='} ${end}`
  }
  if (windowed) conditions += ` AND e.type = ANY (${parameter(textArray([...types]))}::text[])`
  const text = `SELECT h.position, e.* FROM (SELECT coalesce(max(position), 0) AS position FROM "edict".events) h
    LEFT JOIN LATERAL (
      SELECT ${EVENT_COLUMNS}, e.stream_id, e.category FROM "edict".events e
      WHERE ${conditions} ORDER BY ${ordering} LIMIT $2
    ) e ON true`
  return {
    text: schema.sql(text),
    values,
    window: windowed ? WINDOW : Number.MAX_SAFE_INTEGER,
    limit,
    rest: filtered ? rest : everything,
  }
}
