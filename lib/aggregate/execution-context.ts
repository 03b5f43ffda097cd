import type { Metadata } from '../messages/recorded-event.ts'

/** What `execute`, `beforeExecute` and command handlers may know beside state and command. */
export interface ExecutionContext {
  readonly commandId: string
  /** Shared by all commands and events that come of the same beginning. */
  readonly correlationId: string
  /** The id of what led to the command: an event, another command, or itself. */
  readonly causationId: string
  /** What is stored with each event. */
  readonly metadata: Metadata
  /** For whom the command is executed. */
  readonly tenant?: string | undefined
  /** The time of this attempt, of the application's clock. */
  readonly now: Date
}
