import { InvalidOptionError } from '../errors.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import { RESERVED_METADATA_PREFIX } from './recorded-event.ts'

/** Deeper metadata than this is a mistake. */
const MAX_DEPTH = 32

export const NO_METADATA: Metadata = Object.freeze({})

/**
 * A frozen copy of what a caller gives as metadata: JSON values under keys that are not Edict's own.
 *
 * @throws {InvalidOptionError} `invalid_option`, naming the key
 */
export function frozenMetadata(given: unknown): Metadata {
  if (!isPlain(given)) throw new InvalidOptionError('metadata must be a plain object of JSON values')
  const copied: Record<string, unknown> = {}
  for (const key of Object.keys(given)) copied[key] = metadataValue(key, given[key])
  return Object.freeze(copied)
}

/** One checked, frozen value of metadata. */
export function metadataValue(key: string, value: unknown): unknown {
  if (key.startsWith(RESERVED_METADATA_PREFIX)) {
    throw new InvalidOptionError(`metadata keys that begin with "${RESERVED_METADATA_PREFIX}" are reserved: ${key}`)
  }
  if (key === '__proto__') throw new InvalidOptionError('metadata must not have the key __proto__')
  return jsonCopy(value, key, 0)
}

function jsonCopy(value: unknown, path: string, depth: number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value !== 'object' || depth > MAX_DEPTH) throw notJson(path)
  if (Array.isArray(value)) {
    return Object.freeze(Array.from(value, (item: unknown, index) => jsonCopy(item, `${path}.${index}`, depth + 1)))
  }
  if (!isPlain(value)) throw notJson(path)
  const copied: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw notJson(`${path}.${key}`)
    copied[key] = jsonCopy(item, `${path}.${key}`, depth + 1)
  }
  return Object.freeze(copied)
}

/** Nothing but text keys: what stands in a Map, under a symbol or in a class's private fields would be lost in silence. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object') return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && Object.getOwnPropertySymbols(value).length === 0
}

function notJson(path: string): InvalidOptionError {
  return new InvalidOptionError(
    `metadata.${path} is no JSON value: metadata is made of text, finite numbers, booleans, null, lists and plain objects`,
  )
}
