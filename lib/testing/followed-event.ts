import type { SubscriptionFilter } from '../event-store/subscription-filter.ts'
import type { EventDefinition, MessageOf } from '../messages/message.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
import { recorded } from './recorded.ts'

/**
 * An event of a test as a subscriber is given it: one that a definition has made is recorded where the subscriber looks; one that was
 * recorded elsewhere is not given to it.
 */
export function followedEvent(
  event: unknown,
  position: number,
  { streamId, category }: Omit<SubscriptionFilter, 'types'>,
): RecordedEvent | undefined {
  if (SealedMessage.definitionOf(event) !== undefined) {
    const place = { ...(streamId !== undefined && { streamId }), ...(category !== undefined && { category }) }
    // Only a definition makes what has one.
    return recorded(event as MessageOf<EventDefinition>, { position, ...place })
  }
  // What no definition has made was recorded.
  const stored = event as RecordedEvent
  const isElsewhere =
    (streamId ?? stored.streamId) !== stored.streamId || (category ?? stored.category) !== stored.category
  return isElsewhere ? undefined : stored
}
