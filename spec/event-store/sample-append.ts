import type { StreamAppend } from '../../lib/event-store/event-store.ts'
import { OBJECT_CONTENT_TYPE, type NewEvent } from '../../lib/event-store/stored-event.ts'

let count = 0

export function sampleEvent(overrides: Partial<NewEvent> = {}): NewEvent {
  const commandId = `command-${++count}`
  return {
    eventId: `event-${count}`,
    type: 'MoneyDeposited',
    schemaVersion: 1,
    contentType: OBJECT_CONTENT_TYPE,
    data: { amount: 5 },
    metadata: {},
    commandId,
    causationId: commandId,
    correlationId: `correlation-${count}`,
    createdAt: 1_709_210_096_789,
    ...overrides,
  }
}

/** An append of some events of one command. */
export function sampleAppend(streamId: string, events = 1, overrides: Partial<StreamAppend> = {}): StreamAppend {
  const { commandId } = sampleEvent()
  return {
    streamId,
    category: 'BankAccount',
    expectedVersion: 'any',
    events: Array.from({ length: events }, () => sampleEvent({ commandId })),
    ...overrides,
  }
}
