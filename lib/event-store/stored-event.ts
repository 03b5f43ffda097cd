import type { Metadata } from '../messages/recorded-event.ts'

/**
 * An event on its way into a store: all that is stored, but for what the store decides (version and position). This is the
 * stored format, fixed from the start.
 */
export interface NewEvent {
  readonly eventId: string
  readonly type: string
  readonly schemaVersion: number
  /** What `data` is encoded as, in the serializer's own words; `OBJECT_CONTENT_TYPE` where it is not encoded. */
  readonly contentType: string
  /** Text or binary as a serializer gave it; the frozen value itself only in a store whose `values` capability is `'objects'`. */
  readonly data: unknown
  readonly metadata: Metadata
  readonly commandId: string
  readonly causationId: string
  readonly correlationId: string
  readonly tenant?: string | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z, of the writer's clock. */
  readonly createdAt: number
}

/** An event as a store gives it back, still encoded. */
export interface StoredEvent extends NewEvent {
  readonly streamId: string
  readonly category: string
  readonly streamVersion: number
  readonly position: number
  /** A deleted event: its place stays, so that versions and positions have no gap; its `data` is undefined. */
  readonly tombstone?: true
}

/** The content type of data that a store keeps as the frozen value itself. */
export const OBJECT_CONTENT_TYPE = 'application/x-edict-object'

/** The content type of Edict's own durable facts, which are JSON whatever the application's serializer is. */
export const FACT_CONTENT_TYPE = 'application/x-edict-fact+json'
