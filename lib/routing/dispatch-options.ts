/**
 * What a dispatch waits for after the commit: nothing (`'eventual'`), every strongly consistent handler that is interested
 * (`'strong'`), or just the ones listed, by name or by value.
 */
export type Consistency = 'eventual' | 'strong' | readonly (string | { readonly name: string })[]

/** What one dispatch may choose. Precedence: call, route, application default, built-in. */
export interface DispatchOptions {
  /** @default 'eventual' */
  readonly consistency?: Consistency
  /** Milliseconds for the queue before the aggregate, the handler and the append; or `Infinity`. @default 5_000 */
  readonly timeout?: number
  /** Milliseconds for the wait that strong consistency adds after the commit; or `Infinity`. @default 5_000 */
  readonly consistencyTimeout?: number
  /** JSON values, stored with each event. Keys that begin with `edict.` are reserved. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Makes the command idempotent: a repeat in the same stream is answered with the first result. */
  readonly commandId?: string
  /** @default the command id */
  readonly causationId?: string
  /** @default the command id: a new correlation bears the id of the command that began it */
  readonly correlationId?: string
  readonly signal?: AbortSignal
  /** How often a version conflict is tried again. @default 10 */
  readonly retryAttempts?: number
  /** The version that the stream must be at, as a form that was filled in a while ago knows it. No retry on a conflict. */
  readonly expectedVersion?: number
  /**
   * Until when the command may be executed: a Date, or milliseconds since 1970-01-01T00:00:00Z. Commands that handlers dispatch because of
   * its events inherit it. @default none
   */
  readonly deadline?: Date | number
  /**
   * For whom it is done: text without a slash, stored with each event. Every tenant has aggregates of its own. What handlers dispatch
   * because of the events is for the same one. @default nobody
   */
  readonly tenant?: string
  /** Which running application, where more than one holds the router: itself, or its name. */
  readonly application?: string | { readonly name: string }
}
