import type { Metadata } from '../messages/recorded-event.ts'
import type { OperationName, StartedOperation } from './operations.ts'

/**
 * Goes around the operations of an application, as a tracer does: what runs within `work` runs in whatever context it sets up. That
 * is what a telemetry listener cannot do, which is only told. `edict/opentelemetry` makes one.
 */
export interface Instrumentation {
  /** The operations that it goes around; the others cost nothing. */
  readonly operations: readonly OperationName[]
  /**
   * Calls `work` once, at once, and gives back just what that gave: a value or a promise. What it hands to the `work` of a
   * dispatch is stored with the command's events, over the command's own metadata.
   */
  around<Result>(operation: StartedOperation, work: (metadata?: Metadata) => Result): Result
}
