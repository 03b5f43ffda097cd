import type { Metadata } from '../messages/recorded-event.ts'
import type { DispatchOutcome } from '../telemetry/dispatch-outcome.ts'

/** What became of a command, as far as the trail knows: `begun` where it was under way when it was written. */
export type AuditOutcome = DispatchOutcome | 'begun'

/** An event that a command led to. */
export interface AuditedEvent {
  readonly eventId: string
  readonly type: string
  readonly streamId: string
  readonly streamVersion: number
  readonly position: number
}

/** One dispatch of one command. A command that is sent twice under one id has two. */
export interface AuditEntry {
  readonly entryId: string
  /** The application's name. */
  readonly application: string
  /** The command's type. */
  readonly command: string
  /** Undefined where the command was refused before it had one. */
  readonly commandId: string | undefined
  readonly causationId: string | undefined
  readonly correlationId: string | undefined
  /** The name of the aggregate; undefined where the command was refused before it was routed. */
  readonly aggregate: string | undefined
  readonly aggregateId: string | undefined
  readonly streamId: string | undefined
  readonly tenant: string | undefined
  readonly metadata: Metadata
  readonly dispatchedAt: Date
  /** Milliseconds; undefined while it is under way. */
  readonly duration: number | undefined
  readonly outcome: AuditOutcome
  /** That of the error, where there was one. */
  readonly code: string | undefined
  /** The error's message. */
  readonly reason: string | undefined
  /** What the rejection, or the middleware that halted it, gave. */
  readonly details: unknown
  readonly aggregateVersion: number | undefined
  /** In their order; those of the first time, where it was a repeat. */
  readonly events: readonly AuditedEvent[]
  /** What the trail's `data` function gave of the command's data; undefined where it has none. */
  readonly data: unknown
}
