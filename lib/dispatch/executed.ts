import type { Metadata, RecordedEvent } from '../messages/recorded-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'

/** The body of every execution result. */
export class Executed implements ExecutionResult {
  readonly aggregateId: string
  readonly streamId: string
  readonly aggregateVersion: number
  readonly position: number
  readonly events: readonly RecordedEvent[]
  readonly metadata: Metadata
  readonly aggregateState: ExecutionResult['aggregateState']
  readonly reply: unknown

  constructor(
    instance: { readonly aggregateId: string; readonly streamId: string },
    version: number,
    events: readonly RecordedEvent[],
    metadata: Metadata,
    state: unknown,
    reply: unknown,
  ) {
    this.aggregateId = instance.aggregateId
    this.streamId = instance.streamId
    this.aggregateVersion = version
    this.position = events.length === 0 ? 0 : (events[events.length - 1] as RecordedEvent).position
    this.events = events
    this.metadata = metadata
    this.aggregateState = state as ExecutionResult['aggregateState']
    this.reply = reply
  }
}

/** The same result with what a middleware answered, unless the handler answered first. */
export function withReply(result: ExecutionResult, reply: unknown): ExecutionResult {
  if (result.reply !== undefined) return result
  return new Executed(result, result.aggregateVersion, result.events, result.metadata, result.aggregateState, reply)
}
