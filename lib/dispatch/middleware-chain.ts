import { isRejection } from '../aggregate/rejection.ts'
import type { Logger } from '../effects/logger.ts'
import { isLater, isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { HookMiddleware, Middleware } from '../routing/middleware.ts'
import type { CommandPipeline } from './command-pipeline.ts'
import { Passage, type Destination } from './passage.ts'
import { withReply } from './executed.ts'

/** The middleware around the commands of a route. */
export interface MiddlewareChain {
  run(pipeline: CommandPipeline, destination: Destination): MaybePromise<ExecutionResult>
}

export function middlewareChain(chain: readonly Middleware[], logger: Logger): MiddlewareChain {
  const hooks = chain.filter((middleware) => typeof middleware !== 'function')
  return hooks.length === chain.length ? new HookChain(hooks, logger) : new MixedChain(chain, logger)
}

/** The result as the caller gets it, once the chain is through. */
function answer(pipeline: CommandPipeline): ExecutionResult {
  const result = pipeline.result as ExecutionResult
  return pipeline.responded ? withReply(result, pipeline.reply) : result
}

/** What a hook gave, as a promise, where that is not plainly nothing: a promise, or what it must not give. */
function notPlain(given: unknown): Promise<unknown> | undefined {
  if (given === undefined) return undefined
  return isPromiseLike(given) || isRejection(given) ? Promise.resolve(given) : undefined
}

class MixedChain implements MiddlewareChain {
  readonly #chain: readonly Middleware[]
  readonly #logger: Logger

  constructor(chain: readonly Middleware[], logger: Logger) {
    this.#chain = chain
    this.#logger = logger
  }

  run(pipeline: CommandPipeline, destination: Destination): Promise<ExecutionResult> {
    return new Passage(this.#chain, pipeline, destination, this.#logger).from(0).then(() => answer(pipeline))
  }
}

/**
 * Nothing but hooks: while they are synchronous, and nothing goes wrong, they cost no promise. At the first thing that is not
 * plain a passage takes over, which knows all cases.
 */
class HookChain implements MiddlewareChain {
  readonly #chain: readonly HookMiddleware[]
  readonly #logger: Logger

  constructor(chain: readonly HookMiddleware[], logger: Logger) {
    this.#chain = chain
    this.#logger = logger
  }

  run(pipeline: CommandPipeline, destination: Destination): MaybePromise<ExecutionResult> {
    const chain = this.#chain
    for (let index = 0; index < chain.length; index++) {
      let pending: Promise<unknown> | undefined
      try {
        pending = notPlain(chain[index]?.beforeDispatch?.(pipeline))
      } catch (cause) {
        pending = Promise.reject(cause)
      }
      if (pending !== undefined || pipeline.halted) {
        return this.#passage(pipeline, destination)
          .resume(index, pending ?? Promise.resolve())
          .then(() => answer(pipeline))
      }
    }
    return this.#center(pipeline, destination)
  }

  #center(pipeline: CommandPipeline, destination: Destination): MaybePromise<ExecutionResult> {
    let result: MaybePromise<ExecutionResult>
    try {
      result = destination.start()
    } catch (error) {
      result = Promise.reject(error)
    }
    if (isLater(result)) {
      const pending = result
      return this.#passage(pipeline, destination)
        .center(() => pending)
        .then(() => answer(pipeline))
    }
    pipeline.committed(result)
    const chain = this.#chain
    for (let index = 0; index < chain.length; index++) {
      let pending: Promise<unknown> | undefined
      try {
        pending = notPlain(chain[index]?.afterDispatch?.(pipeline))
      } catch (cause) {
        pending = Promise.reject(cause)
      }
      if (pending !== undefined || pipeline.halted) {
        return this.#passage(pipeline, destination)
          .finish(index + 1, pending)
          .then(() => answer(pipeline))
      }
    }
    return answer(pipeline)
  }

  #passage(pipeline: CommandPipeline, destination: Destination): Passage {
    return new Passage(this.#chain, pipeline, destination, this.#logger)
  }
}
