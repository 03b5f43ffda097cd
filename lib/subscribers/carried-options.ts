import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'

/** What a command takes over from the event that led to it. What the call says itself wins; as with every option, undefined says nothing. */
export function carriedOptions(recorded: RecordedEvent, given: DispatchOptions | undefined): DispatchOptions {
  const { eventId, correlationId, metadata } = recorded
  return {
    ...given,
    causationId: given?.causationId === undefined ? eventId : given.causationId,
    correlationId: given?.correlationId === undefined ? correlationId : given.correlationId,
    metadata: given?.metadata === undefined ? metadata : { ...metadata, ...given.metadata },
  }
}
