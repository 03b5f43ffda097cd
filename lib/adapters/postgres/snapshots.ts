import type { Snapshot } from '../../event-store/snapshot.ts'
import { hexOf } from './array-literal.ts'
import type { Queries } from './database.ts'
import type { SchemaName } from './schema-name.ts'
import { dataColumns, dataOf } from './stored-data.ts'

export class Snapshots {
  readonly #save: string
  readonly #read: string
  readonly #delete: string

  constructor(schema: SchemaName) {
    // Waits for a deletion of the stream that is under way, and sees what became of it.
    this.#save = schema.sql(
      `WITH stream AS (SELECT s.state FROM "edict".streams s WHERE s.stream_id = $1 FOR KEY SHARE)
       INSERT INTO "edict".snapshots (
         stream_id, category, stream_version, snapshot_version, created_at, content_type, data_format, data, data_bytes
       )
       SELECT $1, $2, $3::bigint, $4::bigint, $5::bigint, $6, $7::smallint, $8, $9::bytea
       WHERE NOT EXISTS (SELECT FROM stream WHERE state = 'deleted')
       ON CONFLICT (stream_id) DO UPDATE SET
         category = excluded.category, stream_version = excluded.stream_version, snapshot_version = excluded.snapshot_version,
         created_at = excluded.created_at, content_type = excluded.content_type, data_format = excluded.data_format,
         data = excluded.data, data_bytes = excluded.data_bytes`,
    )
    this.#read = schema.sql(
      `SELECT category, stream_version, snapshot_version, created_at, content_type, data_format, data, data_bytes
       FROM "edict".snapshots WHERE stream_id = $1`,
    )
    this.#delete = schema.sql('DELETE FROM "edict".snapshots WHERE stream_id = $1')
  }

  async save(queries: Queries, snapshot: Snapshot): Promise<void> {
    const { streamId, category, streamVersion, snapshotVersion, createdAt, contentType } = snapshot
    const { format, text, bytes } = dataColumns(snapshot.data)
    await queries.query(this.#save, [
      ...[streamId, category, streamVersion, snapshotVersion, createdAt, contentType],
      ...[format, text, bytes && `\\x${hexOf(bytes)}`],
    ])
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

  async delete(queries: Queries, streamId: string): Promise<void> {
    await queries.query(this.#delete, [streamId])
  }
}
