import { isReserved } from '../messages/reserved.ts'
import { NO_METADATA } from './frozen-metadata.ts'
import { FACT_CONTENT_TYPE, type NewEvent, type StoredEvent } from './stored-event.ts'

// Facts that Edict itself keeps in the store, in streams of categories that begin with "edict.". They do not go through the
// application's serializer and upcasters, which know the user's events alone.

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

/** A fact on its way into a store. */
export function ownFact(
  type: string,
  eventId: string,
  data: Readonly<Record<string, unknown>>,
  { commandId, causationId, correlationId, now }: FactOrigin,
): NewEvent {
  return {
    ...{ eventId, type, schemaVersion: 1, contentType: FACT_CONTENT_TYPE, data: JSON.stringify(data) },
    ...{ metadata: NO_METADATA, commandId, causationId, correlationId, createdAt: now },
  }
}

/** What a fact says. */
export function factOf({ data }: Pick<StoredEvent, 'data'>): Readonly<Record<string, unknown>> {
  // Written by `ownFact`, as the text of an object.
  return JSON.parse(data as string) as Readonly<Record<string, unknown>>
}
