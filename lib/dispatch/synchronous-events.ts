import type { EventProcessing } from '../messages/event-processing.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { SealedMessage } from '../messages/sealed-message.ts'

/**
 * Those of a command's events whose handlers are waited for; undefined where there are none.
 *
 * @param made the events as they were decided on, with their marks
 * @param recorded the same ones as they were stored
 * @param byDefault how events without a mark are processed
 */
export function synchronousEvents(
  made: readonly SealedMessage[],
  recorded: readonly RecordedEvent[],
  byDefault: EventProcessing,
): readonly RecordedEvent[] | undefined {
  let found: RecordedEvent[] | undefined
  for (let index = 0; index < made.length; index++) {
    const processing = SealedMessage.processingOf(made[index] as SealedMessage) ?? byDefault
    if (processing === 'sync') (found ??= []).push(recorded[index] as RecordedEvent)
  }
  return found
}
