import { TurnDeadline } from '../dispatch/bounded-turn.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { AbortedError, CommandTimeoutError, DeadlineExceededError, type EdictError } from '../errors.ts'

export interface BatchLimitOptions {
  /** For messages. */
  readonly what: string
  /** Milliseconds, or Infinity. */
  readonly timeout: number
  /** Milliseconds since 1970. */
  readonly deadline: number | undefined
  readonly signal: AbortSignal | undefined
  /** Whether it can be told that it was executed before: then it is looked for, though its deadline has passed. */
  readonly isKnownAgain: boolean
}

/** How long a batch may take, and who may end it: then nothing of it is stored any more. */
export class BatchLimit {
  readonly #services: Pick<DispatchServices, 'clock' | 'turnDeadlines'>
  readonly #options: BatchLimitOptions
  readonly #timeout: number
  readonly #endsWithDeadline: boolean
  /** It is not executed any more: only what it came to before is given. */
  readonly isLate: boolean
  readonly #expiresAt: number
  #phase: 'working' | 'appending' | 'through' = 'working'
  #failure: EdictError | undefined
  #controller: AbortController | undefined

  constructor(services: Pick<DispatchServices, 'clock' | 'turnDeadlines'>, options: BatchLimitOptions) {
    this.#services = services
    this.#options = options
    const now = services.clock.now()
    const toDeadline = options.deadline === undefined ? Infinity : options.deadline - now
    this.isLate = options.isKnownAgain && toDeadline <= 0
    const left = this.isLate ? Infinity : toDeadline
    this.#endsWithDeadline = left <= options.timeout
    this.#timeout = Math.min(left, options.timeout)
    this.#expiresAt = now + this.#timeout
  }

  /** Why nobody waits for the batch any more. */
  get failure(): EdictError | undefined {
    return this.#failure
  }

  /** Aborts when nobody waits for the batch any more. Made only for those who look at it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#failure) this.#controller.abort(this.#failure)
    }
    return this.#controller.signal
  }

  /** Throws where it is too late for anything to be stored. */
  fence(): void {
    const isBound = this.#failure === undefined && this.#phase !== 'through'
    if (isBound && this.#services.clock.now() > this.#expiresAt) this.#end(this.#timedOut())
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Keeps what was not executed before from being executed, where its deadline had passed when it came. */
  refuseLate(): void {
    const { what, deadline } = this.#options
    if (!this.isLate || deadline === undefined) return
    this.#end(new DeadlineExceededError(what, deadline, 'not-executed'))
    throw this.#failure as EdictError
  }

  appending(): void {
    this.#phase = 'appending'
  }

  /** Whether nobody knows yet what is stored of it. */
  get isAppending(): boolean {
    return this.#phase === 'appending'
  }

  /** It was not stored after all, and is run again. */
  again(): void {
    this.#phase = 'working'
    const { signal } = this.#options
    // While the append was under way, nobody listened.
    if (signal?.aborted) this.#end(this.#aborted(signal))
  }

  /** It is stored, now or before. */
  through(): void {
    this.#phase = 'through'
  }

  /** Ends the wait when time runs out or the caller aborts. */
  async within<Value>(work: () => Promise<Value>): Promise<Value> {
    const { signal } = this.#options
    if (this.#timeout <= 0) throw this.#timedOut()
    if (signal?.aborted) throw this.#aborted(signal)
    if (this.#timeout === Infinity && signal === undefined) return work()
    let over: () => void = () => undefined
    const ended = new Promise<never>((_, reject) => {
      over = this.#watch(reject)
    })
    try {
      return await Promise.race([work(), ended])
    } finally {
      over()
    }
  }

  #watch(reject: (error: EdictError) => void): () => void {
    const { turnDeadlines } = this.#services
    const { signal } = this.#options
    const end = (error: EdictError): void => {
      this.#end(error)
      reject(error)
    }
    const deadline = new TurnDeadline(() => {
      if (this.#phase !== 'through') end(this.#timedOut())
    })
    if (this.#timeout !== Infinity) turnDeadlines.add(deadline, this.#timeout)
    const abort = (): void => {
      // An append that is under way is waited for: its outcome will be known in a moment.
      if (signal !== undefined && this.#phase === 'working') end(this.#aborted(signal))
    }
    signal?.addEventListener('abort', abort, { once: true })
    return () => {
      turnDeadlines.remove(deadline)
      signal?.removeEventListener('abort', abort)
    }
  }

  #end(error: EdictError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#controller?.abort(error)
  }

  #timedOut(): EdictError {
    const { what, deadline } = this.#options
    const outcome = this.#phase === 'appending' ? 'unknown' : 'not-executed'
    return this.#endsWithDeadline && deadline !== undefined
      ? new DeadlineExceededError(what, deadline, outcome)
      : new CommandTimeoutError(what, this.#timeout, outcome)
  }

  #aborted(signal: AbortSignal): AbortedError {
    return new AbortedError(`${this.#options.what} was aborted by its caller; nothing was stored`, {
      cause: signal.reason,
    })
  }
}
