import type { CheckpointHold } from '../../event-store/checkpoint.ts'
import type { Snapshot } from '../../event-store/snapshot.ts'
import { hexOf } from './array-literal.ts'
import type { Queries } from './database.ts'
import type { SchemaName } from './schema-name.ts'
import { dataColumns, dataOf } from './stored-data.ts'

const INSERT = `
  INSERT INTO "edict".snapshots (
    stream_id, category, stream_version, snapshot_version, created_at, content_type, data_format, data, data_bytes
  )
  SELECT $1, $2, $3::bigint, $4::bigint, $5::bigint, $6, $7::smallint, $8, $9::bytea
  WHERE NOT EXISTS (SELECT FROM stream WHERE state = 'deleted')`

const REPLACE = `
  ON CONFLICT (stream_id) DO UPDATE SET
    category = excluded.category, stream_version = excluded.stream_version, snapshot_version = excluded.snapshot_version,
    created_at = excluded.created_at, content_type = excluded.content_type, data_format = excluded.data_format,
    data = excluded.data, data_bytes = excluded.data_bytes`

// Waits for a deletion of the stream that is under way, and sees what became of it.
const STREAM = `stream AS (SELECT s.state FROM "edict".streams s WHERE s.stream_id = $1 FOR KEY SHARE)`

/**
 * The claim, if it holds still; nobody takes it, nor saves its place, until the transaction ends. In the order of arrival, so that nobody
 * starves.
 */
const hold = (name: string, epoch: string) => `hold AS (
  SELECT c.name FROM "edict".checkpoints c WHERE c.name = ${name} AND c.epoch = ${epoch}::bigint AND c.owner IS NOT NULL
  FOR NO KEY UPDATE
)`

/** The last snapshot of each stream. Each operation is one statement. */
export class Snapshots {
  readonly #save: string
  readonly #saveUnder: string
  readonly #read: string
  readonly #delete: string
  readonly #deleteUnder: string

  constructor(schema: SchemaName) {
    this.#save = schema.sql(`WITH ${STREAM} ${INSERT} ${REPLACE}`)
    this.#saveUnder = schema.sql(
      `WITH ${hold('$10', '$11')}, ${STREAM}, saved AS (${INSERT} AND EXISTS (SELECT FROM hold) ${REPLACE})
       SELECT name FROM hold`,
    )
    this.#read = schema.sql(
      `SELECT category, stream_version, snapshot_version, created_at, content_type, data_format, data, data_bytes
       FROM "edict".snapshots WHERE stream_id = $1`,
    )
    this.#delete = schema.sql('DELETE FROM "edict".snapshots WHERE stream_id = $1')
    this.#deleteUnder = schema.sql(
      `WITH ${hold('$2', '$3')},
         deleted AS (DELETE FROM "edict".snapshots WHERE stream_id = $1 AND EXISTS (SELECT FROM hold))
       SELECT name FROM hold`,
    )
  }

  async save(queries: Queries, snapshot: Snapshot, hold?: CheckpointHold): Promise<boolean> {
    const { streamId, category, streamVersion, snapshotVersion, createdAt, contentType } = snapshot
    const { format, text, bytes } = dataColumns(snapshot.data)
    const values = [
      ...[streamId, category, streamVersion, snapshotVersion, createdAt, contentType],
      ...[format, text, bytes && `\\x${hexOf(bytes)}`],
    ]
    if (hold !== undefined) {
      return (await queries.query(this.#saveUnder, [...values, hold.name, hold.epoch])).length === 1
    }
    await queries.query(this.#save, values)
    return true
  }

  async read(queries: Queries, streamId: string): Promise<Snapshot | undefined> {
    const [row] = await queries.query(this.#read, [streamId])
    if (row === undefined) return undefined
    const [category, streamVersion, snapshotVersion, createdAt, contentType, format, text, bytes] = row
    return {
      streamId,
      category: category as string,
      streamVersion: Number(streamVersion),
      snapshotVersion: Number(snapshotVersion),
      contentType: contentType as string,
      data: dataOf(format as string, text as string | null, bytes as string | null),
      createdAt: Number(createdAt),
    }
  }

  async delete(queries: Queries, streamId: string, hold?: CheckpointHold): Promise<boolean> {
    if (hold !== undefined) {
      return (await queries.query(this.#deleteUnder, [streamId, hold.name, hold.epoch])).length === 1
    }
    await queries.query(this.#delete, [streamId])
    return true
  }
}
