import { DefinitionError } from '../errors.ts'
import { frozenMetadata } from '../event-store/frozen-metadata.ts'
import { recordedEvent } from '../event-store/recorded-event.ts'
import { OBJECT_CONTENT_TYPE } from '../event-store/stored-event.ts'
import type { Event } from '../messages/message.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { SealedMessage } from '../messages/sealed-message.ts'

/** What a test says of how an event was recorded. */
export type RecordedDetails = Partial<Omit<RecordedEvent, 'type' | 'data'>>

/**
 * An event as it is read back, without a store: for tests of what takes recorded events. What the test does not say of it has fixed
 * values, which follow its `position`.
 *
 * @example
 * import { recorded } from 'edict/testing'
 *
 * recorded(MoneyDeposited({ accountNumber: 'ACC123', amount: 5 }), { position: 7 }).eventId // 'event-7'
 *
 * @throws {DefinitionError} `invalid_definition` where it is no event that its definition made
 */
export function recorded<Type extends string, Data>(
  event: Event<Type, Data>,
  details: RecordedDetails = {},
): RecordedEvent<Type, Data> {
  const definition = SealedMessage.definitionOf(event)
  if (definition?.kind !== 'event') {
    throw new DefinitionError('recorded(event, details) needs an event that its definition made')
  }
  const { position = 1, index = 0, metadata = {}, createdAt, commandId = `command-${position}` } = details
  const stored = {
    eventId: `event-${position}`,
    type: event.type,
    schemaVersion: definition.schemaVersion,
    contentType: OBJECT_CONTENT_TYPE,
    data: event.data,
    causationId: commandId,
    correlationId: commandId,
    streamId: 'stream-1',
    category: 'Test',
    streamVersion: position,
    ...details,
    position,
    commandId,
    metadata: frozenMetadata(metadata),
    createdAt: createdAt?.getTime() ?? 0,
  }
  // It holds the event's own type and data.
  return recordedEvent(stored, event.data, index) as RecordedEvent<Type, Data>
}
