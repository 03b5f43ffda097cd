import { callLater } from '../effects/clock.ts'
import { InvalidOptionError, UnreadableEventError } from '../errors.ts'
import { checkOptionalWhole, checkOptions, checkWhole, shown } from '../event-store/argument-checks.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ParkedEvent, ParkedSelection, ReplayOutcome } from './handler-control.ts'
import type { HandlerRunnerOptions } from './handler-runner.ts'
import { parkedFact, type EventParked, type EventReleased, type ReplayFailed } from './parked-facts.ts'
import type { ParkedEntry, ParkedKey, ParkedKeys } from './parked-keys.ts'
import type { ParkedStream } from './parked-stream.ts'
import { readParked } from './replays.ts'

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
  readonly #options: Pick<HandlerRunnerOptions, 'store' | 'hub' | 'clock'>

  constructor(stream: ParkedStream, options: Pick<HandlerRunnerOptions, 'store' | 'hub' | 'clock'>) {
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
    for (const { entry } of wanted.slice(0, limit)) {
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
      return { facts: [{ fact: 'edict.ReplayRequested', ...requested(keys, selection) }], about: undefined }
    })
    if (wanted.length === 0) return { replayed: 0, failed: 0, waiting: 0 }
    const askedAt = this.#stream.version
    await this.#settled(wanted, options.timeout ?? DEFAULT_TIMEOUT_MS)
    return outcome(this.#stream.keys, wanted, askedAt)
  }

  /** Waits until each of the keys is through, or stuck. */
  async #settled(wanted: readonly Selected[], timeout: number): Promise<void> {
    const keys = new Set(wanted.map(({ key }) => key))
    const isOver = (key: string): boolean => this.#stream.keys.get(key)?.nextToReplay === undefined
    let left = timeout
    for (let pause = LOOK; left > 0; pause = Math.min(SELDOM, pause * 1.5)) {
      for (const key of keys) if (isOver(key)) keys.delete(key)
      if (keys.size === 0) return
      const now = Math.min(pause, left)
      await new Promise<void>((resolve) => void callLater(this.#options.clock, now, resolve))
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

function one<Item>(item: Item | undefined): readonly Item[] {
  return item === undefined ? [] : [item]
}

/** What a request says of a selection. */
function requested(
  keys: ParkedKeys,
  selection: ParkedSelection,
): { readonly key?: string; readonly position?: number } {
  if (selection === 'all') return {}
  const [first] = selected(keys, selection)
  if (first === undefined) throw new InvalidOptionError(`replay: nothing is parked there: ${JSON.stringify(selection)}`)
  if ('key' in selection) return { key: selection.key }
  const { position } = selection
  const before: ParkedKey | undefined = keys.get(first.key)
  if (before?.first?.position !== position) {
    throw new InvalidOptionError(
      `replay: the event at position ${position} is behind others of its key: replay { key: ${shown(first.key)} }`,
    )
  }
  return { key: first.key, position }
}

function outcome(keys: ParkedKeys, wanted: readonly Selected[], askedAt: number): ReplayOutcome {
  let replayed = 0
  let failed = 0
  for (const { key, entry } of wanted) {
    const still = keys.get(key)?.find(entry)
    if (still === undefined) replayed++
    else if (still.version > askedAt) failed++
  }
  return { replayed, failed, waiting: wanted.length - replayed - failed }
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
