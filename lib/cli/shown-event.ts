import { describeThrown } from '../errors.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import { factOf, isOwnFact } from '../event-store/own-facts.ts'
import { withoutReserved } from '../event-store/recorded-event.ts'
import { FACT_CONTENT_TYPE, type StoredEvent } from '../event-store/stored-event.ts'
import { plainJson, printable } from './plain.ts'

/** An event as the command line shows it: where it stands, where it comes from, and what it says today. */
export interface ShownEvent {
  readonly position: number
  /** The place among the events that upcasting made of one stored event. */
  readonly index: number
  readonly streamId: string
  readonly streamVersion: number
  readonly category: string
  readonly type: string
  /** Undefined of one that is erased, or that cannot be read. */
  readonly data?: unknown
  readonly metadata: unknown
  readonly eventId: string
  readonly commandId: string
  readonly causationId: string
  readonly correlationId: string
  readonly tenant?: string
  readonly createdAt: Date
  /** Its stream is deleted, and what it said is gone. */
  readonly erased?: true
  /** Why it cannot be read. */
  readonly unreadable?: string
}

/** A stored event as the application reads it, which may make several of it, or none. */
export async function shownEvents(stored: StoredEvent, codec: EventCodec): Promise<readonly ShownEvent[]> {
  const asStored = shown(stored, 0, stored.type)
  if (stored.tombstone === true) return [{ ...asStored, erased: true }]
  if (isOwnFact(stored) && stored.contentType === FACT_CONTENT_TYPE) return [{ ...asStored, data: factOf(stored) }]
  try {
    const read = await codec.decode(stored)
    return read.map(({ index, type, data }) => ({ ...shown(stored, index, type), data }))
  } catch (thrown) {
    // The others are to be seen all the same.
    return [{ ...asStored, unreadable: describeThrown(thrown) }]
  }
}

function shown(stored: StoredEvent, index: number, type: string): ShownEvent {
  const { position, streamId, streamVersion, category, metadata, eventId, commandId, causationId } = stored
  const { correlationId, tenant, createdAt } = stored
  return {
    ...{ position, index, streamId, streamVersion, category, type },
    metadata: withoutReserved(metadata),
    ...{ eventId, commandId, causationId, correlationId },
    ...(tenant !== undefined && { tenant }),
    createdAt: new Date(createdAt),
  }
}

/** One line. */
export function eventLine(event: ShownEvent): string {
  const { position, createdAt, type, streamId, streamVersion } = event
  const place = `${printable(streamId)}@${streamVersion}`
  return `${position}  ${createdAt.toISOString()}  ${printable(type)}  ${place}  ${whatItSays(event)}\n`
}

export function whatItSays({ erased, unreadable, data }: ShownEvent): string {
  if (erased) return '(erased)'
  return unreadable === undefined ? printable(plainJson(data)) : `(unreadable: ${printable(unreadable)})`
}
