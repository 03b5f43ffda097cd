import { storedTypes, type Upcaster } from '../messages/upcaster.ts'
import type { StoredEvent } from './stored-event.ts'
import type { SubscriptionFilter } from './subscription-filter.ts'

interface Filtered {
  readonly filter: SubscriptionFilter
}

/**
 * Finds those interested in an event without asking those who are not: each stands under the one key that tells most. Lists
 * are replaced, never changed, so that whoever walks one is not disturbed by who joins or leaves meanwhile.
 */
export class InterestIndex<Subscriber extends Filtered> {
  readonly #byStream = new Map<string, readonly Subscriber[]>()
  readonly #byType = new Map<string, readonly Subscriber[]>()
  readonly #byCategory = new Map<string, readonly Subscriber[]>()
  readonly #upcasters: readonly Upcaster[]
  #all: readonly Subscriber[] = []
  #size = 0

  /** @param upcasters may turn stored types into those that subscribers name */
  constructor(upcasters: readonly Upcaster[]) {
    this.#upcasters = upcasters
  }

  get size(): number {
    return this.#size
  }

  /** Everyone, each once. */
  everyone(): Set<Subscriber> {
    const lists = [this.#byStream, this.#byType, this.#byCategory].flatMap((map) => [...map.values()])
    return new Set([...lists.flat(), ...this.#all])
  }

  add(subscriber: Subscriber): void {
    this.#size++
    const { streamId, types, category } = subscriber.filter
    if (streamId !== undefined) append(this.#byStream, streamId, subscriber)
    else if (types !== undefined) for (const type of this.#stored(types)) append(this.#byType, type, subscriber)
    else if (category !== undefined) append(this.#byCategory, category, subscriber)
    else this.#all = [...this.#all, subscriber]
  }

  remove(subscriber: Subscriber): void {
    this.#size--
    const { streamId, types, category } = subscriber.filter
    if (streamId !== undefined) withdraw(this.#byStream, streamId, subscriber)
    else if (types !== undefined) for (const type of this.#stored(types)) withdraw(this.#byType, type, subscriber)
    else if (category !== undefined) withdraw(this.#byCategory, category, subscriber)
    else this.#all = this.#all.filter((one) => one !== subscriber)
  }

  interestedIn(stored: StoredEvent): readonly Subscriber[] {
    let found = this.#byType.get(stored.type) ?? nobody
    if (this.#all.length > 0) found = found.length === 0 ? this.#all : [...found, ...this.#all]
    if (this.#byCategory.size > 0) found = joined(found, this.#byCategory.get(stored.category))
    if (this.#byStream.size > 0) found = joined(found, this.#byStream.get(stored.streamId))
    return found
  }

  /** The types under which events may be stored that are read as one of these. */
  #stored(types: ReadonlySet<string>): ReadonlySet<string> {
    return storedTypes(types, this.#upcasters)
  }
}

const nobody: readonly never[] = Object.freeze([])

function joined<Item>(some: readonly Item[], more: readonly Item[] | undefined): readonly Item[] {
  if (more === undefined) return some
  return some.length === 0 ? more : [...some, ...more]
}

function append<Item>(map: Map<string, readonly Item[]>, key: string, item: Item): void {
  map.set(key, [...(map.get(key) ?? []), item])
}

function withdraw<Item>(map: Map<string, readonly Item[]>, key: string, item: Item): void {
  const left = (map.get(key) ?? []).filter((one) => one !== item)
  if (left.length === 0) map.delete(key)
  else map.set(key, left)
}
