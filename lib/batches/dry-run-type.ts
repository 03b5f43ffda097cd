import type { EdictError } from '../errors.ts'
import type { Command } from '../messages/message.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'

/** As whom the commands of a dry run would be sent. */
export type DryRunOptions = Pick<DispatchOptions, 'metadata' | 'correlationId' | 'tenant' | 'timeout' | 'signal'>

/** Who would send a command. */
export interface DryRunSender {
  readonly kind: 'command-handler' | 'workflow' | 'background-workflow' | 'process-manager'
  /** The type of the command whose handler it is, or the name of the workflow or the process manager. */
  readonly name: string
  /** Of a process manager. */
  readonly instanceId?: string
}

/** Who would get an event. */
export interface DryRunFollower {
  readonly kind: 'event-handler' | 'projection' | 'workflow' | 'background-workflow' | 'process-manager'
  readonly name: string
}

/** An event that would be stored. Its versions and positions are those that it would get if nobody else wrote meanwhile. */
export interface DryRunEvent {
  readonly recorded: RecordedEvent
  readonly type: string
  readonly data: unknown
  readonly followers: readonly DryRunFollower[]
}

/** A command that would run, and what it would come to. */
export interface DryRunCommand {
  readonly command: Command
  /** Undefined where it was given. */
  readonly sentBy: DryRunSender | undefined
  /** How many commands led to it, one after another; 0 where it was given. */
  readonly depth: number
  /** Commands of one transaction have one number, from 0. */
  readonly transaction: number
  /**
   * - `executed`: it would take effect
   * - `failed`: it would be rejected, or fail; `error` says by what
   * - `rolled-back`: it would run, and another one of its transaction would undo it
   * - `not-run`: one before it would fail
   */
  readonly outcome: 'executed' | 'failed' | 'rolled-back' | 'not-run'
  readonly error: EdictError | undefined
  /** Undefined where it would not run. */
  readonly streamId: string | undefined
  /** The version of its aggregate after it. */
  readonly aggregateVersion: number | undefined
  readonly aggregateState: unknown
  readonly reply: unknown
  readonly events: readonly DryRunEvent[]
}

/** A follower of events that would fail before it sent any command. */
export interface DryRunFailure {
  readonly follower: DryRunFollower
  readonly event: RecordedEvent
  readonly error: unknown
}

/** What commands would do. */
export interface DryRunReport {
  /** Whether the commands that were given would be committed. */
  readonly ok: boolean
  /** What they would fail with. */
  readonly error: EdictError | undefined
  /** Those that were given and all that they would lead to, in the order in which they would run. */
  readonly commands: readonly DryRunCommand[]
  /** Process managers and background workflows that would fail at an event. */
  readonly failures: readonly DryRunFailure[]
}
