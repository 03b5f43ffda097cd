import type { Metadata } from '../messages/recorded-event.ts'

/**
 * - `active`: takes events
 * - `archived`: keeps its events, which everyone reads as before, and takes no more until it is restored
 * - `deleted`: its events are tombstones, and it takes no more for good
 */
export type StreamState = 'active' | 'archived' | 'deleted'

/** What a store knows of a stream beside its events. */
export interface StreamInfo {
  readonly streamId: string
  readonly category: string
  readonly streamVersion: number
  readonly state: StreamState
  /** What `writeStreamMetadata` wrote last; empty where it never did, and once the stream is deleted. */
  readonly metadata: Metadata
}

/** On what condition a stream is archived, restored, deleted or described. */
export interface StreamChangeOptions {
  /** The change is made only while the stream is at just this version. Default: at whatever version. */
  readonly expectedVersion?: number
}

/**
 * What became of a change to a stream as a whole. A change to what the stream is already is `'changed'` too.
 * - `unknown_stream`: nothing was ever appended to it
 * - `version_conflict`: the stream is at `actual`
 * - `stream_closed`: the stream is deleted, and can be neither archived, restored nor described
 */
export type StreamChangeResult =
  | { readonly status: 'changed'; readonly stream: StreamInfo }
  | { readonly status: 'unknown_stream' }
  | { readonly status: 'version_conflict'; readonly actual: number }
  | { readonly status: 'stream_closed'; readonly state: 'deleted' }
