import type BetterSqlite3 from 'better-sqlite3'
import type { GroupHold, Lane } from '../../event-store/command-queue-store.ts'
import type { Database } from './driver.ts'

/** Those that can be claimed, in their order. */
export const DUE_GROUPS_SQL = `SELECT stream_id AS streamId, lane, next_position AS position FROM edict_command_groups
  WHERE owner IS NULL AND next_position IS NOT NULL ORDER BY lane, next_position LIMIT ?`

/** Those whose leases have run out. */
export const EXPIRED_GROUPS_SQL = `SELECT stream_id AS streamId, lane, running FROM edict_command_groups
  WHERE owner IS NOT NULL AND expires_at <= ?`

export const FIRST_OF_GROUP_SQL = `SELECT position, stage FROM edict_commands
  WHERE stream_id = ? AND lane = ? AND stage IS NOT NULL ORDER BY position LIMIT 1`

/** The commands of one stream and lane. */
export interface GroupName {
  readonly streamId: string
  readonly lane: Lane
}

export interface DueGroup extends GroupName {
  /** Of the first command that is due. */
  readonly position: number
}

export interface ExpiredGroup extends GroupName {
  readonly running: number
}

interface Held {
  readonly owner: string | null
  readonly epoch: number
  readonly running: number
}

/** Who may run the commands of which stream and lane. Within the transactions of the writing connection. */
export class CommandGroups {
  readonly #make: BetterSqlite3.Statement
  readonly #find: BetterSqlite3.Statement<[string, Lane], Held>
  readonly #first: BetterSqlite3.Statement<[string, Lane], { position: number; stage: string }>
  readonly #free: BetterSqlite3.Statement
  readonly #delete: BetterSqlite3.Statement
  readonly #due: BetterSqlite3.Statement<[number], DueGroup>
  readonly #expired: BetterSqlite3.Statement<[number], ExpiredGroup>
  readonly #hold: BetterSqlite3.Statement
  readonly #setRunning: BetterSqlite3.Statement
  readonly #renew: BetterSqlite3.Statement<[number, string], GroupHold>
  readonly #nextEpoch: BetterSqlite3.Statement<[], number>

  constructor(writing: Database) {
    this.#make = writing.prepare(
      `INSERT INTO edict_command_groups (stream_id, lane, next_position) VALUES (?, ?, ?)
        ON CONFLICT (stream_id, lane) DO NOTHING`,
    )
    this.#find = writing.prepare<[string, Lane], Held>(
      'SELECT owner, epoch, running FROM edict_command_groups WHERE stream_id = ? AND lane = ?',
    )
    this.#first = writing.prepare<[string, Lane], { position: number; stage: string }>(FIRST_OF_GROUP_SQL)
    this.#free = writing.prepare(
      `INSERT INTO edict_command_groups (stream_id, lane, next_position) VALUES (?, ?, ?)
        ON CONFLICT (stream_id, lane) DO UPDATE SET next_position = excluded.next_position, owner = NULL, running = 0`,
    )
    this.#delete = writing.prepare('DELETE FROM edict_command_groups WHERE stream_id = ? AND lane = ?')
    this.#due = writing.prepare<[number], DueGroup>(DUE_GROUPS_SQL)
    this.#expired = writing.prepare<[number], ExpiredGroup>(EXPIRED_GROUPS_SQL)
    this.#hold = writing.prepare(
      `UPDATE edict_command_groups SET owner = ?, epoch = ?, expires_at = ?, running = ? WHERE stream_id = ? AND lane = ?`,
    )
    this.#setRunning = writing.prepare('UPDATE edict_command_groups SET running = ? WHERE stream_id = ? AND lane = ?')
    this.#renew = writing.prepare<[number, string], GroupHold>(
      `UPDATE edict_command_groups SET expires_at = ? WHERE owner IS NOT NULL AND owner = ?
        RETURNING stream_id AS streamId, lane, epoch`,
    )
    this.#nextEpoch = writing
      .prepare<[], number>('UPDATE edict_epochs SET last_epoch = last_epoch + 1 RETURNING last_epoch')
      .pluck()
  }

  /** A group that is there already goes on with an earlier command, is held, or has to wait. */
  added({ streamId, lane }: GroupName, position: number): void {
    this.#make.run(streamId, lane, position)
  }

  /** What has changed in a group that somebody holds is looked at when that one gives it up. */
  changed({ streamId, lane }: GroupName): void {
    if ((this.#find.get(streamId, lane)?.owner ?? null) === null) this.free({ streamId, lane })
  }

  /** Lets whoever comes next go on with what is left. */
  free({ streamId, lane }: GroupName): void {
    const first = this.#first.get(streamId, lane)
    if (first === undefined) this.#delete.run(streamId, lane)
    else this.#free.run(streamId, lane, first.stage === 'blocking' ? null : first.position)
  }

  due(limit: number): readonly DueGroup[] {
    return this.#due.all(limit)
  }

  expired(now: number): readonly ExpiredGroup[] {
    return this.#expired.all(now)
  }

  /** @returns the epoch of the hold */
  hold({ streamId, lane }: GroupName, owner: string, until: number, running: number): number {
    const epoch = this.#nextEpoch.get() as number
    this.#hold.run(owner, epoch, until, running, streamId, lane)
    return epoch
  }

  /** How many commands are running under a hold; undefined where it does not hold. */
  runningUnder({ streamId, lane, epoch }: GroupHold): number | undefined {
    const held = this.#find.get(streamId, lane)
    return held !== undefined && held.owner !== null && held.epoch === epoch ? held.running : undefined
  }

  /** So many are running still. */
  settled(name: GroupName, running: number): void {
    if (running > 0) this.#setRunning.run(running, name.streamId, name.lane)
    else this.free(name)
  }

  renew(owner: string, until: number): readonly GroupHold[] {
    return this.#renew.all(until, owner)
  }
}
