import type { Direction, ReadAllOptions } from '../../event-store/event-store.ts'
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

/** So many events that an index gives are looked at in one call at least, where something else is asked of them, too. */
const LEAST_OF_FILTERED = 1_000

const everything = () => true

/**
 * What an index gives in order is asked for by one side of a range, in that order and up to a limit; what else is asked is looked at
 * around that. So the planner has no reason to gather and sort what it takes for few rows, whatever it knows of the tables (of new
 * ones, nothing), and a page costs no more than its own events.
 */
export function allQuery(schema: SchemaName, options: ReadAllOptions & { maxCount: number }): AllQuery {
  const { types, category, correlationId, tenant } = options
  if (correlationId !== undefined) return ofCorrelation(schema, options, correlationId)
  if (tenant !== undefined) return ofOwner(schema, options, 'tenant', tenant)
  if (category !== undefined) return ofOwner(schema, options, 'category', category)
  return types === undefined ? ofAll(schema, options) : ofTypes(schema, options, types)
}

function ofAll(schema: SchemaName, { fromPosition, maxCount, direction }: Limited): AllQuery {
  return whole(schema, inOrder(direction, '$2'), [fromPosition ?? startOf(direction), maxCount], maxCount)
}

/** Events of some types: no index is worth its cost to every append for what a look at the events tells. */
function ofTypes(
  schema: SchemaName,
  { fromPosition, maxCount, direction }: Limited,
  types: ReadonlySet<string>,
): AllQuery {
  // A CASE passes half of the rows, as far as the planner knows; of types that it knows nothing of it would expect next to none.
  const text = `SELECT e.* FROM (${inOrder(direction, `${WINDOW}`)}) e
      WHERE CASE WHEN e.type = ANY ($3::text[]) THEN true ELSE false END ORDER BY e.position${sideOf(direction).order} LIMIT $2`
  const values = [fromPosition ?? startOf(direction), maxCount, textArray([...types])]
  return { ...whole(schema, text, values, maxCount), window: WINDOW }
}

function ofOwner(
  schema: SchemaName,
  { fromPosition, maxCount, direction, types, category }: Limited,
  column: 'category' | 'tenant',
  value: string,
): AllQuery {
  const { comparison, order } = sideOf(direction)
  const filtered = types !== undefined || (column === 'tenant' && category !== undefined)
  const limit = filtered ? Math.max(maxCount, LEAST_OF_FILTERED) : maxCount
  // What follows the value in the index is read too, where there is no more of it; at most a page of it.
  const text = `SELECT e.* FROM (
        SELECT ${EVENT_COLUMNS}, e.stream_id, e.category FROM "edict".events e
        WHERE (e.${column}, e.position) ${comparison} ($3, $1::bigint) AND e.${column} IS NOT NULL
        ORDER BY e.${column}${order}, e.position${order} LIMIT $2
      ) e WHERE e.${column} = $3 ORDER BY e.position${order}`
  const values = [fromPosition ?? startOf(direction), limit, value]
  const rest = (event: StoredEvent) =>
    (types === undefined || types.has(event.type)) && (category === undefined || event.category === category)
  return { ...whole(schema, text, values, limit), rest }
}

/** Of one correlation there are few events: what else is asked of them is looked at when they are there. */
function ofCorrelation(
  schema: SchemaName,
  { fromPosition, maxCount, direction, types, category, tenant }: Limited,
  correlationId: string,
): AllQuery {
  const { comparison, order } = sideOf(direction)
  const filtered = (types ?? category ?? tenant) !== undefined
  const limit = filtered ? Math.max(maxCount, LEAST_OF_FILTERED) : maxCount
  const text = `SELECT ${EVENT_COLUMNS}, e.stream_id, e.category FROM "edict".events e
      WHERE e.correlation_id = $3 AND (e.correlation_id, e.position) ${comparison} ($3, $1::bigint)
      ORDER BY e.correlation_id${order}, e.position${order} LIMIT $2`
  const values = [fromPosition ?? startOf(direction), limit, correlationId]
  const rest = (event: StoredEvent) =>
    (types === undefined || types.has(event.type)) &&
    (category === undefined || event.category === category) &&
    (tenant === undefined || event.tenant === tenant)
  return { ...whole(schema, text, values, limit), rest }
}

type Limited = ReadAllOptions & { readonly maxCount: number }

function inOrder(direction: Direction | undefined, limit: string): string {
  const { comparison, order, from } = sideOf(direction)
  return `SELECT ${EVENT_COLUMNS}, e.stream_id, e.category FROM "edict".events e
      WHERE e.position ${comparison} ${from} ORDER BY e.position${order} LIMIT ${limit}`
}

function whole(schema: SchemaName, events: string, values: readonly Parameter[], limit: number): AllQuery {
  const text = `SELECT h.position, e.* FROM (SELECT coalesce(max(position), 0) AS position FROM "edict".events) h
    LEFT JOIN LATERAL (${events}) e ON true`
  return { text: schema.sql(text), values, window: Number.MAX_SAFE_INTEGER, limit, rest: everything }
}

function startOf(direction: Direction | undefined): number {
  return direction === 'backward' ? Number.MAX_SAFE_INTEGER : 1
}

function sideOf(direction: Direction | undefined) {
  return direction === 'backward'
    ? // Above the head there is nothing: a window that begins there would be empty.
      { comparison: '<=', order: ' DESC', from: 'least($1::bigint, h.position)' }
    : { comparison: '>=', order: '', from: '$1::bigint' }
}
