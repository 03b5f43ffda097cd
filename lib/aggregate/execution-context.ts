import type { Metadata } from '../messages/recorded-event.ts'

/** What `execute`, `beforeExecute` and command handlers may know beside state and command. */
export interface ExecutionContext {
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly metadata: Metadata
  /** For whom the command is executed. */
  readonly tenant?: string | undefined
  /** The time of this attempt, of the application's clock. */
  readonly now: Date
}
