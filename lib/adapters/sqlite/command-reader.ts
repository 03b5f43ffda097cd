import type BetterSqlite3 from 'better-sqlite3'
import type {
  CommandCount,
  CommandState,
  ListCommandsOptions,
  QueuedCommand,
} from '../../event-store/command-queue-store.ts'
import { NEXT_DUE_SQL, NEXT_LEASE_SQL } from './command-claims.ts'
import { OF_COMMAND_ID_SQL } from './command-queue.ts'
import { COMMAND_COLUMNS, commandOf, type CommandRow } from './command-rows.ts'
import type { Database } from './driver.ts'

/** Those that are not over, and have an index by their state. */
const OPEN = ['delayed', 'queued', 'running', 'dead'] as const
const OPEN_LIST = OPEN.map((state) => `'${state}'`).join(', ')

/** Whether a claim would find something. */
export const CLAIMABLE_SQL = `SELECT EXISTS (SELECT 1 FROM edict_command_groups WHERE owner IS NULL AND next_position IS NOT NULL)
  OR EXISTS (SELECT 1 FROM edict_command_groups WHERE owner IS NOT NULL AND expires_at <= @now)
  OR EXISTS (SELECT 1 FROM edict_commands WHERE state = 'delayed' AND due_at <= @now)`

const COUNTED = `SELECT state, lane, count(*) AS count, min(due_at) AS oldestDueAt FROM edict_commands`

export const OPEN_COUNTS_SQL = `${COUNTED} WHERE state IN (${OPEN_LIST}) GROUP BY state, lane`

interface CountRow extends Omit<CommandCount, 'oldestDueAt'> {
  readonly oldestDueAt: number
}

/** What is read of commands, on the connection that reads. */
export class CommandReader {
  readonly #reading: Database
  readonly #ofId: BetterSqlite3.Statement<[string], CommandRow>
  readonly #claimable: BetterSqlite3.Statement<unknown[], 0 | 1>
  readonly #nextDue: BetterSqlite3.Statement<[], number | null>
  readonly #nextLease: BetterSqlite3.Statement<[string], number>

  constructor(reading: Database) {
    this.#reading = reading
    this.#ofId = reading.prepare<[string], CommandRow>(OF_COMMAND_ID_SQL)
    this.#claimable = reading.prepare<unknown[], 0 | 1>(CLAIMABLE_SQL).pluck()
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
    return [...new Set(commandIds)].flatMap((commandId) => {
      const row = this.#ofId.get(commandId)
      return row === undefined ? [] : [commandOf(row)]
    })
  }

  list(options: ListCommandsOptions): readonly QueuedCommand[] {
    const { sql, values } = listQuery(options)
    return this.#reading
      .prepare<unknown[], CommandRow>(sql)
      .all(...values)
      .map(commandOf)
  }

  count(states?: readonly CommandState[]): readonly CommandCount[] {
    const isWanted = (state: CommandState) => states?.includes(state) !== false
    const sql = states?.every(isOpen) === true ? OPEN_COUNTS_SQL : `${COUNTED} GROUP BY state, lane`
    return this.#reading
      .prepare<[], CountRow>(sql)
      .all()
      .filter(({ state }) => isWanted(state))
      .map((row) => (isOpen(row.state) ? row : { ...row, oldestDueAt: undefined }))
  }
}

function isOpen(state: CommandState): boolean {
  return (OPEN as readonly CommandState[]).includes(state)
}

/** By position; those of a correlation, or of states that are not over, are found by an index. */
export function listQuery(options: ListCommandsOptions): { readonly sql: string; readonly values: readonly unknown[] } {
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
  if (states !== undefined) oneOf('state', states)
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
