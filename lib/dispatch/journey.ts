import { isLater, proceed, type MaybePromise } from '../effects/maybe-promise.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { CommandPipeline } from './command-pipeline.ts'
import type { BoardHandler, DispatchingHandler } from './consistency-board.ts'
import type { Execution } from './execution.ts'
import { handlersBehind, readByHandlers } from './handlers-behind.ts'
import type { DispatchServices } from './services.ts'
import type { Way } from './way.ts'

/** One dispatch, from the first middleware to the end of the wait for consistency. */
export class Journey implements Way {
  readonly #execution: Execution
  readonly #services: DispatchServices
  readonly #awaited: readonly BoardHandler[]
  readonly #dispatchingHandler: DispatchingHandler | undefined
  #pipeline: CommandPipeline | undefined
  #result: ExecutionResult | undefined
  #waitingSince = 0

  constructor(
    services: DispatchServices,
    execution: Execution,
    awaited: readonly BoardHandler[],
    dispatchingHandler: DispatchingHandler | undefined,
  ) {
    this.#execution = execution
    this.#services = services
    this.#awaited = awaited
    this.#dispatchingHandler = dispatchingHandler
  }

  startLater(): MaybePromise<ExecutionResult> {
    // Time has passed that is not its own.
    this.#execution.now = this.#services.clock.now()
    return this.start()
  }

  start(): MaybePromise<ExecutionResult> {
    const { chain } = this.#execution.plan
    if (chain === undefined) return proceed(this.#execution.start(), this, this.#executed)
    this.#pipeline = new CommandPipeline(this.#execution, this.#services, this.#awaited)
    return proceed(chain.run(this.#pipeline, this.#execution), this, this.#executed)
  }

  /** The end of the way of an execution that began it alone. */
  async throughHandlers(result: ExecutionResult): Promise<ExecutionResult> {
    return this.#executed(result)
  }

  #executed(result: ExecutionResult): MaybePromise<ExecutionResult> {
    const awaited = this.#pipeline?.awaited ?? this.#awaited
    const { synchronous, options } = this.#execution
    if (awaited.length === 0 && synchronous === undefined) return result
    const { board, codec } = this.#services
    const what = this.#execution.command.type
    const laggards = board.wait(
      readByHandlers(codec, result.events, what, result),
      awaited,
      options.consistencyTimeout,
      this.#dispatchingHandler,
      synchronous && readByHandlers(codec, synchronous, what, result),
    )
    if (!isLater(laggards) && laggards.length === 0) return result
    this.#result = result
    this.#waitingSince = this.#services.clock.now()
    return proceed(laggards, this, this.#waited)
  }

  #waited(laggards: readonly string[]): ExecutionResult {
    // It was kept before the wait began.
    const result = this.#result as ExecutionResult
    if (laggards.length === 0) return result
    const { board, clock } = this.#services
    throw handlersBehind(board, laggards, clock.now() - this.#waitingSince, this.#execution.command.type, result)
  }
}
