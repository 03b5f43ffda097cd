import type BetterSqlite3 from 'better-sqlite3'
import type {
  CommandState,
  EnqueueResult,
  GroupHold,
  NewQueuedCommand,
  Settlement,
} from '../../event-store/command-queue-store.ts'
import { CAME_TO_NOTHING } from '../../event-store/command-states.ts'
import { CommandGroups, type GroupName } from './command-groups.ts'
import { asOf, COMMAND_COLUMNS, commandOf, newCommandRow, type CommandRow } from './command-rows.ts'
import type { Database } from './driver.ts'

export const OF_COMMAND_ID_SQL = `SELECT ${COMMAND_COLUMNS} FROM edict_commands WHERE command_id = ?`
export const OF_KEY_SQL = `SELECT ${COMMAND_COLUMNS} FROM edict_commands
  WHERE ifnull(tenant, '') = ? AND idempotency_key IS NOT NULL AND idempotency_key = ?`
export const OVER_SQL = `SELECT position FROM edict_commands
  WHERE state IN ('completed', 'rejected', 'expired', 'cancelled', 'discarded') AND changed_at <= ? ORDER BY changed_at LIMIT ?`

/** Those that nobody has begun in time. */
export const LATE_SQL = `SELECT position FROM edict_commands
  WHERE expires_at IS NOT NULL AND state IN ('delayed', 'queued') AND expires_at <= ? ORDER BY expires_at LIMIT ?`

/** What is done to stored commands by their ids. */
export type CommandChange = 'cancel' | 'replay' | 'discard'

/** The commands of a store: what is written of them, within the transactions of the writing connection. */
export class CommandQueue {
  readonly groups: CommandGroups
  readonly #insert: BetterSqlite3.Statement
  readonly #ofId: BetterSqlite3.Statement<[string], CommandRow>
  readonly #ofKey: BetterSqlite3.Statement<[string, string], CommandRow>
  readonly #delete: BetterSqlite3.Statement
  readonly #settle: BetterSqlite3.Statement
  readonly #expireLate: BetterSqlite3.Statement<[number, number], GroupName>
  readonly #expireOne: BetterSqlite3.Statement<[string, number], GroupName>
  readonly #changes: Readonly<Record<CommandChange, BetterSqlite3.Statement<unknown[], GroupName>>>
  readonly #purge: BetterSqlite3.Statement

