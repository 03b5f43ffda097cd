import type { Issue } from '../errors.ts'

// What a message holds is copied from its source and made immutable at any depth, so that nobody who keeps the source,
// or reads the message, can change what others see or what is stored.

/** Deeper data than this is refused: it would overflow the stack of whoever walks it later. */
const MAX_DEPTH = 500

/** A Date whose changing methods throw. */
export class ImmutableDate extends Date {}
/** A Map whose changing methods throw. */
export class ImmutableMap<Key, Value> extends Map<Key, Value> {}
/** A Set whose changing methods throw. */
export class ImmutableSet<Value> extends Set<Value> {}

function refuseChanges(prototype: object, kind: string, original: unknown, methods: readonly string[]): void {
  // Tools that compare values (test runners among them) take two constructors for two kinds of value.
  Object.defineProperty(prototype, 'constructor', { value: original })
  for (const method of methods) {
    Object.defineProperty(prototype, method, {
      value: () => {
        throw new TypeError(`cannot change a ${kind} in a message: it is immutable`)
      },
    })
  }
}

refuseChanges(
  ImmutableDate.prototype,
  'Date',
  Date,
  Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set')),
)
refuseChanges(ImmutableMap.prototype, 'Map', Map, ['set', 'delete', 'clear'])
refuseChanges(ImmutableSet.prototype, 'Set', Set, ['add', 'delete', 'clear'])

/** Where a value stands, as a list that grows at the front as the walk goes down. */
interface Place {
  readonly key: PropertyKey
  readonly parent: Place | undefined
}

function pathOf(place: Place | undefined): PropertyKey[] {
  const path: PropertyKey[] = []
  for (let at = place; at !== undefined; at = at.parent) path.unshift(at.key)
  return path
}

/** Thrown within this module only: the walk stops at the first value that cannot be copied. */
class NotCopyable extends Error {
  readonly issue: Issue
  constructor(message: string, place: Place | undefined) {
    super(message)
    this.issue = { message, path: pathOf(place) }
  }
}

export interface ImmutableCopyOptions {
  /** Lets instances of other classes stand (as identities): shared, not frozen. Commands do, events do not. */
  readonly allowInstances: boolean
}

/**
 * A copy of a value that is detached from it and frozen at any depth, or the issue that forbids one. JSON values, Date,
 * bigint, Map, Set, undefined and binary (Uint8Array) can be copied.
 */
export function immutableCopy(
  value: unknown,
  options: ImmutableCopyOptions,
): { readonly value: unknown } | { readonly issue: Issue } {
  try {
    return { value: copy(value, options, undefined, 0) }
  } catch (error) {
    if (error instanceof NotCopyable) return { issue: error.issue }
    throw error
  }
}

/**
 * Where an own key `__proto__` stands in a value, or undefined: schemas tend to pass over it in silence, and whoever sends one
 * means no good. Looks at plain data only, as it comes from JSON.
 */
export function protoKeyPath(value: unknown, depth = 0): PropertyKey[] | undefined {
  if (value === null || typeof value !== 'object' || depth > MAX_DEPTH) return undefined
  if (Object.hasOwn(value, '__proto__')) return ['__proto__']
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key]
    if (item === null || typeof item !== 'object') continue
    const path = protoKeyPath(item, depth + 1)
    if (path !== undefined) return [key, ...path]
  }
  return undefined
}

/**
 * The short way for what nearly every message is: a flat plain object of primitives. Gives undefined where the long way
 * has to be gone.
 */
export function flatImmutableCopy(value: unknown): object | undefined {
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return undefined
  // Object.assign would take an own `__proto__` for an order to change the prototype; the long way refuses it.
  if (Object.hasOwn(value, '__proto__')) return undefined
  // An event often takes the data of its command, frozen already: what is flat and frozen need not be copied again.
  const frozen = Object.isFrozen(value)
  const copied = (frozen ? value : Object.assign({}, value)) as Record<string, unknown>
  for (const key in copied) {
    const type = typeof copied[key]
    if (type === 'string' || type === 'number' || type === 'boolean') continue
    if (type === 'undefined' || type === 'bigint' || copied[key] === null) continue
    return undefined
  }
  return frozen ? copied : Object.freeze(copied)
}

function copy(value: unknown, options: ImmutableCopyOptions, place: Place | undefined, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return value
    case 'function':
    case 'symbol':
      throw new NotCopyable(`a ${typeof value} cannot be part of a message`, place)
    case 'object':
      return value === null ? null : copyObject(value, options, place, depth + 1)
  }
}

function copyObject(value: object, options: ImmutableCopyOptions, place: Place | undefined, depth: number): unknown {
  if (depth > MAX_DEPTH) {
    throw new NotCopyable(`nested deeper than ${MAX_DEPTH} levels, or in a circle`, shortened(place))
  }
  if (Array.isArray(value)) {
    return Object.freeze(
      Array.from(value, (item: unknown, index) => copy(item, options, { key: index, parent: place }, depth)),
    )
  }
  if (value instanceof Date) return new ImmutableDate(value.getTime())
  if (value instanceof Uint8Array) return Uint8Array.prototype.slice.call(value)
  if (value instanceof Map) return copyMap(value, options, place, depth)
  if (value instanceof Set) return copySet(value, options, place, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return copyPlain(value, options, place, depth)
  if (options.allowInstances && hasOwnText(value)) return value
  throw new NotCopyable(
    `an instance of ${className(value)} cannot be part of ${options.allowInstances ? 'a command, unless it is an identity with a toString of its own' : 'an event'}`,
    place,
  )
}

function copyPlain(value: object, options: ImmutableCopyOptions, place: Place | undefined, depth: number): object {
  const copied: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new NotCopyable('the key __proto__ is not allowed', { key, parent: place })
    copied[key] = copy((value as Record<string, unknown>)[key], options, { key, parent: place }, depth)
  }
  return Object.freeze(copied)
}

function copyMap(
  value: ReadonlyMap<unknown, unknown>,
  options: ImmutableCopyOptions,
  place: Place | undefined,
  depth: number,
): ImmutableMap<unknown, unknown> {
  const copied = new ImmutableMap<unknown, unknown>()
  for (const [key, item] of value) {
    const itemPlace: Place = { key: typeof key === 'string' ? key : typeof key, parent: place }
    Map.prototype.set.call(copied, copy(key, options, itemPlace, depth), copy(item, options, itemPlace, depth))
  }
  return Object.freeze(copied)
}

function copySet(
  value: ReadonlySet<unknown>,
  options: ImmutableCopyOptions,
  place: Place | undefined,
  depth: number,
): ImmutableSet<unknown> {
  const copied = new ImmutableSet<unknown>()
  let index = 0
  for (const item of value) {
    Set.prototype.add.call(copied, copy(item, options, { key: index++, parent: place }, depth))
  }
  return Object.freeze(copied)
}

function shortened(place: Place | undefined): Place | undefined {
  const path = pathOf(place).slice(0, 5)
  let at: Place | undefined
  for (const key of path) at = { key, parent: at }
  return at
}

function hasOwnText(value: object): boolean {
  return typeof value.toString === 'function' && value.toString !== Object.prototype.toString
}

function className(value: object): string {
  const constructor: unknown = value.constructor
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'a class'
}
