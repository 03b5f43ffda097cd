import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { Metadata } from './recorded-event.ts'

/** What a serializer may know of the event whose data it encodes: enough to choose a key for a subject, say. */
export interface SerializationContext {
  readonly type: string
  readonly schemaVersion: number
  readonly streamId: string
  readonly category: string
  readonly metadata: Metadata
  readonly tenant?: string | undefined
  /** It is no event, but a snapshot: the state of the aggregate that is the type. One that cannot be decoded is rebuilt from events. */
  readonly snapshot?: true
  /** It is no event, but a command that is stored to be run: the command's type is the type. */
  readonly command?: true
}

/**
 * Stands between the store and everyone who reads or writes. May be asynchronous, so that encryption fits.
 *
 * @example
 * const shouting: Serializer = {
 *   contentType: 'text/x-shouting',
 *   encode: (data) => JSON.stringify(data).toUpperCase(),
 *   decode: (encoded) => JSON.parse(String(encoded)),
 * }
 */
export interface Serializer {
  /** Stored beside each event. */
  readonly contentType: string
  encode(data: unknown, context: SerializationContext): MaybePromise<string | Uint8Array>
  /** What it gives is copied and frozen. */
  decode(encoded: string | Uint8Array, context: SerializationContext): MaybePromise<unknown>
}
