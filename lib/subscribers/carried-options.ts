import { DEPTH, type TriggeredOptions } from '../dispatch/options.ts'
import { DEADLINE_KEY, DEPTH_KEY, storedMetadataOf } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'

/**
 * What a command takes over from the event that led to it. What the call says itself wins; as with every option, undefined says nothing.
 *
 * @param recorded the event
 * @param given what the call says
 * @param inheritsDeadline false where the command makes good what may have failed by that very deadline
 */
export function carriedOptions(
  recorded: RecordedEvent,
  given: DispatchOptions | undefined,
  inheritsDeadline = true,
): TriggeredOptions {
  const { eventId, correlationId, metadata, tenant } = recorded
  const stored = storedMetadataOf(recorded)
  // Both are numbers, as they were when they were stored; a store gives back what it was given.
  const deadline = stored[DEADLINE_KEY] as number | undefined
  const depth = (stored[DEPTH_KEY] ?? 0) as number
  return {
    ...given,
    causationId: given?.causationId === undefined ? eventId : given.causationId,
    correlationId: given?.correlationId === undefined ? correlationId : given.correlationId,
    metadata: given?.metadata === undefined ? metadata : { ...metadata, ...given.metadata },
    ...(given?.tenant === undefined && tenant !== undefined && { tenant }),
    ...(inheritsDeadline && given?.deadline === undefined && deadline !== undefined && { deadline }),
    [DEPTH]: depth + 1,
  }
}
