import { backoffDelay } from '../effects/backoff.ts'
import type { Random } from '../effects/ids.ts'
import { EventTimeoutError, isEdictError, type EdictError } from '../errors.ts'
import { ErrorAction, retry, stop } from './error-action.ts'
import { defaultRetryPolicy, type OnErrorFault, type RetryPolicy } from './failure-policy.ts'
import type { HandlerModel } from './handler-model.ts'
import type { ProcessFailure } from './process-context.ts'
import { CommandAction } from './process-error-action.ts'
import type { ProcessManagerModel } from './process-manager-model.ts'

export type ProcessAction = ErrorAction | CommandAction

export interface ProcessFailuresOptions {
  readonly model: Pick<ProcessManagerModel, 'name' | 'onError'>
  readonly application: string
  readonly retryPolicy: Partial<RetryPolicy>
  readonly random: Random
  /** For a process manager without its own `onError`. */
  readonly onHandlerError: HandlerModel['onError']
}

/** Decides what becomes of what failed in a process manager. */
export class ProcessFailures {
  readonly #options: ProcessFailuresOptions
  readonly #retryPolicy: RetryPolicy

  constructor(options: ProcessFailuresOptions) {
    this.#options = options
    this.#retryPolicy = { ...defaultRetryPolicy, ...options.retryPolicy }
  }

  /** `report` is told of an `onError` that fails itself, which counts as `stop()`. */
  async decide(
    error: unknown,
    failure: ProcessFailure,
    failures: number,
    assigns: Record<string, unknown>,
    report: (fault: OnErrorFault) => void,
  ): Promise<ProcessAction> {
    const { model, application, onHandlerError } = this.#options
    const { name, onError } = model
    const context = { failures, assigns, handlerName: name, application }
    const asked =
      onError === undefined
        ? onHandlerError && (() => onHandlerError(error, failure.recorded, context))
        : () => onError(error, failure, context)
    if (asked === undefined) return this.#byDefault(error, failure, failures)
    try {
      const action = await asked()
      if (fits(action, failure)) return action
      report({ error, what: `has an onError that gave what it must not for ${described[failure.during]}` })
    } catch (thrown) {
      report({ error: thrown, what: 'has an onError that failed itself' })
    }
    return stop()
  }

  #byDefault(error: unknown, { during }: ProcessFailure, failures: number): ProcessAction {
    // What is routed wrongly, or hangs, does so again.
    if (during === 'routing' || error instanceof EventTimeoutError || isFinal(error)) return stop()
    return failures < this.#retryPolicy.attempts ? retry() : stop()
  }

  /** Milliseconds before the next attempt. */
  delay(action: ErrorAction, failures: number): number {
    return action.after ?? backoffDelay(this.#retryPolicy, failures, this.#options.random)
  }
}

/** What another attempt could change: the others were there first, or it took too long, or something was away. */
const PASSING: ReadonlySet<string> = new Set([
  'aborted',
  'command_failed',
  'command_timeout',
  'consistency_timeout',
  'mailbox_full',
  'not_running',
  'store_failed',
  'version_conflict',
])

/** It was refused for what it is: the same is refused again. */
function isFinal(error: unknown): boolean {
  return isEdictError(error) && !PASSING.has(error.code) && !couldNotBeDecoded(error)
}

/** Something threw, as where a serializer's keys are out of reach for a while. A type or a version that nobody knows stays so. */
function couldNotBeDecoded({ code, cause }: EdictError): boolean {
  return (code === 'unreadable_event' || code === 'unreadable_state') && cause !== undefined
}

const described = {
  routing: 'an event that was routed wrongly: skip() or stop()',
  event: 'an event: retry(), skip(), stop() or park()',
  command: 'a command: retry(), skip(), skipCommand(), continueWith(…), stop() or park()',
} as const

function fits(action: unknown, { during }: ProcessFailure): action is ProcessAction {
  if (action instanceof CommandAction) return during === 'command'
  if (!(action instanceof ErrorAction)) return false
  switch (action.action) {
    case 'skip':
    case 'stop':
      return true
    case 'retry':
    case 'park':
      return during !== 'routing'
  }
}
