import { isBefore } from '../event-store/reached-place.ts'
import type { EventParked, EventRef, ParkedFact } from './parked-facts.ts'

/** A parked event, as little of it as is kept in memory. */
export interface ParkedEntry extends EventRef {
  /** The version of the fact, in the stream of parked events, that tells of its last failure or of its parking. */
  version: number
  /** The version of the fact that it was parked. */
  readonly parkedAt: number
  attempts: number
  /** `forgotten`: discarded, or the handler was reset to a place before it. */
  fate: 'parked' | 'replayed' | 'forgotten'
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

  /** In order: one that comes again from before those that are there, and fails, goes before them. */
  add(entry: ParkedEntry): void {
    const { last } = this
    if (last === undefined || isBefore(last, entry)) {
      this.#entries.push(entry)
      return
    }
    this.#compact()
    const at = this.#entries.findIndex((other) => isBefore(entry, other))
    this.#entries.splice(at, 0, entry)
  }

  /** What was removed. */
  remove(ref: EventRef): readonly ParkedEntry[] {
    const { first } = this
    if (first === undefined || !isSame(first, ref)) return this.#keep((entry) => !isSame(entry, ref))
    const wasNext = this.nextToReplay !== undefined
    this.#first++
    // Many that go one after the other from the front cost no copy each.
    if (this.#first > 1_000 && this.#first * 2 > this.#entries.length) this.#compact()
    if (wasNext) this.#goOn()
    return [first]
  }

  /** What was removed. */
  removeAfter(position: number): readonly ParkedEntry[] {
    return this.#keep((entry) => entry.position <= position)
  }

  /** What never failed was parked only because of what was before it: where that was replayed, nothing else would ever free it. */
  #goOn(): void {
    const { first } = this
    if (first?.attempts !== 0 || this.nextToReplay !== undefined) return
    this.replayUpTo = { position: first.position, index: first.index }
  }

  #keep(stays: (entry: ParkedEntry) => boolean): readonly ParkedEntry[] {
    this.#compact()
    const removed = this.#entries.filter((entry) => !stays(entry))
    this.#entries = this.#entries.filter(stays)
    return removed
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
  readonly #toReplay = new Set<ParkedKey>()
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

  /** Those with something to replay: few, while many may be parked. */
  toReplay(): Iterable<ParkedKey> {
    return this.#toReplay
  }

  /** Whether an event is parked, or was, and others behind it still are. */
  covers(key: string, ref: EventRef): boolean {
    const last = this.#keys.get(key)?.last
    return last !== undefined && !isBefore(last, ref)
  }

  has(key: string, ref: EventRef): boolean {
    return this.#keys.get(key)?.find(ref) !== undefined
  }

  /** `version` is that of the fact in its stream. */
  fold(fact: ParkedFact, version: number): void {
    switch (fact.fact) {
      case 'edict.EventParked':
        this.#park(fact, version)
        return
      case 'edict.EventReplayed':
        this.#release(fact.key, 'replayed', (parked) => parked.remove(fact))
        return
      case 'edict.EventDiscarded':
        this.#release(fact.key, 'forgotten', (parked) => parked.remove(fact))
        return
      case 'edict.ReplayFailed': {
        const parked = this.#keys.get(fact.key)
        const entry = parked?.find(fact)
        if (parked === undefined || entry === undefined) return
        entry.version = version
        entry.attempts = fact.attempts
        parked.replayUpTo = undefined
        this.#note(parked)
        return
      }
      case 'edict.ReplayRequested': {
        const { key, position, index = Infinity } = fact
        const wanted = key === undefined ? this.#keys.values() : [this.#keys.get(key)]
        for (const parked of wanted) {
          if (parked === undefined) continue
          parked.replayUpTo = position === undefined ? everything : { position, index }
          this.#note(parked)
        }
        return
      }
      case 'edict.HandlerReset':
        for (const key of [...this.#keys.keys()]) {
          this.#release(key, 'forgotten', (parked) => parked.removeAfter(fact.after))
        }
    }
  }

  #park({ key, position, index, attempts }: EventParked, version: number): void {
    let parked = this.#keys.get(key)
    if (parked === undefined) this.#keys.set(key, (parked = new ParkedKey(key)))
    parked.add({ position, index, attempts, version, parkedAt: version, fate: 'parked' })
    this.#size++
    this.#note(parked)
  }

  #release(
    key: string,
    fate: Exclude<ParkedEntry['fate'], 'parked'>,
    remove: (parked: ParkedKey) => readonly ParkedEntry[],
  ): void {
    const parked = this.#keys.get(key)
    if (parked === undefined) return
    const removed = remove(parked)
    for (const entry of removed) entry.fate = fate
    this.#size -= removed.length
    if (parked.size === 0) this.#keys.delete(key)
    this.#note(parked)
  }

  #note(parked: ParkedKey): void {
    if (parked.nextToReplay === undefined) this.#toReplay.delete(parked)
    else this.#toReplay.add(parked)
  }
}

function isSame(one: EventRef, other: EventRef): boolean {
  return one.position === other.position && one.index === other.index
}
