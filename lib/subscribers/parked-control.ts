import { pause } from '../effects/clock.ts'
import { InvalidOptionError, UnreadableEventError } from '../errors.ts'
import { checkOptionalWhole, checkOptions, checkWhole, shown } from '../event-store/argument-checks.ts'
import { isBefore } from '../event-store/reached-place.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ParkedEvent, ParkedSelection, ReplayOutcome } from './handler-control.ts'
import type { RunnerOptions } from './runner-options.ts'
import { parkedFact, type EventParked, type EventReleased, type ParkedFact, type ReplayFailed } from './parked-facts.ts'
import type { ParkedEntry, ParkedKeys } from './parked-keys.ts'
import type { ParkedStream } from './parked-stream.ts'
import { readParked } from './read-parked.ts'

const DEFAULT_LIMIT = 100
const DEFAULT_TIMEOUT_MS = 5_000
const DISCARDED_AT_ONCE = 500
/** Milliseconds between looks at what becomes of a replay: the first, and the longest. */
const LOOK = 5
const SELDOM = 200

interface Selected {
  readonly key: string
  readonly entry: ParkedEntry
}

/** Lists, replays and discards what a handler has parked, on whichever node it runs. */
export class ParkedControl {
  readonly #stream: ParkedStream
  readonly #options: Pick<RunnerOptions, 'store' | 'hub' | 'clock'>

  constructor(stream: ParkedStream, options: Pick<RunnerOptions, 'store' | 'hub' | 'clock'>) {
    this.#stream = stream
    this.#options = options
  }

  async count(): Promise<number> {
    await this.#stream.catchUp()
    return this.#stream.keys.size
  }

  async list(options: { readonly limit?: number; readonly after?: number } = {}): Promise<readonly ParkedEvent[]> {
    checkOptions('parked', options, ['limit', 'after'])
    checkOptionalWhole('parked', 'limit', options.limit, 1)
    checkOptionalWhole('parked', 'after', options.after, 0)
    const { limit = DEFAULT_LIMIT, after = 0 } = options
    await this.#stream.catchUp()
    const wanted = selected(this.#stream.keys, 'all').filter(({ entry }) => entry.position > after)
    const listed: ParkedEvent[] = []
    for (const { entry } of page(wanted, limit)) {
      const parked = await this.#describe(entry)
      if (parked !== undefined) listed.push(parked)
    }
    return listed
  }

  async #describe(entry: ParkedEntry): Promise<ParkedEvent | undefined> {
    const { fact: parked, createdAt } = (await this.#fact<EventParked>(entry.parkedAt)) ?? {}
    if (parked === undefined || createdAt === undefined) return undefined
    const last =
      entry.version === entry.parkedAt ? parked : (await this.#fact<EventParked | ReplayFailed>(entry.version))?.fact
    const { key, position, streamId, streamVersion, type } = parked
    return {
      key,
      position,
      streamId,
      streamVersion,
      type,
      event: await this.#event(entry),
      attempts: entry.attempts,
      error: last?.error,
      parkedAt: new Date(createdAt),
    }
  }

  async #event({ parkedAt, index }: ParkedEntry): Promise<RecordedEvent | undefined> {
    const { store, hub } = this.#options
    try {
      return await readParked({ store, decode: hub.decode }, this.#stream.streamId, parkedAt, index)
    } catch (error) {
      if (error instanceof UnreadableEventError) return undefined
      throw error
    }
  }

  async #fact<Fact>(version: number): Promise<{ readonly fact: Fact; readonly createdAt: number } | undefined> {
    const { events } = await this.#options.store.readStream(this.#stream.streamId, {
      fromVersion: version,
      maxCount: 1,
    })
    const [stored] = events
    const fact = stored && parkedFact(stored)
    // The version was that of such a fact when it was folded, and what is stored stays.
    return stored && fact && { fact: fact as Fact, createdAt: stored.createdAt }
  }

  async replay(
    selection: ParkedSelection = 'all',
    options: { readonly timeout?: number } = {},
  ): Promise<ReplayOutcome> {
    checkSelection('replay', selection)
    checkOptions('replay', options, ['timeout'])
    checkOptionalWhole('replay', 'timeout', options.timeout, 1)
    await this.#stream.catchUp()
    let wanted: readonly Selected[] = []
    await this.#stream.append((keys) => {
      wanted = selected(keys, selection)
      if (wanted.length === 0 && selection === 'all') return undefined
      return { facts: requests(wanted, keys, selection), about: undefined }
    })
    if (wanted.length === 0) return { replayed: 0, failed: 0, waiting: 0 }
    const askedAt = this.#stream.version
    await this.#settled(wanted, options.timeout ?? DEFAULT_TIMEOUT_MS)
    return outcome(wanted, askedAt)
  }

  /** Waits until each of the keys is through with what is wanted of it, or stuck. */
  async #settled(wanted: readonly Selected[], timeout: number): Promise<void> {
    const lastOf = new Map(wanted.map(({ key, entry }) => [key, entry]))
    const isOver = (key: string, last: ParkedEntry): boolean => {
      const next = this.#stream.keys.get(key)?.nextToReplay
      return next === undefined || isBefore(last, next)
    }
    let left = timeout
    for (let rest = LOOK; left > 0; rest = Math.min(SELDOM, rest * 1.5)) {
      for (const [key, last] of lastOf) if (isOver(key, last)) lastOf.delete(key)
      if (lastOf.size === 0) return
      const now = Math.min(rest, left)
      await pause(this.#options.clock, now)
      left -= now
      await this.#stream.catchUp()
    }
  }

  async discard(selection: ParkedSelection): Promise<number> {
    checkSelection('discard', selection)
    await this.#stream.catchUp()
    let count = 0
    for (;;) {
      let facts: readonly EventReleased[] = []
      const appended = await this.#stream.append((keys) => {
        facts = selected(keys, selection)
          .slice(0, DISCARDED_AT_ONCE)
          .map(({ key, entry: { position, index } }) => ({ fact: 'edict.EventDiscarded', key, position, index }))
        return facts.length === 0 ? undefined : { facts, about: undefined }
      })
      if (!appended) return count
      count += facts.length
    }
  }
}

