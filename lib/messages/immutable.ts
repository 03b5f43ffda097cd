import { describeThrown, type Issue } from '../errors.ts'
import { hasTextOfItsOwn } from './own-text.ts'

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
        throw new TypeError(`cannot change a ${kind} in a message or a state: it is immutable`)
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
  readonly #issue: Issue

  constructor(message: string, place: Place | undefined, options?: ErrorOptions) {
    super(message, options)
    this.#issue = { message, path: pathOf(place) }
  }

  /** Undefined for what the data itself threw: asked of a brand, since that may be anything, even what throws at `instanceof`. */
  static issueOf(thrown: unknown): Issue | undefined {
    return thrown !== null && typeof thrown === 'object' && #issue in thrown ? thrown.#issue : undefined
  }
}

export interface ImmutableCopyOptions {
  /** Lets instances of other classes stand (as identities): shared, not frozen. Commands do, events do not. */
  readonly allowInstances: boolean
}

/** What one walk through a value knows and finds out. */
interface Walk extends ImmutableCopyOptions {
  foundBinary: boolean
}

/** The copies that hold binary somewhere. */
const withBinary = new WeakSet<object>()

/**
 * A copy of a value that is detached from it and frozen at any depth, or the issue that forbids one, with its cause where the
 * value itself threw. JSON values, Date, bigint, Map, Set, undefined and binary (Uint8Array) can be copied. As in JSON, what
 * stands under a symbol is left out.
 */
export function immutableCopy(
  value: unknown,
  { allowInstances }: ImmutableCopyOptions,
): { readonly value: unknown } | { readonly issue: Issue; readonly cause?: unknown } {
  const walk: Walk = { allowInstances, foundBinary: false }
  try {
    const copied = copy(value, walk, undefined, 0)
    if (walk.foundBinary) withBinary.add(copied as object)
    return { value: copied }
  } catch (error) {
    const issue = NotCopyable.issueOf(error)
    if (issue === undefined) throw error
    return 'cause' in (error as NotCopyable) ? { issue, cause: (error as NotCopyable).cause } : { issue }
  }
}

/** Whether data is a copy of `immutableCopy` that holds binary: bytes cannot be frozen, so such data is not to be shared. */
export function holdsBinary(data: unknown): boolean {
  return data !== null && typeof data === 'object' && withBinary.has(data)
}

/** Immutable data for another pair of hands: the data itself, or a copy where it holds binary, which its reader could change. */
export function handedOver(data: unknown): unknown {
  if (!holdsBinary(data)) return data
  const result = immutableCopy(data, { allowInstances: true })
  // What was copied once can be copied again.
  return 'value' in result ? result.value : data
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

/** What the short way made last: mostly the data of the command that an event is about to be made of. */
let lastFlatCopy: object | undefined

/**
 * The short way for what nearly every message is: a flat plain object of primitives. Gives undefined where the long way
 * has to be gone.
 */
export function flatImmutableCopy(value: unknown): object | undefined {
  if (value === null || typeof value !== 'object') return undefined
  // Only what was made here need not be copied again: what others froze may have accessors, whose answers change.
  if (value === lastFlatCopy) return value
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined
  // Key by key, each read once: an accessor must not answer differently after it was looked at.
  const copied: Record<string, unknown> = {}
  for (const key in value) {
    // Assigning it would change the prototype; the long way refuses it.
    if (key === '__proto__') return undefined
    const item = (value as Readonly<Record<string, unknown>>)[key]
    if (item !== null) {
      const type = typeof item
      if (type === 'object' || type === 'function' || type === 'symbol') return undefined
    }
    copied[key] = item
  }
  lastFlatCopy = copied
  return Object.freeze(copied)
}

function copy(value: unknown, walk: Walk, place: Place | undefined, depth: number): unknown {
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
      return value === null ? null : copyObject(value, walk, place, depth + 1)
  }
}

function copyObject(value: object, walk: Walk, place: Place | undefined, depth: number): unknown {
  if (depth > MAX_DEPTH) {
    throw new NotCopyable(`nested deeper than ${MAX_DEPTH} levels, or in a circle`, shortened(place))
  }
  try {
    return copyByKind(value, walk, place, depth)
  } catch (error) {
    if (NotCopyable.issueOf(error) !== undefined) throw error
    // An accessor, a trap of a proxy, or an object that only pretends to be a Date.
    throw new NotCopyable(`it cannot be read: ${describeThrown(error)}`, place, { cause: error })
  }
}

function copyByKind(value: object, walk: Walk, place: Place | undefined, depth: number): unknown {
  if (Array.isArray(value)) {
    return Object.freeze(
      Array.from(value, (item: unknown, index) => copy(item, walk, { key: index, parent: place }, depth)),
    )
  }
  if (value instanceof Date) return new ImmutableDate(value.getTime())
  if (value instanceof Uint8Array) {
    walk.foundBinary = true
    return Uint8Array.prototype.slice.call(value)
  }
  if (value instanceof Map) return copyMap(value, walk, place, depth)
  if (value instanceof Set) return copySet(value, walk, place, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === Object.prototype || prototype === null
  // A plain object is an identity only by a `toString` that it was given itself; the data as a whole is none.
  const mayBeIdentity = walk.allowInstances && (!isPlain || (place !== undefined && Object.hasOwn(value, 'toString')))
  if (mayBeIdentity && hasTextOfItsOwn(value)) return value
  if (isPlain) return copyPlain(value, walk, place, depth)
  throw new NotCopyable(
    `an instance of ${className(value)} cannot be part of ${walk.allowInstances ? 'a command, unless it is an identity with a toString of its own' : 'an event'}`,
    place,
  )
}

function copyPlain(value: object, walk: Walk, place: Place | undefined, depth: number): object {
  const copied: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new NotCopyable('the key __proto__ is not allowed', { key, parent: place })
    copied[key] = copy((value as Record<string, unknown>)[key], walk, { key, parent: place }, depth)
  }
  return Object.freeze(copied)
}

function copyMap(
  value: ReadonlyMap<unknown, unknown>,
  walk: Walk,
  place: Place | undefined,
  depth: number,
): ImmutableMap<unknown, unknown> {
  const copied = new ImmutableMap<unknown, unknown>()
  for (const [key, item] of value) {
    const itemPlace: Place = { key: typeof key === 'string' ? key : typeof key, parent: place }
    Map.prototype.set.call(copied, copy(key, walk, itemPlace, depth), copy(item, walk, itemPlace, depth))
  }
  return Object.freeze(copied)
}

function copySet(
  value: ReadonlySet<unknown>,
  walk: Walk,
  place: Place | undefined,
  depth: number,
): ImmutableSet<unknown> {
  const copied = new ImmutableSet<unknown>()
  let index = 0
  for (const item of value) {
    Set.prototype.add.call(copied, copy(item, walk, { key: index++, parent: place }, depth))
  }
  return Object.freeze(copied)
}

function shortened(place: Place | undefined): Place | undefined {
  const path = pathOf(place).slice(0, 5)
  let at: Place | undefined
  for (const key of path) at = { key, parent: at }
  return at
}

function className(value: object): string {
  const constructor: unknown = value.constructor
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'a class'
}
