import type { EventStore, StreamAppend, StreamAppendResult } from '../../../lib/event-store/event-store.ts'
import type { NewEvent } from '../../../lib/event-store/stored-event.ts'
import { sampleAppend, sampleEvent } from '../../event-store/sample-append.ts'

/** An event as a serializer leaves it. */
export function encodedEvent(overrides: Partial<NewEvent> = {}): NewEvent {
  return sampleEvent({ contentType: 'application/json', data: '{"amount":5}', ...overrides })
}

/** An append of one command's events. */
export function encodedAppend(streamId: string, events = 1, overrides: Partial<StreamAppend> = {}): StreamAppend {
  const { commandId } = encodedEvent()
  return sampleAppend(streamId, 1, {
    events: Array.from({ length: events }, () => encodedEvent({ commandId })),
    ...overrides,
  })
}

export async function statusOf(answer: ReturnType<EventStore['append']>): Promise<StreamAppendResult['status']> {
  return (await answer)[0]!.status
}
