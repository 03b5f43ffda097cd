import { ConsistencyTimeoutError, UnreadableEventError, describeThrown } from '../errors.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ConsistencyBoard } from './consistency-board.ts'

// What may still go wrong where something is stored, and its handlers are waited for: the caller is told that it is stored.

/**
 * Stored events as the handlers get them that are waited for.
 *
 * @param codec the application's
 * @param events as they were stored
 * @param what is stored, for messages: a command's type, `'the batch'`
 * @param executionResult what its caller would have been given
 * @throws {UnreadableEventError} `unreadable_event`, with the outcome `'executed'`
 */
export function readByHandlers(
  codec: EventCodec,
  events: readonly RecordedEvent[],
  what: string,
  executionResult: unknown,
): readonly RecordedEvent[] {
  try {
    return codec.asRead(events)
  } catch (cause) {
    const message = `${what} is stored, but its events cannot be read: ${describeThrown(cause)}`
    throw new UnreadableEventError(message, { cause, outcome: 'executed', executionResult })
  }
}

/** That handlers have not handled what is stored, after so many milliseconds of waiting for them. */
export function handlersBehind<Result>(
  board: ConsistencyBoard,
  laggards: readonly string[],
  waited: number,
  what: string,
  executionResult: Result,
): ConsistencyTimeoutError<Result> {
  // Negative where the clock was put back.
  const time = Math.max(0, waited)
  const message = `${what} is stored, but not handled by ${board.told(laggards)} after ${time} ms`
  return new ConsistencyTimeoutError(message, laggards, executionResult)
}
