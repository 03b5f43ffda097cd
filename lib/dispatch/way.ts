import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'

/** What a dispatch goes: its execution alone, or with middleware, a wait and telemetry around it. */
export interface Way {
  start(): MaybePromise<ExecutionResult>
  /** As `start`, after it has stood in line. */
  startLater(): MaybePromise<ExecutionResult>
}
