import type { Instance } from '../aggregate/instance.ts'
import type { Turn } from '../aggregate/mailbox.ts'
import type { Clock } from '../effects/clock.ts'
import type { Fairness } from '../effects/fairness.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { AbortedError, CommandTimeoutError, DeadlineExceededError, type EdictError, type Outcome } from '../errors.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import { Expiring, type Deadlines } from './deadlines.ts'
import type { ResolvedOptions } from './options.ts'

/** Where a turn stands; what a timeout means depends on it. */
type Phase = 'waiting' | 'working' | 'appending' | 'through'

/** What bounds a turn that has to wait. */
export class TurnDeadline extends Expiring {
  readonly expire: () => void

  constructor(expire: () => void) {
    super()
    this.expire = expire
  }
}

export interface TurnEffects {
  readonly clock: Clock
  readonly fairness: Fairness
  readonly turnDeadlines: Deadlines<TurnDeadline>
}

/** A command's turn on its aggregate, as far as it can run out of time or be aborted: then it is fenced off from the store. */
export abstract class BoundedTurn<Result = ExecutionResult> implements Turn<Result> {
  /** What is done, for messages too. */
  abstract readonly command: { readonly type: string }
  readonly options: ResolvedOptions
  /** Milliseconds; middleware may change it. */
  timeout: number
  /** The time of this attempt. */
  now: number
  instance: Instance | undefined
  protected phase: Phase = 'waiting'
  readonly #effects: TurnEffects
  /** Undefined while nothing has been waited for. */
  #deadline: number | undefined
  /** Its time ends with the deadline that the command was given, not with its timeout. */
  #endsWithDeadline = false
  #failure: EdictError | undefined
  #controller: AbortController | undefined
  #stopListening: (() => void) | undefined

  constructor(effects: TurnEffects, options: ResolvedOptions, now: number) {
    this.#effects = effects
    this.options = options
    this.timeout = options.timeout
    this.now = now
  }

  abstract perform(): MaybePromise<Result>

  /** The instance, where the turn has come: it is there from the entry on. */
  protected get held(): Instance {
    return this.instance as Instance
  }

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
  protected bounded(work: PromiseLike<Result>): PromiseLike<Result> {
    const { signal } = this.options
    if (this.timeout === Infinity && signal === undefined) return work
    return new Promise((resolve, reject) => {
      const deadline = this.#setDeadline(reject)
      if (signal !== undefined) this.#abortBy(signal, reject)
      const over = () => {
        if (deadline !== undefined) this.#effects.turnDeadlines.remove(deadline)
        this.#stopListening?.()
      }
      work.then(
        (result) => {
          over()
          resolve(result)
        },
        (error: unknown) => {
          over()
          reject(error)
        },
      )
    })
  }

  /** The command's time is no longer than to its deadline. One that may have been executed before is looked for all the same. */
  protected limitTo(deadline: number): void {
    const left = deadline - this.now
    if (left > 0) {
      if (left > this.timeout) return
      this.timeout = left
      this.#endsWithDeadline = true
    } else if (this.options.commandId === undefined) {
      throw new DeadlineExceededError(this.command.type, deadline, 'not-executed')
    }
  }

  protected isAfter(deadline: number): boolean {
    return this.#effects.clock.now() >= deadline
  }

  /** Keeps a command from being executed whose deadline has passed. */
  protected tooLate(deadline: number): MaybePromise<Result> {
    throw new DeadlineExceededError(this.command.type, deadline, 'not-executed')
  }

  /** One timer serves all turns: one for each would cost more than the rest of a dispatch. */
  #setDeadline(reject: (error: Error) => void): TurnDeadline | undefined {
    if (this.timeout === Infinity) return undefined
    this.#deadline = this.now + this.timeout
    const deadline = new TurnDeadline(() => {
      reject(this.#timedOut())
    })
    this.#effects.turnDeadlines.add(deadline, this.timeout)
    return deadline
  }

  #abortBy(signal: AbortSignal, reject: (error: Error) => void): void {
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
  }

  protected aborted(signal: AbortSignal): AbortedError {
    return new AbortedError(`${this.command.type} was aborted by its caller; nothing was stored`, {
      cause: signal.reason,
    })
  }

  #timedOut(): EdictError {
    const { deadline } = this.options
    const outcome: Outcome = this.phase === 'appending' ? 'unknown' : 'not-executed'
    const error =
      this.#endsWithDeadline && deadline !== undefined
        ? new DeadlineExceededError(this.command.type, deadline, outcome)
        : new CommandTimeoutError(this.command.type, this.timeout, outcome)
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
