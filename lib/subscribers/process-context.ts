import type { Command } from '../messages/message.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'

/** What `handle` and `afterCommand` may know beside state and event. */
export interface ProcessManagerContext {
  readonly instanceId: string
  /** The name of the process manager. */
  readonly handlerName: string
  /** The application's name. */
  readonly application: string
  /** How often this event has been given to the instance since it came, from 1. */
  readonly attempt: number
  /** Aborts when the event runs out of its `eventTimeout`, and when the process manager is stopped. */
  readonly signal: AbortSignal
}

/** What failed, for `onError`. */
export type ProcessFailure<Recorded = RecordedEvent, State = unknown> =
  | {
      /** `interested` threw or gave garbage, or a strict interest did not hold. May be skipped, or stop the process manager. */
      readonly during: 'routing'
      readonly recorded: Recorded
      /** Where a strict interest did not hold. */
      readonly instanceId: string | undefined
    }
  | {
      /** `handle`, `apply` or `afterCommand` failed, or the event ran out of its time, or the instance's state cannot be read. */
      readonly during: 'event'
      readonly recorded: Recorded
      readonly instanceId: string
      /** Before the event. Undefined where it cannot be read. */
      readonly state: Readonly<State> | undefined
    }
  | {
      /** The dispatch of a command failed. */
      readonly during: 'command'
      readonly recorded: Recorded
      readonly instanceId: string
      readonly state: Readonly<State>
      readonly command: Command
      /** Those that come after it. */
      readonly pending: readonly Command[]
    }

/** What `onError` may know beside the error and what failed. */
export interface ProcessFailureContext {
  /** How often this has failed in a row, from 1: the event, or the command. */
  readonly failures: number
  /** Empty at the first failure of an event; what is put here is there at its next ones, as long as it is in hand. */
  readonly assigns: Record<string, unknown>
  /** The name of the process manager. */
  readonly handlerName: string
  /** The application's name. */
  readonly application: string
}
