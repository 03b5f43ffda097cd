import { isRejection } from '../aggregate/rejection.ts'
import type { Logger } from '../effects/logger.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { asEdictError, CommandFailedError, HaltedError, MiddlewareMisuseError, type EdictError } from '../errors.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { AroundMiddleware, HookMiddleware, Middleware } from '../routing/middleware.ts'
import type { CommandPipeline } from './command-pipeline.ts'

/** What stands at the end of a chain of middleware. */
export interface Destination {
  start(): MaybePromise<ExecutionResult>
  /** As `start`, after middleware that took its time. */
  startInTurn(): MaybePromise<ExecutionResult>
}

/** Who returns a rejection from a hook means to refuse the command; nobody would hear of it. */
function refuseRejection(returned: unknown): void {
  if (!isRejection(returned)) return
  throw new MiddlewareMisuseError(
    `a middleware returned reject('${returned.code}'), which only aggregates and command handlers may: call pipeline.halt(response)`,
  )
}

/** A promise whose failure somebody else reports. */
function reportedElsewhere(promise: Promise<unknown>): void {
  promise.catch(() => undefined)
}

/**
 * One command's passage through a chain of middleware, in which both forms stand in one order. Around functions nest; the hooks
 * before the command come in their places, the hooks after it in the order of definition, right after the commit.
 */
export class Passage {
  readonly #chain: readonly Middleware[]
  readonly #pipeline: CommandPipeline
  readonly #destination: Destination
  readonly #logger: Logger
  /** How many of the chain, from the front, have begun. */
  #begun = 0

  constructor(chain: readonly Middleware[], pipeline: CommandPipeline, destination: Destination, logger: Logger) {
    this.#chain = chain
    this.#pipeline = pipeline
    this.#destination = destination
    this.#logger = logger
  }

  /** Goes on from a place in the chain; resolves once the command is committed and the hooks after it are done. */
  async from(place: number): Promise<void> {
    for (let index = place; index < this.#chain.length; index++) {
      const middleware = this.#chain[index] as Middleware
      this.#begun = Math.max(this.#begun, index + 1)
      if (typeof middleware === 'function') return this.#around(middleware, index)
      await this.#before(middleware.beforeDispatch?.bind(middleware))
    }
    return this.center()
  }

  /** Waits for a `beforeDispatch` that gave a promise, and goes on behind it. */
  async resume(index: number, pending: PromiseLike<unknown>): Promise<void> {
    this.#begun = index + 1
    await this.#before(() => pending)
    return this.from(index + 1)
  }

  async #before(hook: ((pipeline: CommandPipeline) => unknown) | undefined): Promise<void> {
    try {
      refuseRejection(await hook?.(this.#pipeline))
    } catch (cause) {
      const misused = cause instanceof MiddlewareMisuseError
      throw await this.failure(misused ? cause : new CommandFailedError('a middleware', cause))
    }
    if (this.#pipeline.halted) throw await this.halted()
  }

  async #around(middleware: AroundMiddleware, index: number): Promise<void> {
    let inner: Promise<void> | undefined
    let misuse: string | undefined
    let over = false
    const next = (): Promise<void> => {
      if (inner === undefined && !over && !this.#pipeline.halted) {
        inner = this.from(index + 1)
        reportedElsewhere(inner)
        return inner
      }
      if (inner !== undefined) misuse = 'a middleware called next() twice'
      const refused = Promise.reject<void>(
        this.#pipeline.halted && inner === undefined
          ? this.#haltedError()
          : new MiddlewareMisuseError(misuse ?? 'a middleware called next() after it had ended', this.#committed()),
      )
      reportedElsewhere(refused)
      return refused
    }
    let thrown: { readonly cause: unknown } | undefined
    try {
      await middleware(this.#pipeline, next)
    } catch (cause) {
      thrown = { cause }
    }
    over = true
    if (inner === undefined) {
      if (thrown === undefined || this.#pipeline.halted) throw await this.halted()
      throw await this.failure(new CommandFailedError('a middleware', thrown.cause))
    }
    // The command's own failure is the answer, whatever the middleware made of it.
    await inner
    if (misuse !== undefined) throw new MiddlewareMisuseError(`${misuse}; the command ran once`, this.#committed())
    if (thrown !== undefined) throw this.#afterCommit(thrown.cause)
    if (this.#pipeline.halted) throw this.#haltedError()
  }

  /** The command itself, and the hooks after it. */
  async center(work: () => MaybePromise<ExecutionResult> = () => this.#destination.startInTurn()): Promise<void> {
    this.#begun = this.#chain.length
    try {
      this.#pipeline.committed(await work())
    } catch (error) {
      throw await this.failure(asEdictError(error, 'the dispatch'))
    }
    await this.finish(0)
  }

  /** The hooks after the commit, from one on. */
  async finish(place: number, pending?: PromiseLike<unknown>): Promise<void> {
    try {
      refuseRejection(await pending)
      for (let index = place; index < this.#chain.length && !this.#pipeline.halted; index++) {
        const middleware = this.#chain[index] as Middleware
        if (typeof middleware !== 'function') refuseRejection(await middleware.afterDispatch?.(this.#pipeline))
      }
    } catch (cause) {
      throw this.#afterCommit(cause)
    }
    if (this.#pipeline.halted) throw this.#haltedError()
  }

  /** Halted before the command: every `afterFailure` of the chain hears of it, as in Commanded. */
  halted(): Promise<EdictError> {
    this.#begun = this.#chain.length
    return this.failure(this.#haltedError())
  }

  /** Tells the middleware that began of a failure. What `afterFailure` itself throws is logged; the first failure stays the answer. */
  async failure(error: EdictError, begun = this.#begun): Promise<EdictError> {
    if (this.#pipeline.error !== undefined) return error
    this.#pipeline.failed(error)
    for (const middleware of this.#chain.slice(0, begun)) {
      if (typeof middleware === 'function') continue
      try {
        await (middleware satisfies HookMiddleware).afterFailure?.(this.#pipeline)
      } catch (cause) {
        const { type } = this.#pipeline.command
        this.#logger.error({ err: cause, command: type }, 'afterFailure of a middleware failed')
      }
    }
    return error
  }

  #committed(): { readonly outcome: 'executed'; readonly executionResult: ExecutionResult } | object {
    const { result } = this.#pipeline
    return result === undefined || this.#pipeline.isProvisional ? {} : { outcome: 'executed', executionResult: result }
  }

  #afterCommit(cause: unknown): CommandFailedError {
    const when = this.#pipeline.isProvisional ? 'ran' : 'was committed'
    return new CommandFailedError(`a middleware, after the command ${when},`, cause, this.#committed())
  }

  #haltedError(): HaltedError {
    const { command, response } = this.#pipeline
    return new HaltedError(`a middleware halted ${command.type}`, response, this.#committed())
  }
}
