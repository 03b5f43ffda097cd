import type { CommandState, ListCommandsOptions } from '../../event-store/command-queue-store.ts'
import { textArray } from './array-literal.ts'
import { COMMAND_COLUMNS, STANDING_COLUMNS } from './command-rows.ts'
import type { Parameter } from './database.ts'

const PENDING: ReadonlySet<CommandState> = new Set(['delayed', 'queued', 'running'])
const LANES = [0, 1, 2]

/** The standing of what is over has all of these columns, and the queue lacks one of them. */
const columns = (standing: (column: string) => string) =>
  COMMAND_COLUMNS.map((column) => (STANDING_COLUMNS.includes(column) ? standing(column) : `c.${column}`)).join(', ')

const OF_QUEUE = columns((column) => (column === 'result' ? 'NULL' : `q.${column}`))
const OF_OUTCOME = columns((column) => `o.${column}`)
const OF_EITHER = columns((column) => (column === 'result' ? 'o.result' : `coalesce(o.${column}, q.${column})`))

/** Every command, with where it stands. */
const EITHER = `SELECT ${OF_EITHER} FROM "edict".commands c
  LEFT JOIN "edict".command_outcomes o ON o.position = c.position
  LEFT JOIN "edict".command_queue q
    ON q.stream_id = c.stream_id AND q.lane = c.lane AND q.waiting IN (false, true) AND q.position = c.position`

export const READ_SQL = `${EITHER} WHERE c.command_id = ANY ($1)`
export const READ_AT_SQL = `${EITHER} WHERE c.position = ANY ($1)`

export interface Query {
  readonly sql: string
  readonly values: readonly Parameter[]
}

/**
 * The commands that are asked for, by position. By their states they are found from the other side: what is over is much, and what
 * has a certain state may be little.
 */
export function listQuery(options: ListCommandsOptions): Query {
  const { states, types, streamId, tenant, correlationId, after = 0, limit = 100 } = options
  const values: Parameter[] = [after, limit]
  const value = (given: Parameter) => `$${values.push(given)}`
  const conditions: string[] = []
  if (types !== undefined) conditions.push(`c.type = ANY (${value(textArray(types))}::text[])`)
  if (streamId !== undefined) conditions.push(`c.stream_id = ${value(streamId)}`)
  if (tenant !== undefined) conditions.push(`c.tenant = ${value(tenant)}`)
  if (correlationId !== undefined) {
    const id = value(correlationId)
    conditions.push(`(c.correlation_id = ${id} OR (c.command_id = ${id} AND c.correlation_id IS NULL))`)
  }
  const selected = (from: string, position: string, own: readonly string[]) =>
    `(${from} WHERE ${[...own, `${position} > $1`, ...conditions].join(' AND ')} ORDER BY ${position} LIMIT $2)`
  if (states === undefined || correlationId !== undefined) {
    const own = states === undefined ? [] : [`coalesce(o.state, q.state) = ANY (${value(textArray(states))}::text[])`]
    return { sql: selected(EITHER, 'c.position', own), values }
  }
  const ofQueue = `SELECT ${OF_QUEUE} FROM "edict".command_queue q JOIN "edict".commands c ON c.position = q.position`
  const ofOutcome = `SELECT ${OF_OUTCOME} FROM "edict".command_outcomes o JOIN "edict".commands c ON c.position = o.position`
  const pending = states.filter((state) => PENDING.has(state))
  const parts: string[] = []
  if (pending.length > 0) {
    const own = [`q.state = ANY (${value(textArray(pending))}::text[])`]
    // Its key begins with the stream.
    if (streamId !== undefined) own.push('q.stream_id = c.stream_id', `q.stream_id = ${value(streamId)}`)
    parts.push(selected(ofQueue, 'q.position', own))
  }
  for (const state of new Set(states)) {
    if (PENDING.has(state)) continue
    const name = value(state)
    for (const lane of LANES) parts.push(selected(ofOutcome, 'o.position', [`o.state = ${name}`, `o.lane = ${lane}`]))
  }
  if (parts.length === 0) return { sql: `${EITHER} WHERE c.position > $1 AND false LIMIT $2`, values }
  return { sql: `SELECT * FROM (${parts.join(' UNION ALL ')}) AS found ORDER BY 1 LIMIT $2`, values }
}
