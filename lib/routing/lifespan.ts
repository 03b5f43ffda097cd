import { DefinitionError, type EdictError } from '../errors.ts'

/** How long an instance stays in memory after this: milliseconds, for as long as the cache holds it, or not at all. */
export type Life = number | 'infinity' | 'stop'

/**
 * Decides how long an aggregate instance stays in memory when idle. A function that is left out means `'infinity'`; one that throws, or
 * gives anything else than a `Life`, is logged as an error, and changes nothing.
 */
export interface Lifespan {
  afterEvent?(event: { readonly type: string; readonly data: unknown }): Life
  afterCommand?(command: { readonly type: string; readonly data: unknown }): Life
  afterError?(error: EdictError): Life
}

const CALLBACKS = ['afterEvent', 'afterCommand', 'afterError']

/** @throws {DefinitionError} `invalid_definition` where it is none */
export function checkedLifespan(lifespan: unknown): Lifespan {
  if (lifespan === null || typeof lifespan !== 'object') {
    throw new DefinitionError('lifespan must be an object of callbacks')
  }
  for (const [key, callback] of Object.entries(lifespan)) {
    if (callback === undefined && CALLBACKS.includes(key)) continue
    if (!CALLBACKS.includes(key) || typeof callback !== 'function') {
      throw new DefinitionError(`lifespan has the functions ${CALLBACKS.join(', ')}, and not ${key}`)
    }
  }
  return lifespan
}
