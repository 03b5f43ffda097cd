import type { Checkpoint, CheckpointHold, CheckpointState, ClaimOptions } from '../../event-store/checkpoint.ts'
import { endedTransaction } from '../../event-store/ended-transaction.ts'
import { numberArray, textArray } from './array-literal.ts'
import type { Queries, Row } from './database.ts'
import type { SchemaName } from './schema-name.ts'

/** Milliseconds: a lease that says more is as good as one that never runs out, and PostgreSQL's dates end somewhere. */
const LONGEST_LEASE_MS = 10_000_000_000_000

// The time is the database's, looked at when a row is locked, not when the transaction began.
const EXPIRES = (lease: string) => `clock_timestamp() + ${lease} * interval '1 millisecond'`

// A claim is on disk, whatever the role's own setting is: a server that forgot it in a crash would give its epoch once more.
const DURABLE = `CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END`

/** Marks a transaction, for as long as it lasts. */
export const MARK_TRANSACTION = "SET LOCAL edict.transaction = 'open'"
const WITHIN = "current_setting('edict.transaction', true) = 'open'"

/** The checkpoints of persistent subscriptions, each held by one owner at a time. Each operation is one statement. */
export class Checkpoints {
  readonly #claim: string
  readonly #renew: string
  readonly #save: string
  readonly #saveWithin: string
  readonly #release: string
  readonly #read: string
  readonly #delete: string
  readonly #list: string
  readonly #lock: string

  constructor(schema: SchemaName) {
    const epoch = `nextval('"edict".checkpoint_epoch')`
    this.#claim = schema.sql(
      `INSERT INTO "edict".checkpoints AS c (name, position, index, epoch, owner, lease, expires_at)
       VALUES ($1, $2, 0, ${epoch}, $3, $4::bigint, ${EXPIRES('$4::bigint')})
       ON CONFLICT (name) DO UPDATE
       SET epoch = ${epoch}, owner = excluded.owner, lease = excluded.lease, expires_at = ${EXPIRES('excluded.lease')}
       WHERE c.owner IS NULL OR c.owner = excluded.owner OR c.expires_at <= clock_timestamp() OR $5
       RETURNING c.name, c.position, c.index, c.epoch, ${DURABLE}`,
    )
    // Locked in the order of names, so that two who renew the same claims do not wait for each other.
    this.#renew = schema.sql(
      `WITH held AS (
         SELECT c.name FROM "edict".checkpoints c
         JOIN unnest($1::text[], $2::bigint[]) AS h (name, epoch) ON h.name = c.name AND h.epoch = c.epoch
         WHERE c.owner IS NOT NULL ORDER BY c.name FOR NO KEY UPDATE OF c
       )
       UPDATE "edict".checkpoints c SET expires_at = ${EXPIRES('c.lease')} FROM held WHERE c.name = held.name
       RETURNING c.name, c.epoch`,
    )
    this.#save = schema.sql(
      `UPDATE "edict".checkpoints SET position = $3, index = $4 WHERE name = $1 AND epoch = $2 AND owner IS NOT NULL
       RETURNING name`,
    )
    // A setting that ends with its transaction tells whether that is the one that was begun with it.
    this.#saveWithin = schema.sql(
      `UPDATE "edict".checkpoints SET position = $3, index = $4
       WHERE name = $1 AND epoch = $2 AND owner IS NOT NULL AND ${WITHIN}
       RETURNING name`,
    )
    this.#release = schema.sql('UPDATE "edict".checkpoints SET owner = NULL WHERE name = $1 AND epoch = $2')
    this.#read = schema.sql('SELECT name, position, index, epoch FROM "edict".checkpoints WHERE name = $1')
    this.#delete = schema.sql('DELETE FROM "edict".checkpoints WHERE name = $1')
    this.#list = schema.sql(
      `SELECT name, position, index, epoch, CASE WHEN expires_at > clock_timestamp() THEN owner END
       FROM "edict".checkpoints WHERE starts_with(name, $1) ORDER BY name`,
    )
    this.#lock = schema.sql(
      `SELECT name, position, index, epoch FROM "edict".checkpoints
       WHERE name = $1 AND ($2::bigint IS NULL OR (epoch = $2::bigint AND owner IS NOT NULL)) FOR UPDATE`,
    )
  }

  async claim(queries: Queries, name: string, options: Required<ClaimOptions>): Promise<Checkpoint | undefined> {
    const { owner, startAfter, lease, force } = options
    const given = [name, startAfter, owner, Math.min(lease, LONGEST_LEASE_MS), force]
    return checkpointOf(await queries.query(this.#claim, given))
  }

  async renew(queries: Queries, holds: readonly CheckpointHold[]): Promise<readonly boolean[]> {
    if (holds.length === 0) return []
    const names = textArray(holds.map(({ name }) => name))
    const epochs = numberArray(holds.map(({ epoch }) => epoch))
    const rows = await queries.query(this.#renew, [names, epochs])
    const renewed = new Map(rows.map(([name, epoch]) => [name, Number(epoch)]))
    return holds.map(({ name, epoch }) => renewed.get(name) === epoch)
  }

  async save(queries: Queries, { name, epoch, position, index }: Checkpoint): Promise<boolean> {
    return (await queries.query(this.#save, [name, epoch, position, index])).length === 1
  }

  /**
   * As `save`, in a transaction that was marked when it began.
   *
   * @throws {InvalidOptionError} `invalid_option` where that has ended: what was to commit with the checkpoint is not in its hands
   */
  async saveWithin(queries: Queries, { name, epoch, position, index }: Checkpoint): Promise<boolean> {
    if ((await queries.query(this.#saveWithin, [name, epoch, position, index])).length === 1) return true
    const [row] = await queries.query(`SELECT ${WITHIN}`)
    if (row?.[0] === 't') return false
    throw endedTransaction()
  }

  async release(queries: Queries, name: string, epoch: number): Promise<void> {
    await queries.query(this.#release, [name, epoch])
  }

  async read(queries: Queries, name: string): Promise<Checkpoint | undefined> {
    return checkpointOf(await queries.query(this.#read, [name]))
  }

  /** Reads it, and keeps everyone else from writing it until the end of the transaction. */
  async lock(queries: Queries, name: string, epoch: number | undefined): Promise<Checkpoint | undefined> {
    return checkpointOf(await queries.query(this.#lock, [name, epoch ?? null]))
  }

  async delete(queries: Queries, name: string): Promise<void> {
    await queries.query(this.#delete, [name])
  }

  async list(queries: Queries, prefix: string): Promise<readonly CheckpointState[]> {
    const rows = await queries.query(this.#list, [prefix])
    return rows.map((row) => ({ ...(checkpointOf([row]) as Checkpoint), owner: row[4] ?? undefined }))
  }
}

function checkpointOf([row]: readonly Row[]): Checkpoint | undefined {
  if (row === undefined) return undefined
  const [name, position, index, epoch] = row
  return { name: name as string, position: Number(position), index: Number(index), epoch: Number(epoch) }
}
