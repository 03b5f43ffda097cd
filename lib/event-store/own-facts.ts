import { jsonSerializer } from '../messages/json-serializer.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import { isReserved } from '../messages/reserved.ts'
import type { EventStoreCapabilities } from './event-store.ts'
import { NO_METADATA } from './frozen-metadata.ts'
import { OBJECT_CONTENT_TYPE, type NewEvent, type StoredEvent } from './stored-event.ts'

// Facts that Edict itself keeps in the store, in streams of categories that begin with "edict.". They do not go through the
// application's serializer and upcasters, which know the user's events alone, and no reader of the user's is given them.

/** Where a fact of Edict's own comes from. */
export interface FactOrigin {
  readonly commandId: string
  readonly causationId: string
  readonly correlationId: string
  readonly now: number
}

/** Whether a stored event is one of Edict's own. */
export function isOwnFact({ category }: Pick<StoredEvent, 'category'>): boolean {
  return isReserved(category)
}

/** A fact on its way into a store. `data` is frozen, and made of JSON values. */
export function ownFact(
  values: EventStoreCapabilities['values'],
  type: string,
  eventId: string,
  data: Readonly<Record<string, unknown>>,
  { commandId, causationId, correlationId, now }: FactOrigin,
): NewEvent {
  const kept =
    values === 'objects'
      ? { contentType: OBJECT_CONTENT_TYPE, data }
      : { contentType: jsonSerializer.contentType, data: JSON.stringify(data) }
  const metadata: Metadata = NO_METADATA
  return { eventId, type, schemaVersion: 1, ...kept, metadata, commandId, causationId, correlationId, createdAt: now }
}

/** What a fact says. */
export function factOf({
  contentType,
  data,
}: Pick<StoredEvent, 'contentType' | 'data'>): Readonly<Record<string, unknown>> {
  if (contentType === OBJECT_CONTENT_TYPE) return data as Readonly<Record<string, unknown>>
  const text = typeof data === 'string' ? data : new TextDecoder().decode(data as Uint8Array)
  // Written by `ownFact`, as an object.
  return JSON.parse(text) as Readonly<Record<string, unknown>>
}
