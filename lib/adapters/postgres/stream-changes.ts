import type { StreamChangeResult, StreamInfo, StreamState } from '../../event-store/stream-info.ts'
import type { Metadata } from '../../messages/recorded-event.ts'
import type { Queries, Row } from './database.ts'
import type { SchemaName } from './schema-name.ts'
import { metadataColumn, metadataOf } from './stored-data.ts'

export interface StreamChange {
  readonly kind: 'describe' | 'archive' | 'restore' | 'delete'
  readonly metadata?: Metadata
  readonly expectedVersion?: number | undefined
}

/** What is known and decided of streams as a whole. */
export class StreamChanges {
  readonly #read: string
  readonly #change: string

  constructor(schema: SchemaName) {
    this.#read = schema.sql('SELECT category, version, state, metadata FROM "edict".streams WHERE stream_id = $1')
    this.#change = schema.sql(
      'SELECT category, version, state, metadata, outcome FROM "edict".change_stream($1, $2, $3, $4)',
    )
  }

  async read(queries: Queries, streamId: string): Promise<StreamInfo | undefined> {
    const [row] = await queries.query(this.#read, [streamId])
    return row && infoOf(streamId, row)
  }

  async change(queries: Queries, streamId: string, change: StreamChange): Promise<StreamChangeResult> {
    const { kind, metadata, expectedVersion = null } = change
    const described = metadata === undefined ? null : metadataColumn(metadata)
    const [row] = await queries.query(this.#change, [streamId, kind, described, expectedVersion])
    switch (row?.[4]) {
      case 'changed':
        return { status: 'changed', stream: infoOf(streamId, row) }
      case 'conflict':
        return { status: 'version_conflict', actual: Number(row[1]) }
      case 'closed':
        return { status: 'stream_closed', state: 'deleted' }
      default:
        return { status: 'unknown_stream' }
    }
  }
}

function infoOf(streamId: string, [category, version, state, metadata]: Row): StreamInfo {
  return {
    streamId,
    category: category as string,
    streamVersion: Number(version),
    state: state as StreamState,
    metadata: metadataOf(metadata as string),
  }
}
