import type BetterSqlite3 from 'better-sqlite3'
import type {
  ClaimCommandsOptions,
  ClaimedCommands,
  GroupClaim,
  GroupHold,
  QueuedCommand,
} from '../../event-store/command-queue-store.ts'
import type { CommandQueue } from './command-queue.ts'
import type { CommandGroups, DueGroup, ExpiredGroup, GroupName } from './command-groups.ts'
import { COMMAND_COLUMNS, commandOf, type CommandRow } from './command-rows.ts'
import type { Database } from './driver.ts'

/** So many commands whose time has come are queued by one claim at the most. */
const MOST_PROMOTED = 1_000
/** So many whose deadlines have passed are over by one. */
const MOST_EXPIRED = 1_000

export const TO_COME_SQL = `SELECT position FROM edict_commands
  WHERE state = 'delayed' AND due_at <= ? ORDER BY due_at LIMIT ${MOST_PROMOTED}`
export const OF_GROUP_SQL = `SELECT ${COMMAND_COLUMNS}, stage FROM edict_commands
  WHERE stream_id = ? AND lane = ? AND stage IS NOT NULL ORDER BY position LIMIT ?`
export const RUNNING_OF_GROUP_SQL = `SELECT ${COMMAND_COLUMNS} FROM edict_commands
  WHERE stream_id = ? AND lane = ? AND stage IS NOT NULL AND stage = 'running' ORDER BY position LIMIT ?`
/** Whether a command has to wait for one before it. */
export const BEHIND_BLOCKER_SQL = `SELECT 1 FROM edict_commands
  WHERE stream_id = ? AND lane = ? AND position < ? AND stage IS NOT NULL AND stage = 'blocking' LIMIT 1`
/** When the next command becomes due, and when the lease of another runs out. */
export const NEXT_DUE_SQL = `SELECT min(due_at) FROM edict_commands WHERE state = 'delayed'`
export const NEXT_LEASE_SQL = `SELECT expires_at FROM edict_command_groups
  WHERE owner IS NOT NULL AND owner <> ? ORDER BY expires_at LIMIT 1`

interface StagedRow extends CommandRow {
  readonly stage: 'due' | 'blocking'
}

/** A group that can be claimed. */
interface Candidate extends DueGroup {
  /** What its former owner left behind, the first of it first. */
  readonly interrupted: readonly CommandRow[]
}

/** The claims of commands, within the transactions of the writing connection. */
export class CommandClaims {
  readonly #queue: CommandQueue
  readonly #groups: CommandGroups
  readonly #promote: BetterSqlite3.Statement<[number, number], GroupName>
  readonly #ofGroup: BetterSqlite3.Statement<[string, number, number], StagedRow>
  readonly #running: BetterSqlite3.Statement<[string, number, number], CommandRow>
  readonly #isBehindBlocker: BetterSqlite3.Statement<[string, number, number], 1>
  readonly #start: BetterSqlite3.Statement
  readonly #giveBack: BetterSqlite3.Statement
  readonly #nextDue: BetterSqlite3.Statement<[], number | null>
  readonly #nextLease: BetterSqlite3.Statement<[string], number>

