import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import type { EdictError } from '../errors.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { TelemetryListener } from '../telemetry/telemetry.ts'
import type { TelemetryName } from '../telemetry/telemetry-events.ts'
import type { Consistency } from './dispatch-options.ts'
import type { ExecutionResult } from './execution-result.ts'

/** A dispatch under way, as middleware sees it. */
export interface Pipeline {
  readonly command: { readonly type: string; readonly data: unknown }
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  /** What will be stored with each event; `assignMetadata` adds to it. */
  readonly metadata: Metadata
  /** What middleware passed on to middleware with `assign`. */
  readonly assigns: Readonly<Record<string, unknown>>
  /** May be set in `beforeDispatch`, or before `next()`. */
  consistency: Consistency
  /** Milliseconds. May be set in `beforeDispatch`, or before `next()`. */
  timeout: number
  /** For whom the command is executed. May be set in `beforeDispatch`, or before `next()`. */
  tenant: string | undefined
  readonly aggregateId: string
  /** The application's name. */
  readonly application: string
  /** After the commit; where `isProvisional` says so, after the command has run. */
  readonly result: ExecutionResult | undefined
  /**
   * Whether what `result` tells is not stored yet when middleware sees it, and may be rolled back: in a batch, and where a workflow follows
   * the command inside its transaction.
   */
  readonly isProvisional: boolean
  /** After a failure. */
  readonly error: EdictError | undefined
  /** Passes a value on to the middleware that comes after it, in `assigns`. */
  assign(key: string, value: unknown): void
  /**
   * Adds a JSON value to what is stored with each event. In `beforeDispatch`, or before `next()`.
   *
   * @throws {InvalidOptionError} `invalid_option` where that is no JSON value, or the key is reserved
   * @throws {MiddlewareMisuseError} `middleware_misuse` once the command has begun
   */
  assignMetadata(key: string, value: unknown): void
  /** Ends the pipeline: the dispatch rejects with `HaltedError`, which carries `response`. */
  halt(response?: unknown): void
  /** Becomes the result's `reply`; the first one wins. */
  respond(value: unknown): void
}

/** An application, as middleware sees it that starts and stops with it. */
export interface MiddlewareHost {
  readonly name: string
  readonly clock: Clock
  readonly logger: Logger
  /** As `application.on`. */
  on<Name extends TelemetryName>(name: Name, listener: TelemetryListener<Name>): () => void
}

/** As in Sequent: code around the rest of the chain and the command. Not calling `next` halts. */
export type AroundMiddleware = (pipeline: Pipeline, next: () => Promise<void>) => Promise<void>

/** As in Commanded: hooks, called in the order of definition. Synchronous hooks cost no promise. */
export interface HookMiddleware {
  /** Called once when an application that has it starts, before its handlers do. A failure keeps the application from starting. */
  started?(application: MiddlewareHost): MaybePromise<void>
  /** Called once when that application stops, after the last command and the last event. */
  stopped?(application: MiddlewareHost): MaybePromise<void>
  beforeDispatch?(pipeline: Pipeline): MaybePromise<void>
  afterDispatch?(pipeline: Pipeline): MaybePromise<void>
  afterFailure?(pipeline: Pipeline): MaybePromise<void>
}

/** What may stand around the dispatch of commands: an object with hooks, or a function around the rest. */
export type Middleware = AroundMiddleware | HookMiddleware
