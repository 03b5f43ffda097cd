import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { EdictError } from '../errors.ts'
import type { Metadata } from '../messages/recorded-event.ts'
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
  readonly aggregateId: string
  /** The application's name. */
  readonly application: string
  /** After the commit. */
  readonly result: ExecutionResult | undefined
  /** After a failure. */
  readonly error: EdictError | undefined
  assign(key: string, value: unknown): void
  assignMetadata(key: string, value: unknown): void
  /** Ends the pipeline: the dispatch rejects with `HaltedError`, which carries `response`. */
  halt(response?: unknown): void
  /** Becomes the result's `reply`; the first one wins. */
  respond(value: unknown): void
}

/** As in Sequent: code around the rest of the chain and the command. Not calling `next` halts. */
export type AroundMiddleware = (pipeline: Pipeline, next: () => Promise<void>) => Promise<void>

/** As in Commanded: hooks, called in the order of definition. Synchronous hooks cost no promise. */
export interface HookMiddleware {
  beforeDispatch?(pipeline: Pipeline): MaybePromise<void>
  afterDispatch?(pipeline: Pipeline): MaybePromise<void>
  afterFailure?(pipeline: Pipeline): MaybePromise<void>
}

export type Middleware = AroundMiddleware | HookMiddleware
