import { callLater, type Clock } from '../effects/clock.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { FailurePolicy } from './failure-policy.ts'
import { DeliveryContext, type HandlerSurroundings } from './handler-context.ts'
import type { HandlerModel } from './handler-model.ts'

export interface EventDeliveryOptions {
  readonly clock: Clock
  readonly policy: FailurePolicy
  /** Whether the event is for this one: another partition may have it. What it throws is a failure of the handler. */
  readonly owns: ((event: RecordedEvent) => boolean) | undefined
  /** Asked before an event is tried again: false where the handler has lost its place. */
  readonly mayGoOn: () => MaybePromise<boolean>
  readonly log: (level: 'warn' | 'error', error: unknown, recorded: RecordedEvent, what: string) => void
  /** The handler stops before this event. */
  readonly failed: (error: unknown, recorded: RecordedEvent) => void
}

/** Gives one event after the other to a handler's function, and again where that failed. */
export class EventDelivery {
  readonly #model: HandlerModel
  readonly #options: EventDeliveryOptions
  #surroundings: HandlerSurroundings | undefined
  #retrying = false
  #lastError: unknown
  #failuresOfEvent = 0
  /** Ends the wait before a retry. */
  #endPause: (() => void) | undefined

  constructor(model: HandlerModel, options: EventDeliveryOptions) {
    this.#model = model
    this.#options = options
  }

  /** Whether an event failed and waits for its next attempt. */
  get isRetrying(): boolean {
    return this.#retrying
  }

  get lastError(): unknown {
    return this.#lastError
  }

  /** How often the event in hand has failed. */
  get failures(): number {
    return this.#failuresOfEvent
  }

  /** From now on, events are handled. */
  open(surroundings: HandlerSurroundings): void {
    this.#surroundings = surroundings
  }

  /** No event is begun any more, nor tried again; one that is in hand may end. */
  close(): void {
    this.#surroundings = undefined
    this.#endPause?.()
  }

  /** The hot path: no promise, closure or copy where the handler is synchronous and succeeds. */
  readonly deliver = (read: RecordedEvent): MaybePromise<boolean> => {
    const handle = this.#model.handleByType.get(read.type)
    if (handle === undefined) return true
    const surroundings = this.#surroundings
    if (surroundings === undefined) return false
    try {
      if (this.#options.owns !== undefined && !this.#options.owns(read)) return true
      // Other handlers are given the same event.
      const recorded = forAnotherReader(read)
      const answer = handle(recorded.data, recorded, new DeliveryContext(surroundings, recorded, 1))
      if (answer === undefined || !isPromiseLike(answer)) return true
      // Promise.resolve contains a foreign thenable: one that throws, or that calls back twice.
      return Promise.resolve(answer).then(isHandled, (error: unknown) => this.#recover(read, error))
    } catch (error) {
      return this.#recover(read, error)
    }
  }

  /** Tries again until the event is handled or skipped; false where the handler stops before it. */
  async #recover(recorded: RecordedEvent, firstError: unknown): Promise<boolean> {
    const { policy, log, failed } = this.#options
    let error = firstError
    for (let failures = 1; ; failures++) {
      if (this.#surroundings === undefined) return this.#over(false)
      this.#lastError = error
      this.#failuresOfEvent = failures
      const action = await policy.decide(error, forAnotherReader(recorded), failures, (fault) => {
        log('error', fault.error, recorded, fault.what)
      })
      if (action.action === 'skip') {
        log('warn', error, recorded, `skips ${described(recorded)}`)
        return this.#over(true)
      }
      if (action.action === 'stop') {
        failed(error, recorded)
        return this.#over(false)
      }
      const delay = policy.delay(action, failures)
      log('warn', error, recorded, `failed at ${described(recorded)}, and tries again in ${Math.round(delay)} ms`)
      if (!(await this.#pause(delay)) || !(await this.#options.mayGoOn())) return this.#over(false)
      const surroundings = this.#surroundings as HandlerSurroundings | undefined
      if (surroundings === undefined) return this.#over(false)
      try {
        await this.#attempt(recorded, surroundings, failures + 1)
        return this.#over(true)
      } catch (thrown) {
        error = thrown
      }
    }
  }

  #attempt(read: RecordedEvent, surroundings: HandlerSurroundings, attempt: number): unknown {
    if (this.#options.owns !== undefined && !this.#options.owns(read)) return undefined
    const recorded = forAnotherReader(read)
    const handle = this.#model.handleByType.get(recorded.type)
    return handle?.(recorded.data, recorded, new DeliveryContext(surroundings, recorded, attempt))
  }

  #over(handled: boolean): boolean {
    this.#retrying = false
    this.#failuresOfEvent = 0
    return handled
  }

  /** False where the handler is stopped, or loses its place, meanwhile. */
  #pause(milliseconds: number): Promise<boolean> {
    if (this.#surroundings === undefined) return Promise.resolve(false)
    this.#retrying = true
    return new Promise((resolve) => {
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
  }
}

function isHandled(): boolean {
  return true
}

export function described(recorded: RecordedEvent): string {
  return `${recorded.type}, position ${recorded.position}`
}
