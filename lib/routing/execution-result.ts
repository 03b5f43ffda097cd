import type { Metadata, RecordedEvent } from '../messages/recorded-event.ts'

/** What became of a command. State, metadata and the data of events are frozen. */
export interface ExecutionResult<State = unknown, Events extends RecordedEvent = RecordedEvent, Reply = unknown> {
  /** The bare identity. */
  readonly aggregateId: string
  /** Prefix and identity. */
  readonly streamId: string
  /** The version after the command. */
  readonly aggregateVersion: number
  /**
   * The position of the last event that the command stored, for `waitFor` of another request; 0 where it stored none.
   */
  readonly position: number
  /** What the command stored; empty where it had nothing to say. */
  readonly events: readonly Events[]
  readonly metadata: Metadata
  /** The state after the command. */
  readonly aggregateState: Readonly<State>
  /** What a command handler gave with `reply(value, events)`, or a middleware with `pipeline.respond(value)`. */
  readonly reply: Reply
}