  constructor(writing: Database, queue: CommandQueue) {
    this.#queue = queue
    this.#groups = queue.groups
    this.#promote = writing.prepare<[number, number], GroupName>(
      `UPDATE edict_commands SET state = 'queued', changed_at = ? WHERE position IN (${TO_COME_SQL})
        RETURNING stream_id AS streamId, lane`,
    )
    this.#ofGroup = writing.prepare<[string, number, number], StagedRow>(OF_GROUP_SQL)
    this.#running = writing.prepare<[string, number, number], CommandRow>(RUNNING_OF_GROUP_SQL)
    this.#isBehindBlocker = writing.prepare<[string, number, number], 1>(BEHIND_BLOCKER_SQL).pluck()
    this.#start = writing.prepare(
      `UPDATE edict_commands SET state = 'running', attempts = attempts + @counted, changed_at = @now,
        expires_at = CASE WHEN @counted = 0 THEN expires_at END WHERE position = @position`,
    )
    // Its owner may have begun it all the same, before it could say that those before it were done.
    this.#giveBack = writing.prepare(
      `UPDATE edict_commands SET state = 'queued', changed_at = ?, expires_at = NULL WHERE position = ?`,
    )
    this.#nextDue = writing.prepare<[], number | null>(NEXT_DUE_SQL).pluck()
    this.#nextLease = writing.prepare<[string], number>(NEXT_LEASE_SQL).pluck()
  }

  /** Undefined where so much has expired meanwhile that others are to have their turn before it is gone on with. */
  claim({ owner, groups, commandsOfEach, lease }: ClaimCommandsOptions): ClaimedCommands | undefined {
    const now = Date.now()
    if (this.#queue.expire(now, MOST_EXPIRED)) return undefined
    this.#promoteDue(now)
    // One more than is asked for tells whether there is more.
    const candidates = [...this.#expired(now), ...this.#groups.due(groups + 1).map(asCandidate)].sort(inTurn)
    const claims = candidates
      .slice(0, groups)
      .map((candidate) => this.#take(candidate, owner, commandsOfEach, now, now + lease))
    return { claims, nextIn: candidates.length > groups ? 0 : this.#nextIn(owner, now) }
  }

  renew(owner: string, lease: number): readonly GroupHold[] {
    return this.#groups.renew(owner, Date.now() + lease)
  }

  #promoteDue(now: number): void {
    const promoted = new Map(this.#promote.all(now, now).map((group) => [`${group.lane} ${group.streamId}`, group]))
    for (const group of promoted.values()) this.#groups.changed(group)
  }

  #expired(now: number): readonly Candidate[] {
    return this.#groups.expired(now).flatMap(({ streamId, lane, running }: ExpiredGroup) => {
      const interrupted = this.#running.all(streamId, lane, running)
      const [first] = interrupted
      if (first === undefined || this.#isBehindBlocker.get(streamId, lane, first.position) === 1) {
        this.#giveUp({ streamId, lane }, interrupted, now)
        return []
      }
      return [{ streamId, lane, position: first.position, interrupted }]
    })
  }

  /** What has to wait for a strict command goes back as it was. */
  #giveUp(group: GroupName, interrupted: readonly CommandRow[], now: number): void {
    for (const { position } of interrupted) this.#giveBack.run(now, position)
    this.#groups.free(group)
  }

  #take(
    { streamId, lane, interrupted }: Candidate,
    owner: string,
    limit: number,
    now: number,
    until: number,
  ): GroupClaim {
    const [first, ...others] = interrupted
    for (const { position } of others) this.#giveBack.run(now, position)
    const commands =
      first === undefined
        ? this.#due(streamId, lane, limit).map((row) => this.#started(row, 0, now))
        : [this.#started(first, 1, now)]
    const epoch = this.#groups.hold({ streamId, lane }, owner, until, commands.length)
    return { streamId, lane, epoch, commands }
  }

  #due(streamId: string, lane: number, limit: number): readonly CommandRow[] {
    const rows = this.#ofGroup.all(streamId, lane, limit)
    const blocked = rows.findIndex(({ stage }) => stage === 'blocking')
    return (blocked < 0 ? rows : rows.slice(0, blocked)).map(({ stage: _, ...row }) => row)
  }

  #started(row: CommandRow, counted: 0 | 1, now: number): QueuedCommand {
    this.#start.run({ counted, now, position: row.position })
    return commandOf({ ...row, state: 'running', attempts: row.attempts + counted, changedAt: now })
  }

  #nextIn(owner: string, now: number): number | undefined {
    const next = Math.min(this.#nextDue.get() ?? Infinity, this.#nextLease.get(owner) ?? Infinity)
    return next === Infinity ? undefined : Math.max(0, next - now)
  }
}

function asCandidate(group: DueGroup): Candidate {
  return { ...group, interrupted: [] }
}

function inTurn(one: Candidate, other: Candidate): number {
  return one.lane - other.lane || one.position - other.position
}
