import { jsonSerializer } from '../messages/json-serializer.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Serializer } from '../messages/serializer.ts'
import { storedTypes, type Upcaster } from '../messages/upcaster.ts'
import { checkOptions } from './argument-checks.ts'
import { EventCodec } from './event-codec.ts'
import type { EventStore } from './event-store.ts'
import { isOwnFact } from './own-facts.ts'
import { readAllEvents, type ReadAllEventsOptions } from './read.ts'
import { READ_ALL_OPTIONS } from './reading-checks.ts'

/** Which events are read, and by what they are decoded. */
export interface ReadRecordedEventsOptions extends Omit<ReadAllEventsOptions, 'maxCount'> {
  /** Only events that are read as one of these types today. */
  readonly types?: ReadonlySet<string>
  /** As the application's. */
  readonly serializer?: Serializer
  /** As the application's. */
  readonly upcasters?: readonly Upcaster[]
}

/**
 * Reads all events of a store as handlers see them, decoded and upcast, or those that pass a filter. Edict's own facts and what is
 * deleted are passed over.
 *
 * @example
 * for await (const { type, data } of readRecordedEvents(store, { category: 'BankAccount' })) console.log(type, data)
 *
 * @throws {InvalidOptionError} `invalid_option`; NotRunningError `not_running`; StoreError `store_failed`; UnreadableEventError
 *   `unreadable_event`
 */
export function readRecordedEvents(
  store: EventStore,
  options: ReadRecordedEventsOptions = {},
): AsyncIterable<RecordedEvent> {
  const known = READ_ALL_OPTIONS.filter((option) => option !== 'maxCount')
  checkOptions('readRecordedEvents', options, [...known, 'batchSize', 'serializer', 'upcasters'])
  const { serializer, upcasters = [], types, ...rest } = options
  const codec = new EventCodec({
    serializer: serializer ?? jsonSerializer,
    serializerChosen: serializer !== undefined,
    upcasters,
    values: store.capabilities.values,
  })
  const stored = readAllEvents(store, { ...rest, ...(types && { types: storedTypes(types, upcasters) }) })
  return { [Symbol.asyncIterator]: () => recordedEvents(codec, stored, types, rest.direction === 'backward') }
}

async function* recordedEvents(
  codec: EventCodec,
  stored: ReturnType<typeof readAllEvents>,
  types: ReadonlySet<string> | undefined,
  backward: boolean,
): AsyncGenerator<RecordedEvent, void, undefined> {
  for await (const one of stored) {
    if (isOwnFact(one)) continue
    const read = await codec.decode(one)
    for (const event of backward ? [...read].reverse() : read) {
      if (types === undefined || types.has(event.type)) yield event
    }
  }
}
