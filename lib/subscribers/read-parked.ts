import type { EventStore } from '../event-store/event-store.ts'
import type { SubscriptionHub } from '../event-store/subscription-hub.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { parkedFact } from './parked-facts.ts'

export interface ParkedReader {
  readonly store: Pick<EventStore, 'readStream'>
  readonly decode: SubscriptionHub['decode']
}

/** A parked event as it is read today; undefined where it was erased, or where upcasting makes nothing of it any more. */
export async function readParked(
  { store, decode }: ParkedReader,
  parkedStream: string,
  version: number,
  index: number,
): Promise<RecordedEvent | undefined> {
  const { events } = await store.readStream(parkedStream, { fromVersion: version, maxCount: 1 })
  const fact = events[0] && parkedFact(events[0])
  if (fact?.fact !== 'edict.EventParked') return undefined
  const slice = await store.readStream(fact.streamId, { fromVersion: fact.streamVersion, maxCount: 1 })
  const stored = slice.events[0]
  return stored && (await decode(stored))[index]
}
