import { handedOver, ImmutableDate } from '../messages/immutable.ts'
import type { Metadata, RecordedEvent } from '../messages/recorded-event.ts'
import type { NewEvent, StoredEvent } from './stored-event.ts'

/** Keys of Edict's own in stored metadata begin so; readers do not see them. */
export const RESERVED_METADATA_PREFIX = 'edict.'
/** Where a command's fingerprint is kept, for commands whose id the caller gave. */
export const FINGERPRINT_KEY = 'edict.fingerprint'
/** Where a command's deadline is kept, in milliseconds since 1970, for what its events lead to. */
export const DEADLINE_KEY = 'edict.deadline'
/** Where it is kept how many events led to a command, unless that is none. */
export const DEPTH_KEY = 'edict.depth'

/** The body of every recorded event: one class for all keeps property access monomorphic. */
class Recorded implements RecordedEvent {
  readonly type: string
  readonly data: RecordedEvent['data']
  readonly eventId: string
  readonly streamId: string
  readonly category: string
  readonly streamVersion: number
  readonly position: number
  readonly index: number
  readonly schemaVersion: number
  readonly contentType: string
  readonly metadata: Metadata
  readonly commandId: string
  readonly causationId: string
  readonly correlationId: string
  declare readonly tenant?: string
  readonly createdAt: Date
  readonly #stored: Metadata

  constructor(
    stored: NewEvent,
    data: unknown,
    streamId: string,
    category: string,
    streamVersion: number,
    position: number,
    index: number,
  ) {
    this.type = stored.type
    this.data = data as RecordedEvent['data']
    this.eventId = stored.eventId
    this.streamId = streamId
    this.category = category
    this.streamVersion = streamVersion
    this.position = position
    this.index = index
    this.schemaVersion = stored.schemaVersion
    this.contentType = stored.contentType
    this.metadata = withoutReserved(stored.metadata)
    this.#stored = stored.metadata
    this.commandId = stored.commandId
    this.causationId = stored.causationId
    this.correlationId = stored.correlationId
    if (stored.tenant !== undefined) (this as { tenant?: string }).tenant = stored.tenant
    this.createdAt = dateOf(stored.createdAt)
  }

  static storedMetadata(event: RecordedEvent): Metadata {
    return #stored in event ? event.#stored : event.metadata
  }
}

/** The metadata of an event as it is stored, with what is kept there for Edict. */
export function storedMetadataOf(event: RecordedEvent): Metadata {
  return Recorded.storedMetadata(event)
}

/** What readers see of a stored event. `data` is decoded and frozen already. */
export function recordedEvent(stored: StoredEvent, data: unknown, index = 0): RecordedEvent {
  const { streamId, category, streamVersion, position } = stored
  return Object.freeze(new Recorded(stored, data, streamId, category, streamVersion, position, index))
}

/**
 * What the writer of an event sees of it, once the store has said where it stands. `data` is frozen, not encoded; the store may
 * keep that very value. The envelope is the caller's alone, and so need not be frozen.
 */
export function justRecorded(
  event: NewEvent,
  data: unknown,
  streamId: string,
  category: string,
  streamVersion: number,
  position: number,
): RecordedEvent {
  return new Recorded(event, handedOver(data), streamId, category, streamVersion, position, 0)
}

/** An event for another reader: itself, or its like where its data holds binary, which the one would change for the other. */
export function forAnotherReader(event: RecordedEvent): RecordedEvent {
  const data = handedOver(event.data)
  if (data === event.data) return event
  const stored = { ...event, metadata: storedMetadataOf(event), createdAt: event.createdAt.getTime() }
  return recordedEvent(stored, data, event.index)
}

export function withoutReserved(metadata: Metadata): Metadata {
  if (!(FINGERPRINT_KEY in metadata || DEADLINE_KEY in metadata || DEPTH_KEY in metadata)) return metadata
  const visible = Object.entries(metadata).filter(([key]) => !key.startsWith(RESERVED_METADATA_PREFIX))
  return Object.freeze(Object.fromEntries(visible))
}

let lastDate = new ImmutableDate(0)

/** Events of one millisecond share their Date, which cannot be changed: a Date weighs as much as all else of an event's envelope. */
function dateOf(milliseconds: number): Date {
  if (lastDate.getTime() !== milliseconds) lastDate = new ImmutableDate(milliseconds)
  return lastDate
}
