import type { DispatchOptions } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { DispatchingHandler } from './consistency-board.ts'

/** Commands whose events are followed inside their transaction: they go another way. */
export interface FollowedCommands {
  isFollowed(command: unknown): boolean
  /** The first workflow that follows an event of this type inside its transaction. */
  followerOf(type: string): string | undefined
  /** One command by itself, in a transaction with what follows from it. */
  dispatch(
    command: unknown,
    options: DispatchOptions | undefined,
    handler?: DispatchingHandler,
  ): Promise<ExecutionResult>
}
