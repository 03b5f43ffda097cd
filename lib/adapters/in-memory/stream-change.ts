import { NO_METADATA } from '../../event-store/frozen-metadata.ts'
import type { StreamChangeOptions, StreamChangeResult, StreamInfo } from '../../event-store/stream-info.ts'
import type { Stream, StreamMark } from './stream.ts'

/** Of most streams nothing was ever decided. */
const UNMARKED: StreamMark = Object.freeze({ state: 'active', metadata: NO_METADATA })
const DELETED: StreamMark = Object.freeze({ state: 'deleted', metadata: NO_METADATA })

export function streamInfo({ streamId, category, version, mark = UNMARKED }: Stream): StreamInfo {
  return { streamId, category, streamVersion: version, state: mark.state, metadata: mark.metadata }
}

/** Decides something new about a stream that is not deleted. */
export function changeStream(
  stream: Stream | undefined,
  { expectedVersion }: StreamChangeOptions,
  next: (mark: StreamMark) => StreamMark,
): StreamChangeResult {
  if (stream === undefined) return { status: 'unknown_stream' }
  if (stream.closed === 'deleted') return { status: 'stream_closed', state: 'deleted' }
  return marked(stream, expectedVersion, next(stream.mark ?? UNMARKED))
}

/** Marks a stream as deleted, once or again. */
export function deleteStream(stream: Stream | undefined, { expectedVersion }: StreamChangeOptions): StreamChangeResult {
  return stream === undefined ? { status: 'unknown_stream' } : marked(stream, expectedVersion, DELETED)
}

function marked(stream: Stream, expectedVersion: number | undefined, mark: StreamMark): StreamChangeResult {
  const { version } = stream
  if (expectedVersion !== undefined && expectedVersion !== version)
    return { status: 'version_conflict', actual: version }
  stream.mark = mark
  return { status: 'changed', stream: streamInfo(stream) }
}
