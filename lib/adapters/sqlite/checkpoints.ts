import type BetterSqlite3 from 'better-sqlite3'
import {
  DEFAULT_LEASE_MS,
  type Checkpoint,
  type CheckpointClaim,
  type CheckpointHold,
  type CheckpointState,
  type ClaimOptions,
} from '../../event-store/checkpoint.ts'
import type { Connections } from './connections.ts'

/** Milliseconds by the machine's clock, which all processes that share the file share too. */
const NOW = `CAST(unixepoch('subsec') * 1000 AS INTEGER)`
const COLUMNS = 'name, position, event_index AS "index", epoch'

interface StateRow extends Checkpoint {
  readonly owner: string | null
}

/** The checkpoints of persistent subscriptions. Claims and saves are made within a transaction of the writing connection. */
export class Checkpoints {
  readonly #claim: BetterSqlite3.Statement<unknown[], CheckpointClaim>
  readonly #countEpoch: BetterSqlite3.Statement
  readonly #renew: BetterSqlite3.Statement
  readonly #save: BetterSqlite3.Statement
  readonly #release: BetterSqlite3.Statement
  readonly #delete: BetterSqlite3.Statement
  readonly #lock: BetterSqlite3.Statement<unknown[], Checkpoint>
  readonly #read: BetterSqlite3.Statement<[string], Checkpoint>
  readonly #list: BetterSqlite3.Statement<[string], StateRow>

  constructor({ writing, reading }: Connections) {
    this.#claim = writing.prepare<unknown[], CheckpointClaim>(
      `INSERT INTO edict_checkpoints (name, position, event_index, epoch, owner, lease, expires_at)
        VALUES (@name, @startAfter, 0, (SELECT last_epoch + 1 FROM edict_epochs), @owner, @lease, ${NOW} + @lease)
        ON CONFLICT (name) DO UPDATE
          SET epoch = excluded.epoch, owner = excluded.owner, lease = excluded.lease, expires_at = excluded.expires_at
          WHERE owner IS NULL OR owner = excluded.owner OR expires_at <= ${NOW} OR @force = 1
        RETURNING ${COLUMNS}`,
    )
    this.#countEpoch = writing.prepare('UPDATE edict_epochs SET last_epoch = last_epoch + 1')
    this.#renew = writing.prepare(
      `UPDATE edict_checkpoints SET expires_at = ${NOW} + lease WHERE name = ? AND epoch = ? AND owner IS NOT NULL`,
    )
    this.#save = writing.prepare(
      `UPDATE edict_checkpoints SET position = ?, event_index = ? WHERE name = ? AND epoch = ? AND owner IS NOT NULL`,
    )
    this.#release = writing.prepare('UPDATE edict_checkpoints SET owner = NULL WHERE name = ? AND epoch = ?')
    this.#delete = writing.prepare('DELETE FROM edict_checkpoints WHERE name = ?')
    this.#lock = writing.prepare<unknown[], Checkpoint>(
      `SELECT ${COLUMNS} FROM edict_checkpoints
        WHERE name = @name AND (@epoch IS NULL OR (epoch = @epoch AND owner IS NOT NULL))`,
    )
    this.#read = reading.prepare<[string], Checkpoint>(`SELECT ${COLUMNS} FROM edict_checkpoints WHERE name = ?`)
    this.#list = reading.prepare<[string], StateRow>(
      `SELECT ${COLUMNS}, iif(expires_at > ${NOW}, owner, NULL) AS owner FROM edict_checkpoints WHERE name >= ?`,
    )
  }

  claim(
    name: string,
    { owner, startAfter, lease = DEFAULT_LEASE_MS, force }: ClaimOptions,
  ): CheckpointClaim | undefined {
    const claimed = this.#claim.get({ name, owner, startAfter, lease, force: force === true ? 1 : 0 })
    if (claimed !== undefined) this.#countEpoch.run()
    return claimed
  }

  renew(holds: readonly CheckpointHold[]): readonly boolean[] {
    return holds.map(({ name, epoch }) => this.#renew.run(name, epoch).changes > 0)
  }

  save({ name, position, index, epoch }: Checkpoint): boolean {
    return this.#save.run(position, index, name, epoch).changes > 0
  }

  release(name: string, epoch: number): void {
    this.#release.run(name, epoch)
  }

  delete(name: string): void {
    this.#delete.run(name)
  }

  /** As a transaction sees it, which keeps all others from writing. */
  lock(name: string, epoch?: number): Checkpoint | undefined {
    return this.#lock.get({ name, epoch: epoch ?? null })
  }

  read(name: string): Checkpoint | undefined {
    return this.#read.get(name)
  }

  list(prefix: string): readonly CheckpointState[] {
    return this.#list
      .all(prefix)
      .filter(({ name }) => name.startsWith(prefix))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
      .map(({ owner, ...checkpoint }) => ({ ...checkpoint, owner: owner ?? undefined }))
  }
}
