import pTimeout from 'p-timeout'
import type { Instance } from '../aggregate/instance.ts'
import type { Turn } from '../aggregate/mailbox.ts'
import { LONGEST_TIMER_MS, type Clock } from '../effects/clock.ts'
import type { Fairness } from '../effects/fairness.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { AbortedError, CommandTimeoutError, type EdictError } from '../errors.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { ResolvedOptions } from './options.ts'

/** Where a turn stands; what a timeout means depends on it. */
type Phase = 'waiting' | 'working' | 'appending' | 'through'

/** A command's turn on its aggregate, as far as it can run out of time or be aborted: then it is fenced off from the store. */
export abstract class BoundedTurn implements Turn<ExecutionResult> {
  readonly command: SealedMessage
  readonly options: ResolvedOptions
  /** Milliseconds; middleware may change it. */
  timeout: number
  /** The time of this attempt. */
  now: number
  instance: Instance | undefined
  protected phase: Phase = 'waiting'
  readonly #effects: { readonly clock: Clock; readonly fairness: Fairness }
  /** Undefined while nothing has been waited for. */
  #deadline: number | undefined
  #failure: EdictError | undefined
  #controller: AbortController | undefined
  #stopListening: (() => void) | undefined

  constructor(
    effects: { readonly clock: Clock; readonly fairness: Fairness },
    command: SealedMessage,
    options: ResolvedOptions,
    now: number,
  ) {
    this.#effects = effects
    this.command = command
    this.options = options
    this.timeout = options.timeout
    this.now = now
  }

  abstract perform(): MaybePromise<ExecutionResult>

  get failure(): EdictError | undefined {
    return this.#failure
  }

  /** Aborts when nobody waits for the result any more. Made only for those who look at it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#failure) this.#controller.abort(this.#failure)
    }
    return this.#controller.signal
  }

  /** Ends the wait, and with it the execution, when time runs out or the caller aborts. */
  protected bounded(work: PromiseLike<ExecutionResult>): PromiseLike<ExecutionResult> {
    const { clock } = this.#effects
    const { signal } = this.options
    const abortable = signal === undefined ? work : this.#abortable(work, signal)
    if (this.timeout > LONGEST_TIMER_MS) return abortable
    this.#deadline = this.now + this.timeout
    return pTimeout(abortable, {
      milliseconds: this.timeout,
      // p-timeout hands a callback, a time and the handle on, which is all that a Clock takes.
      customTimers: clock as unknown as { setTimeout: typeof setTimeout; clearTimeout: typeof clearTimeout },
      fallback: () => {
        throw this.#timedOut()
      },
    })
  }

  #abortable(work: PromiseLike<ExecutionResult>, signal: AbortSignal): Promise<ExecutionResult> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        // An append that is under way is waited for: its outcome will be known in a moment.
        if (this.phase === 'appending' || this.phase === 'through') return
        const error = this.aborted(signal)
        this.#end(error)
        reject(error)
      }
      this.#stopListening = () => {
        signal.removeEventListener('abort', abort)
      }
      signal.addEventListener('abort', abort, { once: true })
      work.then(resolve, reject)
      work.then(this.#stopListening, this.#stopListening)
    })
  }

  protected aborted(signal: AbortSignal): AbortedError {
    return new AbortedError(`${this.command.type} was aborted by its caller; nothing was stored`, {
      cause: signal.reason,
    })
  }

  #timedOut(): CommandTimeoutError {
    const outcome = this.phase === 'appending' ? 'unknown' : 'not-executed'
    const error = new CommandTimeoutError(this.command.type, this.timeout, outcome)
    this.#end(error)
    return error
  }

  #end(error: EdictError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#stopListening?.()
    this.#controller?.abort(error)
    // What is being appended must be known before the next command sees the state; anything else is fenced off.
    if (this.phase !== 'appending') this.instance?.mailbox.abandon(this, this.#effects.fairness)
  }

  /** Refuses what comes too late, before anything is stored. */
  protected fence(): void {
    if (this.#failure === undefined && this.#deadline !== undefined && this.#effects.clock.now() > this.#deadline) {
      throw this.#timedOut()
    }
    if (this.#failure !== undefined) throw this.#failure
  }
}
