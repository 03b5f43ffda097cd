import { EventEmitter } from 'eventemitter3'
import type { Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { isLater, isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { Instrumentation } from './instrumentation.ts'
import { instrumented } from './instrumented.ts'
import { operationNames, type OperationName, type Operations, type StartedOperation } from './operations.ts'
import { TelemetryCounts } from './telemetry-counts.ts'
import {
  telemetryNames,
  type MomentName,
  type Moments,
  type TelemetryEvents,
  type TelemetryName,
} from './telemetry-events.ts'

/** A listener of telemetry, as `application.on` takes it. */
export type TelemetryListener<Name extends TelemetryName> = (payload: TelemetryEvents[Name]) => void

/** What tells of an operation's end: what it adds to what was said when it started. */
export interface OperationEnd<Name extends OperationName, Result> {
  stopped(result: Result): Operations[Name]['stop']
  failed(error: unknown): Operations[Name]['exception']
}

/** An operation that says no more of its end than its error. */
export const plainEnd = {
  stopped: (): object => NOTHING,
  failed: (error: unknown): { readonly error: unknown } => ({ error }),
}

const NOTHING = Object.freeze({})

interface TelemetryOptions {
  readonly application: string
  readonly clock: Clock
  readonly logger: Logger
  readonly instrumentation: Instrumentation | undefined
}

/**
 * Tells listeners what an application does, and lets an instrumentation go around it. Whoever does something looks at `watched` first:
 * while nobody listens, that look is all that it costs.
 */
export class Telemetry {
  /** Whether somebody wants to know of an operation. */
  readonly watched: Record<OperationName, boolean>
  readonly counts = new TelemetryCounts()
  readonly #options: TelemetryOptions
  readonly #emitter = new EventEmitter<Record<string, [payload: object]>>()
  #operations = 0

  constructor(options: TelemetryOptions) {
    this.#options = options
    const { instrumentation } = options
    const watched = (name: OperationName) => instrumentation?.operations.includes(name) ?? false
    // One shape from the start on.
    this.watched = Object.fromEntries(operationNames.map((name) => [name, watched(name)])) as Telemetry['watched']
  }

  /**
   * @returns what ends the subscription
   * @throws {InvalidOptionError} `invalid_option` where there is no event of this name
   */
  on<Name extends TelemetryName>(name: Name, listener: TelemetryListener<Name>): () => void {
    if (!telemetryNames.includes(name)) {
      throw new InvalidOptionError(`there is no telemetry event ${name}; there are ${telemetryNames.join(', ')}`)
    }
    if (typeof listener !== 'function') throw new InvalidOptionError(`on('${name}', listener) needs a function`)
    // `#emit` gives each name the payload that belongs to it.
    const contained = this.#contained(name, listener)
    this.#emitter.on(name, contained)
    this.#look()
    return () => {
      this.#emitter.off(name, contained)
      this.#look()
    }
  }

  /**
   * Does the work of an operation that is `watched`, tells of its start and of its end, and lets the instrumentation go around it.
   * `since` is the moment, by `moment`, that it is timed from.
   */
  around<Name extends OperationName, Result>(
    name: Name,
    info: Operations[Name]['start'],
    work: (metadata?: Metadata) => MaybePromise<Result>,
    end: OperationEnd<Name, NoInfer<Result>>,
    since = this.moment(),
  ): MaybePromise<Result> {
    const { application, clock } = this.#options
    const started = { application, operation: ++this.#operations, startedAt: clock.now(), ...info }
    this.#emit(`${name}:start`, started)
    const stopped = (result: Result): Result => {
      if (this.#listens(`${name}:stop`)) {
        this.#emit(`${name}:stop`, { ...started, ...end.stopped(result), duration: this.moment() - since })
      }
      return result
    }
    const failed = (error: unknown): never => {
      if (this.#listens(`${name}:exception`)) {
        this.#emit(`${name}:exception`, { ...started, ...end.failed(error), duration: this.moment() - since })
      }
      throw error
    }
    let result: MaybePromise<Result>
    try {
      // Its name and what was said of its start belong together.
      result =
        this.#options.instrumentation?.operations.includes(name) === true
          ? this.#within(this.#options.instrumentation, { ...started, name } as unknown as StartedOperation, work)
          : work()
    } catch (error) {
      return failed(error)
    }
    return isLater(result) ? result.then(stopped, failed) : stopped(result)
  }

  /** Tells of something that has no duration, and counts it. */
  tell<Name extends MomentName>(name: Name, payload: Moments[Name]): void {
    this.#count(name, payload)
    if (!this.#listens(name)) return
    const { application, clock } = this.#options
    this.#emit(name, { application, at: clock.now(), ...payload })
  }

  /** Milliseconds since any moment. */
  moment(): number {
    const { clock } = this.#options
    return clock.monotonic?.() ?? clock.now()
  }

  #count(name: MomentName, payload: Moments[MomentName]): void {
    if (name === 'dispatch:refuse') this.counts.dispatches.refused++
    else if (name === 'dispatch:conflict') this.counts.conflicts++
    else if ('waited' in payload) this.counts.commands[payload.state]++
    else if ('handlerName' in payload) {
      const { handlerName } = payload
      if (name === 'handler:retry') this.counts.count(handlerName, 'retries')
      else if (name === 'handler:skip') this.counts.count(handlerName, 'skipped')
      else if (name === 'handler:park') this.counts.count(handlerName, 'parked')
    }
  }

  #within<Result>(
    instrumentation: Instrumentation,
    operation: StartedOperation,
    work: (metadata?: Metadata) => Result,
  ): Result {
    return instrumented(instrumentation, operation, work, (error) => {
      this.#options.logger.error({ err: error, operation: operation.name }, 'the instrumentation failed')
    })
  }

  #listens(name: string): boolean {
    return this.#emitter.listenerCount(name) > 0
  }

  #emit(name: string, payload: object): void {
    if (this.#listens(name)) this.#emitter.emit(name, Object.freeze(payload))
  }

  /** What a listener throws, or rejects with, is nobody's failure. */
  #contained(name: string, listener: (payload: never) => unknown): (payload: object) => void {
    const failed = (error: unknown): void => {
      this.#options.logger.error({ err: error, telemetry: name }, `a listener of ${name} failed`)
    }
    return (payload) => {
      try {
        // Payloads come to the listeners of their own name alone.
        const answer = listener(payload as never)
        if (isPromiseLike(answer)) Promise.resolve(answer).catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }

  #look(): void {
    const { instrumentation } = this.#options
    for (const name of operationNames) {
      const told = ['start', 'stop', 'exception'].some((end) => this.#listens(`${name}:${end}`))
      this.watched[name] = told || (instrumentation?.operations.includes(name) ?? false)
    }
  }
}
