import type { ListCommandsOptions } from '../../event-store/command-queue-store.ts'
import { UNFINISHED } from '../../event-store/command-states.ts'
import { textArray } from './array-literal.ts'
import { COMMAND_COLUMNS, STANDING_COLUMNS } from './command-rows.ts'
import type { Parameter } from './database.ts'

const LANES = [0, 1, 2]

/** The standing of what is over has all of these columns, and the queue lacks one of them. */
const columns = (standing: (column: string) => string) =>
  COMMAND_COLUMNS.map((column) => (STANDING_COLUMNS.includes(column) ? standing(column) : `c.${column}`)).join(', ')

/** What time it is, once for a whole statement. */
const AT_ONE_TIME = 'WITH clock AS MATERIALIZED (SELECT "edict".now_ms() AS now_ms)'
/** Nobody has begun it before its deadline, and its row does not say so yet. */
const IS_LATE =
  "(coalesce(q.expires_at <= (SELECT now_ms FROM clock), false) AND q.attempts = 0 AND q.state <> 'running')"
const STATE = `CASE WHEN ${IS_LATE} THEN 'expired' ELSE q.state END`
/** Where a command of the queue stands in truth. */
const STANDING: Readonly<Record<string, string>> = {
  state: STATE,
  changed_at: `CASE WHEN ${IS_LATE} THEN greatest(q.expires_at, c.enqueued_at) ELSE q.changed_at END`,
  result: 'NULL',
}
const ofQueue = (column: string) => STANDING[column] ?? `q.${column}`
const OF_QUEUE = columns(ofQueue)
const OF_OUTCOME = columns((column) => `o.${column}`)
const OF_EITHER = columns((column) => `coalesce(o.${column}, ${ofQueue(column)})`)

/** Every command, with where it stands. */
const EITHER = `SELECT ${OF_EITHER} FROM "edict".commands c
  LEFT JOIN "edict".command_outcomes o ON o.position = c.position
  LEFT JOIN "edict".command_queue q
    ON q.stream_id = c.stream_id AND q.lane = c.lane AND q.waiting IN (false, true) AND q.position = c.position`

export const READ_SQL = `${AT_ONE_TIME} ${EITHER} WHERE c.command_id = ANY ($1)`
export const READ_AT_SQL = `${AT_ONE_TIME} ${EITHER} WHERE c.position = ANY ($1)`

/** For each state and lane how many there are, and since when the first of them is due. */
export const COUNT_SQL = `${AT_ONE_TIME}
  SELECT s.state, s.lane, sum(s.count), min(s.due_at) FROM (
    SELECT n.state, n.lane, count(*) AS count, CASE WHEN n.state <> 'expired' THEN min(n.due_at) END AS due_at
    FROM (SELECT ${STATE} AS state, q.lane, q.due_at FROM "edict".command_queue q) n GROUP BY n.state, n.lane
    UNION ALL
    SELECT o.state, o.lane, count(*), min(o.due_at) FROM "edict".command_outcomes o
    WHERE o.state = 'dead' AND ($1::text[] IS NULL OR o.state = ANY ($1)) GROUP BY o.state, o.lane
    UNION ALL
    SELECT o.state, o.lane, count(*), NULL FROM "edict".command_outcomes o
    WHERE o.state = ANY (coalesce($1, '{completed,rejected,expired,cancelled,discarded}')) AND o.state <> 'dead'
    GROUP BY o.state, o.lane
  ) s
  WHERE $1::text[] IS NULL OR s.state = ANY ($1) GROUP BY s.state, s.lane`

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
    const own = states === undefined ? [] : [`coalesce(o.state, ${STATE}) = ANY (${value(textArray(states))}::text[])`]
    return { sql: `${AT_ONE_TIME} ${selected(EITHER, 'c.position', own)}`, values }
  }
  const pendingOnes = `SELECT ${OF_QUEUE} FROM "edict".command_queue q JOIN "edict".commands c ON c.position = q.position`
  const ofOutcome = `SELECT ${OF_OUTCOME} FROM "edict".command_outcomes o JOIN "edict".commands c ON c.position = o.position`
  // Its key begins with the stream.
  const ofStream = () =>
    streamId === undefined ? [] : ['q.stream_id = c.stream_id', `q.stream_id = ${value(streamId)}`]
  const pending = states.filter((state) => UNFINISHED.has(state))
  const parts: string[] = []
  if (pending.length > 0) {
    const own = [`q.state = ANY (${value(textArray(pending))}::text[])`, `NOT ${IS_LATE}`, ...ofStream()]
    parts.push(selected(pendingOnes, 'q.position', own))
  }
  if (states.includes('expired')) {
    // As the index has it.
    const own = ['q.expires_at IS NOT NULL', IS_LATE, ...ofStream()]
    parts.push(selected(pendingOnes, 'q.position', own))
  }
  for (const state of new Set(states)) {
    if (UNFINISHED.has(state)) continue
    const name = value(state)
    for (const lane of LANES) parts.push(selected(ofOutcome, 'o.position', [`o.state = ${name}`, `o.lane = ${lane}`]))
  }
  if (parts.length === 0) return { sql: `${AT_ONE_TIME} ${EITHER} WHERE c.position > $1 AND false LIMIT $2`, values }
  return { sql: `${AT_ONE_TIME} SELECT * FROM (${parts.join(' UNION ALL ')}) AS found ORDER BY 1 LIMIT $2`, values }
}
