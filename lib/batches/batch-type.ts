import type { DispatchingHandler } from '../dispatch/consistency-board.ts'
import type { TriggeredOptions } from '../dispatch/options.ts'
import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { CommandFor, ResultOf, RouteOf } from '../routing/registered-route.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'

/** What a batch may choose; the time limits, the deadline and the signal are those of the batch as a whole. */
export interface BatchOptions extends Pick<
  DispatchOptions,
  | 'consistency'
  | 'timeout'
  | 'consistencyTimeout'
  | 'metadata'
  | 'causationId'
  | 'correlationId'
  | 'signal'
  | 'retryAttempts'
  | 'deadline'
  | 'tenant'
> {
  /**
   * One for each command that is given. They make the batch idempotent: one that comes again with the same commands under the same
   * ids is answered with the first results. @default new ones
   */
  readonly commandIds?: readonly string[]
}

/** How far a cascade of commands that schedule commands may go. */
export interface BatchLimits {
  /** How many commands may lead to a command, one after another. @default 100 */
  readonly maxDepth?: number
  /** How many commands a batch may have, with those that are scheduled. @default 10_000 */
  readonly maxCommands?: number
}

/** What became of a command that was scheduled. */
export interface ScheduledResult {
  readonly type: string
  readonly commandId: string
  /** Who scheduled it: the name of a workflow, or the type of the command whose handler did. */
  readonly scheduledBy: string
  readonly result: ExecutionResult
}

/** What became of a batch that is committed. */
export interface BatchResult<Results = readonly ExecutionResult[]> {
  /** Of the commands that were given, in their order. */
  readonly results: Results
  /** Of those that were scheduled meanwhile, in the order in which they ran. */
  readonly scheduled: readonly ScheduledResult[]
  /** The position of the last event that the batch stored, for `waitFor`; 0 where it stored none. */
  readonly position: number
}

/** The commands of a batch, by their types; one that is not registered says so. */
export type CommandsFor<Routes, Types extends readonly string[]> = {
  readonly [At in keyof Types]: CommandFor<RouteOf<Routes, Types[At]>, Types[At]>
}

/** What the commands of a batch give, one by one. */
export type ResultsOf<Routes, Types extends readonly string[]> = {
  readonly [At in keyof Types]: ResultOf<RouteOf<Routes, Types[At]>, Types[At]>
}

/** Commands that an event led to, with the ids that they get each time the event comes. */
export interface TriggeredCommand {
  readonly command: SealedMessage
  readonly commandId: string
}

/** Runs batches for those who follow events. */
export interface BatchRunner {
  /** @throws {UnregisteredCommandError} `unregistered_command`; InvalidIdentityError `invalid_identity` */
  check(command: unknown): SealedMessage
  run(commands: readonly TriggeredCommand[], options: TriggeredOptions, handler: DispatchingHandler): Promise<unknown>
}
