import type { ExecutionContext } from '../aggregate/execution-context.ts'

/** What a command handler may know beside state and command. */
export interface HandlerContext extends ExecutionContext {
  /** Aborts when the dispatch ran out of time or its caller aborted; what the handler returns after that is refused. */
  readonly signal: AbortSignal
}
