import type { EdictError } from '../errors.ts'

/** How long an instance stays in memory after this: milliseconds, for as long as the cache holds it, or not at all. */
export type Life = number | 'infinity' | 'stop'

/** Decides how long an aggregate instance stays in memory when idle. */
export interface Lifespan {
  afterEvent?(event: { readonly type: string; readonly data: unknown }): Life
  afterCommand?(command: { readonly type: string; readonly data: unknown }): Life
  afterError?(error: EdictError): Life
}
