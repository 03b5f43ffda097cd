import { backoffDelay, type Backoff } from '../effects/backoff.ts'
import type { Random } from '../effects/ids.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { ErrorAction, retry, stop } from './error-action.ts'
import type { FailureContext, HandlerModel } from './handler-model.ts'

/** What an event meets whose handler fails and has no `onError`, or whose `onError` says `retry()`. */
export interface RetryPolicy extends Backoff {
  /** How often an event is given to a handler without `onError` before the handler is stopped. */
  readonly attempts: number
}

/** Ten attempts, over about five minutes. */
export const defaultRetryPolicy: RetryPolicy = { base: 1_000, longest: 60_000, attempts: 10 }

/** An `onError` that did not do its part. */
export interface OnErrorFault {
  readonly error: unknown
  readonly what: string
}

/** Decides what becomes of an event whose handler failed. */
export class FailurePolicy {
  readonly #name: string
  readonly #onError: HandlerModel['onError']
  readonly #retryPolicy: RetryPolicy
  readonly #application: string
  readonly #random: Random

  constructor(
    model: Pick<HandlerModel, 'onError' | 'name'>,
    retryPolicy: Partial<RetryPolicy>,
    application: string,
    random: Random,
    onHandlerError?: HandlerModel['onError'],
  ) {
    this.#name = model.name
    this.#onError = model.onError ?? onHandlerError
    this.#retryPolicy = { ...defaultRetryPolicy, ...retryPolicy }
    this.#application = application
    this.#random = random
  }

  get handlerName(): string {
    return this.#name
  }

  /** `about` is what else `onError` may know. `report` is told of an `onError` that fails itself, which counts as `stop()`. */
  async decide(
    error: unknown,
    recorded: RecordedEvent,
    about: Pick<FailureContext, 'failures' | 'assigns' | 'batch'>,
    report: (fault: OnErrorFault) => void,
  ): Promise<ErrorAction> {
    const onError = this.#onError
    if (!onError) return about.failures < this.#retryPolicy.attempts ? retry() : stop()
    try {
      const action = await onError(error, recorded, {
        ...about,
        handlerName: this.#name,
        application: this.#application,
      })
      if (action instanceof ErrorAction) return action
      report({ error, what: 'has an onError that gave neither retry(), skip(), stop() nor park()' })
    } catch (thrown) {
      report({ error: thrown, what: 'has an onError that failed itself' })
    }
    return stop()
  }

  /** Milliseconds before the next attempt. */
  delay(action: ErrorAction, failures: number): number {
    return action.after ?? backoffDelay(this.#retryPolicy, failures, this.#random)
  }
}
