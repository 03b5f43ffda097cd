import type { EventParked, EventRef, ParkedFact } from './parked-facts.ts'

/** A parked event, as little of it as is kept in memory. */
export interface ParkedEntry extends EventRef {
  /** The version of the fact, in the stream of parked events, that tells of its last failure or of its parking. */
  version: number
  /** The version of the fact that it was parked. */
  readonly parkedAt: number
  attempts: number
}

/** What is parked under one key, in order, and how much of it is to be replayed. */
export class ParkedKey {
  readonly key: string
  #entries: ParkedEntry[] = []
  #first = 0
  /** Replayed up to here, inclusive; undefined where nobody asked for it, or where it failed. */
  replayUpTo: EventRef | undefined

  constructor(key: string) {
    this.key = key
  }

  get size(): number {
    return this.#entries.length - this.#first
  }

  get first(): ParkedEntry | undefined {
    return this.#entries[this.#first]
  }

  get last(): ParkedEntry | undefined {
    return this.#entries.at(-1)
  }

  /** The event that is to be replayed next. */
  get nextToReplay(): ParkedEntry | undefined {
    const { first, replayUpTo } = this
    return first && replayUpTo && !isBefore(replayUpTo, first) ? first : undefined
  }

  entries(): readonly ParkedEntry[] {
    return this.#entries.slice(this.#first)
  }

  find(ref: EventRef): ParkedEntry | undefined {
    const { first } = this
    if (first !== undefined && isSame(first, ref)) return first
    return this.entries().find((entry) => isSame(entry, ref))
  }

  add(entry: ParkedEntry): void {
    this.#entries.push(entry)
  }

  remove(ref: EventRef): boolean {
    const { first } = this
    if (first !== undefined && isSame(first, ref)) {
      this.#first++
      // Many that go one after the other from the front cost no copy each.
      if (this.#first > 1_000 && this.#first * 2 > this.#entries.length) this.#compact()
      return true
    }
    this.#compact()
    const before = this.#entries.length
    this.#entries = this.#entries.filter((entry) => !isSame(entry, ref))
    return this.#entries.length < before
  }

  /** How many there were. */
  removeAfter(position: number): number {
    this.#compact()
    const before = this.#entries.length
    this.#entries = this.#entries.filter((entry) => entry.position <= position)
    return before - this.#entries.length
  }

  #compact(): void {
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }
}

const everything: EventRef = { position: Infinity, index: 0 }

/** What a handler's parked facts come to: which events are parked, by key, as numbers only. */
export class ParkedKeys {
  readonly #keys = new Map<string, ParkedKey>()
  #size = 0

  /** How many events are parked. */
  get size(): number {
    return this.#size
  }

  get(key: string): ParkedKey | undefined {
    return this.#keys.get(key)
  }

  all(): Iterable<ParkedKey> {
    return this.#keys.values()
  }

  /** Whether an event is parked, or came before one that is, which only what was dealt with can have done. */
  covers(key: string, ref: EventRef): boolean {
    const last = this.#keys.get(key)?.last
    return last !== undefined && !isBefore(last, ref)
  }

  /** `version` is that of the fact in its stream. */
  fold(fact: ParkedFact, version: number): void {
    switch (fact.fact) {
      case 'edict.EventParked':
        this.#park(fact, version)
        return
      case 'edict.EventReplayed':
      case 'edict.EventDiscarded':
        this.#release(fact.key, (parked) => (parked.remove(fact) ? 1 : 0))
        return
      case 'edict.ReplayFailed': {
        const parked = this.#keys.get(fact.key)
        const entry = parked?.find(fact)
        if (parked === undefined || entry === undefined) return
        entry.version = version
        entry.attempts = fact.attempts
        parked.replayUpTo = undefined
        return
      }
      case 'edict.ReplayRequested': {
        const { key, position, index = Infinity } = fact
        const wanted = key === undefined ? this.#keys.values() : [this.#keys.get(key)]
        for (const parked of wanted) {
          if (parked !== undefined) parked.replayUpTo = position === undefined ? everything : { position, index }
        }
        return
      }
      case 'edict.HandlerReset':
        for (const key of [...this.#keys.keys()]) this.#release(key, (parked) => parked.removeAfter(fact.after))
    }
  }

  #park({ key, position, index, attempts }: EventParked, version: number): void {
    let parked = this.#keys.get(key)
    if (parked === undefined) this.#keys.set(key, (parked = new ParkedKey(key)))
    parked.add({ position, index, attempts, version, parkedAt: version })
    this.#size++
  }

  #release(key: string, remove: (parked: ParkedKey) => number): void {
    const parked = this.#keys.get(key)
    if (parked === undefined) return
    this.#size -= remove(parked)
    if (parked.size === 0) this.#keys.delete(key)
  }
}

export function isBefore(one: EventRef, other: EventRef): boolean {
  return one.position < other.position || (one.position === other.position && one.index < other.index)
}

function isSame(one: EventRef, other: EventRef): boolean {
  return one.position === other.position && one.index === other.index
}
