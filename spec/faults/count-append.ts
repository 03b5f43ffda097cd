import type { StreamAppend } from 'edict'
import { countCommand, STREAM_PREFIX } from './tally.ts'

/** What a command comes to in a store, for specs that need no application. */
export function countAppend(commandId: string): StreamAppend {
  const { id, by, times } = countCommand(commandId)
  return {
    streamId: STREAM_PREFIX + id,
    category: 'Tally',
    expectedVersion: 'any',
    events: Array.from({ length: times }, (_, index) => ({
      eventId: `${commandId}-${index + 1}`,
      type: 'Counted',
      schemaVersion: 1,
      contentType: 'application/json',
      data: JSON.stringify({ by, step: index + 1 }),
      metadata: {},
      commandId,
      causationId: commandId,
      correlationId: commandId,
      createdAt: Date.now(),
    })),
  }
}
