import { ImmutableDate, ImmutableMap, ImmutableSet } from '../messages/immutable.ts'

type Keyed = Readonly<Record<string, unknown>>

/**
 * Freezes a state in place, at any depth: plain objects, lists, and the own properties of class instances. Its Dates, Maps and
 * Sets become immutable ones. What a language cannot freeze stays open: binary, private fields, what closures hold; and so does
 * what stands under a symbol.
 *
 * `before` is the frozen state that this one was made from. What stands where it stood there is frozen already, so that the cost
 * is that of what changed. Nothing else is taken to be frozen at depth because it is frozen itself: that says nothing of what
 * it holds.
 */
export function frozenState<State>(state: State, before?: unknown): State {
  if (state === null || typeof state !== 'object' || state === before) return state
  // Most states are flat and plain; for those this is a tenth of the general way's cost.
  if (isPlainAndFlatBut(state, before)) Object.freeze(state)
  else new Freezing().freeze(state, before)
  return state
}

/** Whether it is a plain object that holds no other objects than those that stood in the same places before. */
function isPlainAndFlatBut(state: object, before: unknown): boolean {
  if (Object.getPrototypeOf(state) !== Object.prototype) return false
  for (const key in state) {
    const value = (state as Keyed)[key]
    if (value !== null && typeof value === 'object' && value !== at(before, key)) return false
  }
  return true
}

function at(before: unknown, key: string): unknown {
  return (before as Keyed | null | undefined)?.[key]
}

const NOTHING: readonly unknown[] = []

/** One walk, with a stack of its own: states of any depth do not overflow that of the language. */
class Freezing {
  readonly #nodes: object[] = []
  readonly #befores: unknown[] = []
  /** What was frozen when the walk came to it: it may lie in a circle. */
  readonly #met = new Set<object>()

  freeze(state: object, before: unknown): void {
    this.#push(state, before)
    for (let node = this.#nodes.pop(); node !== undefined; node = this.#nodes.pop()) {
      const past = this.#befores.pop()
      // Binary cannot be frozen: trying to throws.
      if (ArrayBuffer.isView(node) || this.#isMetAgain(node)) continue
      freezeOne(node)
      if (Array.isArray(node)) {
        this.#visitList(node, Array.isArray(past) ? past : NOTHING)
        continue
      }
      if (node instanceof Map) this.#visitMap(node, past instanceof Map ? past : undefined)
      else if (node instanceof Set) this.#visitSet(node, past instanceof Set ? past : undefined)
      for (const key of Object.keys(node)) this.#visit((node as Keyed)[key], at(past, key))
    }
  }

  #push(node: object, before: unknown): void {
    this.#nodes.push(node)
    this.#befores.push(before)
  }

  #isMetAgain(node: object): boolean {
    if (!Object.isFrozen(node)) return false
    if (this.#met.has(node)) return true
    this.#met.add(node)
    return false
  }

  #visit(value: unknown, before: unknown): void {
    if (value === null || typeof value !== 'object' || value === before) return
    if (isPlainAndFlatBut(value, before)) Object.freeze(value)
    else this.#push(value, before)
  }

  /** In a list things move: what was put in or taken out before them shifts them by one, a sort by any number. */
  #visitList(list: readonly unknown[], past: readonly unknown[]): void {
    let known: Set<unknown> | undefined
    let shift = 0
    for (let index = 0; index < list.length; index++) {
      const value = list[index]
      if (value === null || typeof value !== 'object' || value === past[index + shift]) continue
      if (value === past[index + shift + 1]) shift++
      else if (value === past[index + shift - 1]) shift--
      else if (past.length > 0 && (known ??= new Set(past)).has(value)) continue
      else this.#visit(value, past[index + shift])
    }
  }

  #visitMap(map: ReadonlyMap<unknown, unknown>, past: ReadonlyMap<unknown, unknown> | undefined): void {
    for (const [key, value] of map) {
      if (typeof key === 'object' && past?.has(key) !== true) this.#visit(key, undefined)
      this.#visit(value, past?.get(key))
    }
  }

  #visitSet(set: ReadonlySet<unknown>, past: ReadonlySet<unknown> | undefined): void {
    for (const value of set) if (past?.has(value) !== true) this.#visit(value, undefined)
  }
}

/** What can be changed in spite of being frozen, and what keeps it from that. Subclasses are left with their own methods. */
const immutablePrototypes: ReadonlyMap<unknown, object> = new Map<unknown, object>([
  [Date.prototype, ImmutableDate.prototype],
  [Map.prototype, ImmutableMap.prototype],
  [Set.prototype, ImmutableSet.prototype],
])

function freezeOne(node: object): void {
  if (node instanceof Date || node instanceof Map || node instanceof Set) {
    const immutable = immutablePrototypes.get(Object.getPrototypeOf(node))
    if (immutable !== undefined && Object.isExtensible(node)) Object.setPrototypeOf(node, immutable)
  }
  Object.freeze(node)
}
