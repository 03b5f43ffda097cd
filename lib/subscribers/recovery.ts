import { callLater, type Clock } from '../effects/clock.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { StoreError } from '../errors.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { described } from './described.ts'
import { retry } from './error-action.ts'
import type { FailurePolicy } from './failure-policy.ts'
import type { ParkedFailure } from './parking.ts'

export interface RecoveryOptions {
  readonly clock: Clock
  readonly policy: FailurePolicy
  /** @default nobody is told */
  readonly telemetry?: Telemetry | undefined
  /** Asked before an event is tried again: false where the handler has lost its place. */
  readonly mayGoOn: () => MaybePromise<boolean>
  readonly log: (level: 'warn' | 'error', error: unknown, recorded: RecordedEvent, what: string) => void
  /** The handler stops before this event. */
  readonly failed: (error: unknown, recorded: RecordedEvent) => void
}

/** What failed: the handling of an event, or of several at once. */
export interface FailedWork {
  /** The event, or the first one. */
  readonly recorded: RecordedEvent
  /** All of them, where they were handled at once. */
  readonly batch?: readonly RecordedEvent[]
  attempt(attempt: number): unknown
  /** Sets it aside; durable when that resolves. */
  park(failure: ParkedFailure): Promise<void>
}

/** Tries again what failed, as the policy says, until it is handled, skipped or parked, or the handler stops before it. */
export class Recovery {
  readonly #options: RecoveryOptions
  #isOpen = false
  #retrying = false
  #lastError: unknown
  #failures = 0
  /** Ends the wait before a retry. */
  #endPause: (() => void) | undefined

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** Whether something failed and waits for its next attempt. */
  get isRetrying(): boolean {
    return this.#retrying
  }

  get lastError(): unknown {
    return this.#lastError
  }

  /** How often what is in hand has failed. */
  get failures(): number {
    return this.#failures
  }

  open(): void {
    this.#isOpen = true
  }

  /** Nothing is tried again any more. */
  close(): void {
    this.#isOpen = false
    this.#endPause?.()
  }

  /** True where it is dealt with; false where the handler stops before it. */
  async recover(work: FailedWork, firstError: unknown): Promise<boolean> {
    try {
      return await this.#recover(work, firstError)
    } finally {
      this.#retrying = false
      this.#failures = 0
    }
  }

  async #recover(work: FailedWork, firstError: unknown): Promise<boolean> {
    const { policy, log, failed, telemetry } = this.#options
    const { recorded, batch } = work
    const assigns: Record<string, unknown> = {}
    let error = firstError
    for (let failures = 1; ; failures++) {
      if (!this.#isOpen) return false
      this.#lastError = error
      this.#failures = failures
      const about = { failures, assigns, ...(batch && { batch }) }
      const action = await policy.decide(error, forAnotherReader(recorded), about, (fault) => {
        log('error', fault.error, recorded, fault.what)
      })
      const trouble = { handlerName: policy.handlerName, event: recorded, error, failures }
      switch (action.action) {
        case 'skip':
          for (const event of batch ?? [recorded]) telemetry?.tell('handler:skip', { ...trouble, event })
          log('warn', error, recorded, `skips ${described(recorded)}`)
          return true
        case 'park':
          if (!(await this.park(recorded, () => work.park({ error, attempts: failures })))) return false
          for (const event of batch ?? [recorded]) telemetry?.tell('handler:park', { ...trouble, event })
          log('warn', error, recorded, `parks ${described(recorded)}`)
          return true
        case 'stop':
          failed(error, recorded)
          return false
        case 'retry':
      }
      const delay = policy.delay(action, failures)
      telemetry?.tell('handler:retry', { ...trouble, delay })
      log('warn', error, recorded, `failed at ${described(recorded)}, and tries again in ${Math.round(delay)} ms`)
      if (!(await this.#pause(delay))) return false
      try {
        await work.attempt(failures + 1)
        return true
      } catch (thrown) {
        error = thrown
      }
    }
  }

  /** Sets an event aside, as soon as the store can keep that; false where the handler has lost its place, or stops. */
  async park(recorded: RecordedEvent, park: () => Promise<unknown>): Promise<boolean> {
    const { policy, log, failed, mayGoOn } = this.#options
    for (let failures = 1; ; failures++) {
      // Whoever has the place now sees to the event.
      if (!this.#isOpen || !(await mayGoOn())) return false
      try {
        await park()
        return true
      } catch (error) {
        if (!(error instanceof StoreError)) {
          failed(error, recorded)
          return false
        }
        log('warn', error, recorded, `cannot park ${described(recorded)} yet, and tries again`)
        if (!(await this.#pause(policy.delay(retry(), failures)))) return false
      }
    }
  }

  /** False where the handler is stopped, or loses its place, meanwhile. */
  async #pause(milliseconds: number): Promise<boolean> {
    if (!this.#isOpen) return false
    this.#retrying = true
    const isOver = await new Promise<boolean>((resolve) => {
      const cancel = callLater(this.#options.clock, milliseconds, () => {
        this.#endPause = undefined
        resolve(true)
      })
      this.#endPause = () => {
        this.#endPause = undefined
        cancel()
        resolve(false)
      }
    })
    return isOver && (await this.#options.mayGoOn()) && this.#isOpen
  }
}
