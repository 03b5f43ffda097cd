import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { ScheduleCommands } from '../routing/scheduling.ts'

/** What a workflow may know and do beside the event. */
export interface WorkflowContext {
  /**
   * Schedules commands. In the foreground they come at the end of the batch whose event this is, in its transaction. In the
   * background all commands that were scheduled for one event are one batch of their own, which runs when the function is through.
   * What it gives is a receipt, and no promise.
   *
   * @throws {UnregisteredCommandError} `unregistered_command`; InvalidIdentityError `invalid_identity`
   * @throws {DispatchTooDeepError} `dispatch_too_deep`; BatchTooLargeError `batch_too_large`. The batch fails with these, whoever catches them
   * @throws {SchedulingRefusedError} `scheduling_refused` where the function is over already
   */
  readonly executeCommands: ScheduleCommands
  /**
   * Does something once the transaction is committed, and not at all where it is rolled back. In the order of the calls; a failure
   * is logged, and changes nothing of what is committed.
   *
   * @throws {SchedulingRefusedError} `scheduling_refused` where the function is over already
   */
  readonly afterCommit: (work: () => MaybePromise<unknown>) => void
  /** Aborts when nobody waits for the batch any more, or the workflow is stopped. */
  readonly signal: AbortSignal
  /** The application's name. */
  readonly application: string
  readonly workflowName: string
  /** Whether this is a dry run, after which nothing will have happened. */
  readonly isDryRun: boolean
}
