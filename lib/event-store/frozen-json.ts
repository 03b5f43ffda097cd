import { InvalidOptionError } from '../errors.ts'

/** Deeper values than this are a mistake. */
const MAX_DEPTH = 100

/**
 * A frozen copy of a JSON value, as every store gives it back: members that are undefined are left out.
 *
 * @throws {InvalidOptionError} `invalid_option`, naming what is none
 */
export function frozenJson(value: unknown, path: string, depth = 0): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  // JSON has no negative zero.
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0
  if (typeof value !== 'object' || depth > MAX_DEPTH) throw notJson(path)
  if (Array.isArray(value)) {
    return Object.freeze(Array.from(value, (item: unknown, index) => frozenJson(item, `${path}.${index}`, depth + 1)))
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw notJson(path)
  return frozenRecord(value, path, depth)
}

/** As `frozenJson`, of what has to be a plain object. */
export function frozenJsonRecord(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new InvalidOptionError(`${path} must be a plain object of JSON values`)
  }
  return frozenJson(value, path) as Readonly<Record<string, unknown>>
}

function frozenRecord(value: object, path: string, depth: number): Readonly<Record<string, unknown>> {
  const copied: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value) as [string, unknown][]) {
    if (key === '__proto__') throw notJson(`${path}.${key}`)
    if (item !== undefined) copied[key] = frozenJson(item, `${path}.${key}`, depth + 1)
  }
  return Object.freeze(copied)
}

function notJson(path: string): InvalidOptionError {
  return new InvalidOptionError(
    `${path} is no JSON value: it may be made of text, finite numbers, booleans, null, lists and plain objects`,
  )
}

/** Freezes a JSON value that nobody else has, such as one that was parsed; what is frozen already is taken to be so at any depth. */
export function deeplyFrozen<Value>(value: Value): Value {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value
  for (const item of Object.values(value) as unknown[]) deeplyFrozen(item)
  return Object.freeze(value)
}
