import type { ExecutionContext } from '../aggregate/execution-context.ts'
import type { ScheduleCommands } from './scheduling.ts'

/** What a command handler may know beside state and command. */
export interface HandlerContext extends ExecutionContext {
  /** Aborts when the dispatch ran out of time or its caller aborted; what the handler returns after that is refused. */
  readonly signal: AbortSignal
  /**
   * Schedules commands: they come at the end of the batch that the command runs in. What it gives is a receipt, and no promise.
   *
   * @throws {SchedulingRefusedError} `scheduling_refused` where the command runs in no batch, or is over already
   * @throws {DispatchTooDeepError} `dispatch_too_deep`; BatchTooLargeError `batch_too_large`. The batch fails with these, whoever catches them
   */
  readonly executeCommands: ScheduleCommands
}