function selected(keys: ParkedKeys, selection: ParkedSelection): readonly Selected[] {
  const all = selection !== 'all' && 'key' in selection ? one(keys.get(selection.key)) : [...keys.all()]
  const found = all.flatMap((parked) => parked.entries().map((entry) => ({ key: parked.key, entry })))
  const wanted =
    selection !== 'all' && 'position' in selection
      ? found.filter(({ entry }) => entry.position === selection.position)
      : found
  return wanted.sort(({ entry: a }, { entry: b }) => a.position - b.position || a.index - b.index)
}

/** A page ends with a position, not within it: the next one begins after a position. */
function page(all: readonly Selected[], limit: number): readonly Selected[] {
  const lastPosition = all[limit - 1]?.entry.position
  let end = Math.min(limit, all.length)
  while (end < all.length && all[end]?.entry.position === lastPosition) end++
  return all.slice(0, end)
}

function one<Item>(item: Item | undefined): readonly Item[] {
  return item === undefined ? [] : [item]
}

/** The requests that a selection comes to: an event may be parked under several keys. */
function requests(wanted: readonly Selected[], keys: ParkedKeys, selection: ParkedSelection): readonly ParkedFact[] {
  if (selection === 'all') return [{ fact: 'edict.ReplayRequested' }]
  if (wanted.length === 0) {
    throw new InvalidOptionError(`replay: nothing is parked there: ${JSON.stringify(selection)}`)
  }
  if ('key' in selection) return [{ fact: 'edict.ReplayRequested', key: selection.key }]
  const { position } = selection
  return [...new Set(wanted.map(({ key }) => key))].map((key) => {
    if (keys.get(key)?.first?.position !== position) {
      throw new InvalidOptionError(
        `replay: the event at position ${position} is behind others of its key: replay { key: ${shown(key)} }`,
      )
    }
    return { fact: 'edict.ReplayRequested', key, position }
  })
}

/** What was discarded meanwhile counts nowhere. */
function outcome(wanted: readonly Selected[], askedAt: number): ReplayOutcome {
  const replayed = wanted.filter(({ entry }) => entry.fate === 'replayed').length
  const parked = wanted.filter(({ entry }) => entry.fate === 'parked')
  const failed = parked.filter(({ entry }) => entry.version > askedAt).length
  return { replayed, failed, waiting: parked.length - failed }
}

function checkSelection(where: string, selection: unknown): void {
  if (selection === 'all') return
  const keys = typeof selection === 'object' && selection !== null ? Object.keys(selection) : []
  const { key, position } = (keys.length === 1 ? selection : {}) as {
    readonly key?: unknown
    readonly position?: unknown
  }
  if (typeof key === 'string') return
  if (position !== undefined) {
    checkWhole(where, 'position', position, 1)
    return
  }
  throw new InvalidOptionError(`${where}: it takes 'all', { key: 'its key' } or { position: its position }`)
}
