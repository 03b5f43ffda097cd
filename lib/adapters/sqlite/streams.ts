import type BetterSqlite3 from 'better-sqlite3'
import { describeThrown, StoreError } from '../../errors.ts'
import type { StreamChangeOptions, StreamChangeResult, StreamInfo, StreamState } from '../../event-store/stream-info.ts'
import type { Metadata } from '../../messages/recorded-event.ts'
import type { Connections } from './connections.ts'
import type { Database } from './driver.ts'
import { metadataColumn, metadataOf } from './stored-metadata.ts'

interface StreamRow {
  readonly id: number
  readonly category: string
  readonly state: StreamState
  readonly metadata: string | null
  readonly streamVersion: number
}

/** What is made of a stream as a whole. */
export type StreamChange =
  | { readonly kind: 'describe'; readonly metadata: Metadata }
  | { readonly kind: 'archive' }
  | { readonly kind: 'restore' }
  | { readonly kind: 'delete' }

type Infos = BetterSqlite3.Statement<[string], StreamRow>

/** Streams as a whole. Changed within a transaction of the writing connection. */
export class Streams {
  readonly #reading: Infos
  readonly #writing: Infos
  readonly #setMetadata: BetterSqlite3.Statement
  readonly #setState: BetterSqlite3.Statement
  readonly #clearEvents: BetterSqlite3.Statement
  readonly #clearSnapshot: BetterSqlite3.Statement

  constructor({ writing, reading }: Connections) {
    const infos = (database: Database): Infos =>
      database.prepare<[string], StreamRow>(
        `SELECT id, category, state, metadata, (SELECT max(version) FROM edict_events WHERE stream = s.id) AS streamVersion
          FROM edict_streams s WHERE stream_id = ?`,
      )
    this.#reading = infos(reading)
    this.#writing = infos(writing)
    this.#setMetadata = writing.prepare('UPDATE edict_streams SET metadata = ? WHERE id = ?')
    this.#setState = writing.prepare('UPDATE edict_streams SET state = ? WHERE id = ?')
    this.#clearEvents = writing.prepare(
      'UPDATE edict_events SET data = NULL, utf16 = NULL, metadata = NULL WHERE stream = ?',
    )
    this.#clearSnapshot = writing.prepare('DELETE FROM edict_snapshots WHERE stream_id = ?')
  }

  read(streamId: string): StreamInfo | undefined {
    const row = this.#reading.get(streamId)
    return row && infoOf(streamId, row)
  }

  change(streamId: string, change: StreamChange, { expectedVersion }: StreamChangeOptions = {}): StreamChangeResult {
    const row = this.#writing.get(streamId)
    if (row === undefined) return { status: 'unknown_stream' }
    if (row.state === 'deleted' && change.kind !== 'delete') return { status: 'stream_closed', state: 'deleted' }
    if (expectedVersion !== undefined && row.streamVersion !== expectedVersion) {
      return { status: 'version_conflict', actual: row.streamVersion }
    }
    this.#make(streamId, row, change)
    const changed = this.#writing.get(streamId) as StreamRow
    return { status: 'changed', stream: infoOf(streamId, changed) }
  }

  #make(streamId: string, { id }: StreamRow, change: StreamChange): void {
    switch (change.kind) {
      case 'describe':
        this.#setMetadata.run(metadataColumn(change.metadata), id)
        return
      case 'archive':
        this.#setState.run('archived', id)
        return
      case 'restore':
        this.#setState.run('active', id)
        return
      case 'delete':
        this.#setState.run('deleted', id)
        this.#setMetadata.run(null, id)
        this.#clearEvents.run(id)
        this.#clearSnapshot.run(streamId)
    }
  }
}

function infoOf(streamId: string, { category, state, metadata, streamVersion }: StreamRow): StreamInfo {
  try {
    return { streamId, category, streamVersion, state, metadata: metadataOf(metadata) }
  } catch (thrown) {
    throw new StoreError(
      `the sqlite event store has a damaged stream, ${streamId}: its metadata cannot be read: ${describeThrown(thrown)}`,
      { cause: thrown },
    )
  }
}
