import type BetterSqlite3 from 'better-sqlite3'
import { StoreError } from '../../errors.ts'
import type { Snapshot } from '../../event-store/snapshot.ts'
import type { Connections } from './connections.ts'
import { fromColumn, needsUtf16, toUtf16, UTF16 } from './stored-data.ts'

interface SnapshotRow extends Omit<Snapshot, 'data'> {
  readonly utf16: number | null
  readonly data: unknown
}

/** The last snapshot of each stream. Written within a transaction of the writing connection. */
export class Snapshots {
  readonly #save: BetterSqlite3.Statement
  readonly #read: BetterSqlite3.Statement<[string], SnapshotRow>
  readonly #delete: BetterSqlite3.Statement

  constructor({ writing, reading }: Connections) {
    this.#save = writing.prepare(
      `INSERT INTO edict_snapshots
        (stream_id, category, stream_version, snapshot_version, content_type, created_at, utf16, data)
        SELECT @streamId, @category, @streamVersion, @snapshotVersion, @contentType, @createdAt, @utf16, @data
        WHERE NOT EXISTS (SELECT 1 FROM edict_streams WHERE stream_id = @streamId AND state = 'deleted')
        ON CONFLICT (stream_id) DO UPDATE SET category = excluded.category, stream_version = excluded.stream_version,
          snapshot_version = excluded.snapshot_version, content_type = excluded.content_type, created_at = excluded.created_at,
          utf16 = excluded.utf16, data = excluded.data`,
    )
    this.#read = reading.prepare<[string], SnapshotRow>(
      `SELECT stream_id AS streamId, category, stream_version AS streamVersion, snapshot_version AS snapshotVersion,
        content_type AS contentType, created_at AS createdAt, utf16, data FROM edict_snapshots WHERE stream_id = ?`,
    )
    this.#delete = writing.prepare('DELETE FROM edict_snapshots WHERE stream_id = ?')
  }

  /** Nothing where the stream is deleted: who held its state meanwhile would bring back what it says. */
  save({ streamId, category, streamVersion, snapshotVersion, contentType, createdAt, data }: Snapshot): void {
    const stored = needsUtf16(data) ? { utf16: UTF16, data: toUtf16(data) } : { utf16: null, data }
    this.#save.run({ streamId, category, streamVersion, snapshotVersion, contentType, createdAt, ...stored })
  }

  read(streamId: string): Snapshot | undefined {
    const row = this.#read.get(streamId)
    if (row === undefined) return undefined
    const { utf16, data, ...snapshot } = row
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new StoreError(
        `the sqlite event store has a damaged snapshot of ${streamId}: its data are neither text nor binary`,
      )
    }
    return { ...snapshot, data: fromColumn(data, utf16) }
  }

  delete(streamId: string): void {
    this.#delete.run(streamId)
  }
}