  constructor(writing: Database) {
    this.groups = new CommandGroups(writing)
    this.#insert = writing.prepare(
      `INSERT INTO edict_commands (command_id, state, stream_id, lane, strict, by_caller, due_at, enqueued_at, changed_at, created_at,
        deadline, expires_at, depth, type, content_type, fingerprint, idempotency_key, tenant, causation_id, correlation_id, metadata, options,
        utf16, data)
        VALUES (@commandId, @state, @streamId, @lane, @strict, @byCaller, @dueAt, @now, @now, @createdAt, @deadline, @expiresAt, @depth, @type,
        @contentType, @fingerprint, @idempotencyKey, @tenant, @causationId, @correlationId, @metadata, @options, @utf16, @data)
        ON CONFLICT DO NOTHING`,
    )
    this.#ofId = writing.prepare<[string], CommandRow>(OF_COMMAND_ID_SQL)
    this.#ofKey = writing.prepare<[string, string], CommandRow>(OF_KEY_SQL)
    this.#delete = writing.prepare('DELETE FROM edict_commands WHERE position = ?')
    this.#settle = writing.prepare(
      `UPDATE edict_commands SET state = @state, attempts = attempts + @counted, failure = coalesce(@failure, failure),
        result = @result, due_at = coalesce(@dueAt, due_at), changed_at = @now,
        expires_at = CASE WHEN @dueAt IS NULL THEN expires_at END
        WHERE command_id = @commandId AND state = 'running' AND by_caller = @byCaller
          AND (by_caller = 1 OR (stream_id = @streamId AND lane = @lane))`,
    )
    const expire = (
      where: string,
    ) => `UPDATE edict_commands SET state = 'expired', changed_at = max(expires_at, enqueued_at)
      WHERE ${where} RETURNING stream_id AS streamId, lane`
    this.#expireLate = writing.prepare<[number, number], GroupName>(expire(`position IN (${LATE_SQL})`))
    this.#expireOne = writing.prepare<[string, number], GroupName>(
      expire(`command_id = ? AND state IN ('delayed', 'queued') AND expires_at <= ?`),
    )
    const change = (set: string, states: string) =>
      writing.prepare<unknown[], GroupName>(
        `UPDATE edict_commands SET ${set}, changed_at = @now WHERE command_id = @commandId AND state IN (${states})
          RETURNING stream_id AS streamId, lane`,
      )
    this.#changes = {
      cancel: change("state = 'cancelled'", "'delayed', 'queued'"),
      replay: change("state = 'queued', attempts = 0, due_at = @now, by_caller = 0, expires_at = NULL", "'dead'"),
      discard: change("state = 'discarded'", "'dead'"),
    }
    this.#purge = writing.prepare(`DELETE FROM edict_commands WHERE position IN (${OVER_SQL})`)
  }

  enqueue(commands: readonly NewQueuedCommand[]): readonly EnqueueResult[] {
    const now = Date.now()
    return commands.map((command) => this.#add(command, now) ?? this.#addAgain(command, now))
  }

  /** Undefined where one of its id or its key is there. */
  #add(command: NewQueuedCommand, now: number, mayHaveBegun = false): EnqueueResult | undefined {
    const { commandId, notBefore, delay = 0 } = command
    const dueAt = Math.max(now, notBefore ?? now + delay)
    const state = command.byCaller ? 'running' : dueAt > now ? 'delayed' : 'queued'
    const row = newCommandRow(command, state, now, dueAt)
    const { changes, lastInsertRowid } = this.#insert.run(mayHaveBegun ? { ...row, expiresAt: null } : row)
    if (changes === 0) return undefined
    const position = Number(lastInsertRowid)
    if (state === 'queued') this.groups.added(command, position)
    return { status: 'enqueued', position, commandId }
  }

  #addAgain(command: NewQueuedCommand, now: number): EnqueueResult {
    const { commandId, idempotencyKey, tenant = '', fingerprint } = command
    const ofKey = idempotencyKey === undefined ? undefined : this.#ofKey.get(tenant, idempotencyKey)
    const found = [this.#ofId.get(commandId), ofKey]
      .filter((row) => row !== undefined)
      .map((row) => (this.#isExpired(row.commandId, now) ? asOf(now, row) : row))
    for (const row of found) {
      if (row.fingerprint !== fingerprint) return { status: 'duplicate', command: commandOf(row) }
      if (!CAME_TO_NOTHING.has(row.state)) return { status: 'known', command: commandOf(row) }
    }
    for (const row of found) {
      this.#delete.run(row.position)
      if (row.strict === 1 && row.state === 'dead') this.groups.changed(row)
    }
    // Of a dead letter of its id somebody has to look what came of it.
    const mayHaveBegun = found.some((row) => row.commandId === commandId && isDeadLetter(row.state))
    // What stood in its way is gone, so that it is stored.
    return this.#add(command, now, mayHaveBegun) as EnqueueResult
  }

  #isExpired(commandId: string, now: number): boolean {
    return this.#changed(this.#expireOne.all(commandId, now))
  }

  /** So many of those that nobody has begun in time are over. @returns whether there may be more */
  expire(now: number, limit: number): boolean {
    const late = this.#expireLate.all(now, limit)
    this.#changed(late)
    return late.length === limit
  }

  #changed(changed: readonly GroupName[]): boolean {
    const groups = new Map(changed.map((group) => [`${group.lane} ${group.streamId}`, group]))
    for (const group of groups.values()) this.groups.changed(group)
    return changed.length > 0
  }

  settle(settlements: readonly Settlement[]): readonly boolean[] {
    const now = Date.now()
    const holds = new Holds(this.groups)
    const answers = settlements.map((settlement) => {
      const { hold } = settlement
      const running = holds.running(hold)
      if (running === undefined) return false
      const { changes } = this.#settle.run(settled(settlement, now))
      if (changes > 0 && hold !== undefined) holds.set(hold, running - 1)
      return changes > 0
    })
    holds.write()
    return answers
  }

  change(change: CommandChange, commandIds: readonly string[]): readonly boolean[] {
    const now = Date.now()
    const statement = this.#changes[change]
    return commandIds.map((commandId) => {
      if (change === 'cancel' && this.#isExpired(commandId, now)) return false
      const group = statement.get({ now, commandId })
      if (group !== undefined) this.groups.changed(group)
      return group !== undefined
    })
  }

  purge(olderThan: number, limit: number): number {
    return this.#purge.run(Date.now() - olderThan, limit).changes
  }
}

function isDeadLetter(state: CommandState): boolean {
  return state === 'dead' || state === 'discarded'
}

/** How many commands run under each hold, as a call changes it. */
class Holds {
  readonly #groups: CommandGroups
  readonly #running = new Map<string, { readonly hold: GroupHold; readonly before: number | undefined; now: number }>()

  constructor(groups: CommandGroups) {
    this.#groups = groups
  }

  /** Undefined where it does not hold; 0 where none is needed. */
  running(hold: GroupHold | undefined): number | undefined {
    if (hold === undefined) return 0
    const name = nameOf(hold)
    const found = this.#running.get(name)
    if (found !== undefined) return found.before === undefined ? undefined : found.now
    const before = this.#groups.runningUnder(hold)
    this.#running.set(name, { hold, before, now: before ?? 0 })
    return before
  }

  set(hold: GroupHold, running: number): void {
    const found = this.#running.get(nameOf(hold))
    if (found !== undefined) found.now = running
  }

  write(): void {
    for (const { hold, before, now } of this.#running.values()) {
      if (before !== undefined && before !== now) this.#groups.settled(hold, now)
    }
  }
}

function nameOf({ streamId, lane, epoch }: GroupHold): string {
  return `${lane} ${epoch} ${streamId}`
}

/** What a settlement writes. */
function settled(settlement: Settlement, now: number): Readonly<Record<string, unknown>> {
  const { commandId, state, hold } = settlement
  const counts = state === 'delayed' || ('failed' in settlement && settlement.failed)
  return {
    ...{ commandId, state, now, counted: counts ? 1 : 0 },
    byCaller: hold === undefined ? 1 : 0,
    streamId: hold?.streamId ?? null,
    lane: hold?.lane ?? null,
    failure: 'failure' in settlement ? JSON.stringify(settlement.failure) : null,
    result: state === 'completed' && settlement.result !== undefined ? JSON.stringify(settlement.result) : null,
    dueAt: state === 'delayed' ? now + settlement.delay : null,
  }
}
