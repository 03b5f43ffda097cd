import { checkOptionalWhole, checkOptions, checkText } from './argument-checks.ts'
import { isRecord, isState } from './answer-checks.ts'
import { MAX_STREAM_ID_LENGTH } from './limits.ts'
import type { StreamChangeOptions, StreamChangeResult, StreamInfo } from './stream-info.ts'

// What is asked of a store about a stream as a whole, and what it answers.

const STREAM_CHANGE_OPTIONS = ['expectedVersion']

export function checkStreamId(where: string, streamId: string): void {
  checkText(where, 'streamId', streamId, MAX_STREAM_ID_LENGTH)
}

export function checkStreamChange(where: string, streamId: string, options: StreamChangeOptions | undefined): void {
  checkStreamId(where, streamId)
  checkOptions(where, options, STREAM_CHANGE_OPTIONS)
  checkOptionalWhole(where, 'expectedVersion', options?.expectedVersion, 0)
}

/** Whether what is known of a stream is known of just this one. */
export function isStreamInfo(info: StreamInfo | undefined, streamId: string): boolean {
  return (
    isRecord(info) &&
    info.streamId === streamId &&
    typeof info.category === 'string' &&
    Number.isSafeInteger(info.streamVersion) &&
    isState(info.state) &&
    isRecord(info.metadata)
  )
}

export function isStreamChange(result: StreamChangeResult | undefined, streamId: string): boolean {
  switch (result?.status) {
    case 'changed':
      return isStreamInfo(result.stream, streamId)
    case 'version_conflict':
      return Number.isSafeInteger(result.actual)
    case 'stream_closed':
      // Whatever its type says, an adapter may give any value.
      return (result.state as unknown) === 'deleted'
    case 'unknown_stream':
      return true
    default:
      return false
  }
}
