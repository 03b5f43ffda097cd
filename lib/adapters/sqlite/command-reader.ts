import type BetterSqlite3 from 'better-sqlite3'
import type {
  CommandCount,
  CommandState,
  ListCommandsOptions,
  QueuedCommand,
} from '../../event-store/command-queue-store.ts'
import { NEXT_DUE_SQL, NEXT_LEASE_SQL } from './command-claims.ts'
import { OF_COMMAND_ID_SQL } from './command-queue.ts'
import { asOf, COMMAND_COLUMNS, commandOf, type CommandRow } from './command-rows.ts'
import type { Database } from './driver.ts'

/** Those that are not over, and have an index by their state. */
const OPEN = ['delayed', 'queued', 'running', 'dead'] as const
const OPEN_LIST = OPEN.map((state) => `'${state}'`).join(', ')

/** Their deadlines have passed before anybody had begun them, and their rows do not say so yet. */
const LATE = `expires_at IS NOT NULL AND state IN ('delayed', 'queued') AND expires_at <= @now`
/** As above, of a row that may be none of these. */
const isLate = (now: string) => `(state IN ('delayed', 'queued') AND ifnull(expires_at <= ${now}, 0))`

const ANY_LATE_SQL = `SELECT EXISTS (SELECT 1 FROM edict_commands WHERE ${LATE})`

/** Whether a claim would find something. */
export const CLAIMABLE_SQL = `SELECT EXISTS (SELECT 1 FROM edict_command_groups WHERE owner IS NULL AND next_position IS NOT NULL)
  OR EXISTS (SELECT 1 FROM edict_command_groups WHERE owner IS NOT NULL AND expires_at <= @now)
  OR EXISTS (SELECT 1 FROM edict_commands WHERE state = 'delayed' AND due_at <= @now)
  OR EXISTS (SELECT 1 FROM edict_commands WHERE ${LATE})`

const COUNTED = `SELECT state AS standing, lane, count(*) AS count, min(due_at) AS oldestDueAt FROM edict_commands`

export const OPEN_COUNTS_SQL = `${COUNTED} WHERE state IN (${OPEN_LIST}) GROUP BY state, lane`

/** As above, where there are late ones. */
const COUNTED_NOW = `SELECT CASE WHEN ${isLate('@now')} THEN 'expired' ELSE state END AS standing, lane, count(*) AS count,
  min(due_at) AS oldestDueAt FROM edict_commands GROUP BY standing, lane`

interface CountRow extends Pick<CommandCount, 'lane' | 'count'> {
  readonly standing: CommandState
  readonly oldestDueAt: number
}

/** What is read of commands, on the connection that reads. */
export class CommandReader {
  readonly #reading: Database
  readonly #ofId: BetterSqlite3.Statement<[string], CommandRow>
  readonly #claimable: BetterSqlite3.Statement<unknown[], 0 | 1>
  readonly #anyLate: BetterSqlite3.Statement<unknown[], 0 | 1>
  readonly #nextDue: BetterSqlite3.Statement<[], number | null>
  readonly #nextLease: BetterSqlite3.Statement<[string], number>

  constructor(reading: Database) {
    this.#reading = reading
    this.#ofId = reading.prepare<[string], CommandRow>(OF_COMMAND_ID_SQL)
    this.#claimable = reading.prepare<unknown[], 0 | 1>(CLAIMABLE_SQL).pluck()
    this.#anyLate = reading.prepare<unknown[], 0 | 1>(ANY_LATE_SQL).pluck()
    this.#nextDue = reading.prepare<[], number | null>(NEXT_DUE_SQL).pluck()
    this.#nextLease = reading.prepare<[string], number>(NEXT_LEASE_SQL).pluck()
  }

  /** What a claim that finds nothing would answer; undefined where it would find something. */
  idleFor(owner: string): { readonly nextIn: number | undefined } | undefined {
    const now = Date.now()
    if (this.#claimable.get({ now }) === 1) return undefined
    const next = Math.min(this.#nextDue.get() ?? Infinity, this.#nextLease.get(owner) ?? Infinity)
    return { nextIn: next === Infinity ? undefined : Math.max(0, next - now) }
  }

  read(commandIds: readonly string[]): readonly QueuedCommand[] {
    const now = Date.now()
    return [...new Set(commandIds)].flatMap((commandId) => {
      const row = this.#ofId.get(commandId)
      return row === undefined ? [] : [commandOf(asOf(now, row))]
    })
  }

  list(options: ListCommandsOptions): readonly QueuedCommand[] {
    const now = Date.now()
    const { sql, values } = listQuery(options, now)
    return this.#reading
      .prepare<unknown[], CommandRow>(sql)
      .all(...values)
      .map((row) => commandOf(asOf(now, row)))
  }

  count(states?: readonly CommandState[]): readonly CommandCount[] {
    const now = Date.now()
    const isWanted = ({ standing }: CountRow) => states?.includes(standing) !== false
    const anyLate = this.#anyLate.get({ now }) === 1
    const sql = states?.every(isOpen) === true ? OPEN_COUNTS_SQL : `${COUNTED} GROUP BY state, lane`
    const rows = anyLate
      ? this.#reading.prepare<unknown[], CountRow>(COUNTED_NOW).all({ now })
      : this.#reading.prepare<[], CountRow>(sql).all()
    return rows.filter(isWanted).map(({ standing: state, oldestDueAt, ...row }) => ({
      ...{ state, ...row },
      oldestDueAt: isOpen(state) ? oldestDueAt : undefined,
    }))
  }
}

function isOpen(state: CommandState): boolean {
  return (OPEN as readonly CommandState[]).includes(state)
}

function isPending(state: CommandState): boolean {
  return state === 'queued' || state === 'delayed'
}

/** By position; those of a correlation, or of states that are not over, are found by an index. */
export function listQuery(
  options: ListCommandsOptions,
  now: number,
): { readonly sql: string; readonly values: readonly unknown[] } {
  const { states, types, streamId, tenant, correlationId, after = 0, limit = 100 } = options
  const conditions = ['position > ?']
  const values: unknown[] = [after]
  const want = (condition: string, ...wanted: readonly unknown[]) => {
    conditions.push(condition)
    values.push(...wanted)
  }
  const oneOf = (column: string, wanted: readonly string[]) => {
    want(`${column} IN (${wanted.map(() => '?').join(', ')})`, ...wanted)
  }
  if (states !== undefined) {
    // What is late is expired, whatever its row says.
    const marks = states.map(() => '?').join(', ')
    if (states.includes('expired')) {
      want(`((state IN (${marks}) AND NOT ${isLate('?')}) OR ${isLate('?')})`, ...states, now, now)
    } else {
      oneOf('state', states)
      if (states.some(isPending)) want(`NOT ${isLate('?')}`, now)
    }
  }
  if (states?.every(isOpen) === true) conditions.push(`state IN (${OPEN_LIST})`)
  if (types !== undefined) oneOf('type', types)
  if (streamId !== undefined) want('stream_id = ?', streamId)
  if (tenant !== undefined) want('tenant = ?', tenant)
  if (correlationId !== undefined) {
    want('(correlation_id = ? OR (command_id = ? AND correlation_id IS NULL))', correlationId, correlationId)
  }
  const sql = `SELECT ${COMMAND_COLUMNS} FROM edict_commands WHERE ${conditions.join(' AND ')} ORDER BY position LIMIT ?`
  return { sql, values: [...values, limit] }
}
