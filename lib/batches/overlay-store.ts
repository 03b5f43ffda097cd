import type {
  AllSlice,
  EventStore,
  ReadStreamOptions,
  StreamAppend,
  StreamAppendResult,
  StreamSlice,
} from '../event-store/event-store.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import type { StreamInfo } from '../event-store/stream-info.ts'

interface Added {
  readonly category: string
  readonly events: StoredEvent[]
}

const DEFAULT_COUNT = 1_000

/** Gives every append a place above what is stored, as the real store would if nobody else wrote, and stores nothing. */
export async function overlayStore(store: EventStore): Promise<EventStore> {
  const overlay = new Overlay(store, await store.headPosition())
  return {
    name: store.name,
    capabilities: store.capabilities,
    open: () => undefined,
    close: () => undefined,
    append: (streams) => overlay.append(streams),
    readStream: (streamId, options) => overlay.readStream(streamId, options),
    readAll: () => Promise.reject<AllSlice>(refused('readAll')),
    readCommand: (streamId, commandId) => overlay.readCommand(streamId, commandId),
    headPosition: () => overlay.headPosition,
    readStreamInfo: (streamId) => overlay.readStreamInfo(streamId),
    writeStreamMetadata: () => Promise.reject(refused('writeStreamMetadata')),
    archiveStream: () => Promise.reject(refused('archiveStream')),
    restoreStream: () => Promise.reject(refused('restoreStream')),
    deleteStream: () => Promise.reject(refused('deleteStream')),
    watch: () => () => undefined,
    saveSnapshot: () => false,
    readSnapshot: (streamId) => store.readSnapshot(streamId),
    deleteSnapshot: () => false,
    claimCheckpoint: () => undefined,
    renewCheckpoints: (holds) => holds.map(() => false),
    saveCheckpoint: () => false,
    releaseCheckpoint: () => undefined,
    readCheckpoint: () => undefined,
    deleteCheckpoint: () => undefined,
    listCheckpoints: () => [],
  }
}

/** Nothing in a dry run asks for these. */
function refused(what: string): Error {
  return new Error(`a dry run does no ${what}`)
}

class Overlay {
  headPosition: number
  readonly #store: EventStore
  readonly #added = new Map<string, Added>()

  constructor(store: EventStore, headPosition: number) {
    this.#store = store
    this.headPosition = headPosition
  }

  async append(streams: readonly StreamAppend[]): Promise<readonly StreamAppendResult[]> {
    const verdicts = await Promise.all(streams.map((stream) => this.#judge(stream)))
    if (verdicts.some(({ status }) => status !== 'appended')) {
      return verdicts.map((verdict) => (verdict.status === 'appended' ? { status: 'abandoned' } : verdict))
    }
    return streams.map((stream, index) => this.#add(stream, verdicts[index]))
  }

  /** `appended`, with the version that the stream is at before; or what keeps it from being. */
  async #judge({ streamId, category, expectedVersion }: StreamAppend): Promise<StreamAppendResult> {
    const { streamVersion, state, category: actual } = await this.readStream(streamId, { maxCount: 1 })
    if (actual !== undefined && actual !== category) return { status: 'category_mismatch', actual }
    if (state === 'archived' || state === 'deleted') return { status: 'stream_closed', state }
    const holds =
      expectedVersion === 'any' ||
      (expectedVersion === 'exists'
        ? streamVersion > 0
        : streamVersion === (expectedVersion === 'none' ? 0 : expectedVersion))
    if (!holds) return { status: 'version_conflict', actual: streamVersion }
    return { status: 'appended', streamVersion, firstPosition: 0 }
  }

  #add({ streamId, category, events }: StreamAppend, verdict: StreamAppendResult | undefined): StreamAppendResult {
    const base = verdict?.status === 'appended' ? verdict.streamVersion : 0
    const added = this.#added.get(streamId) ?? { category, events: [] }
    this.#added.set(streamId, added)
    const firstPosition = this.headPosition + 1
    for (const [index, event] of events.entries()) {
      const position = ++this.headPosition
      added.events.push({ ...event, streamId, category, streamVersion: base + index + 1, position })
    }
    return { status: 'appended', streamVersion: base + events.length, firstPosition }
  }

  async readStream(streamId: string, options: ReadStreamOptions = {}): Promise<StreamSlice> {
    const added = this.#added.get(streamId)
    const stored = await this.#store.readStream(streamId, options)
    if (added === undefined) return stored
    const first = (added.events[0] as StoredEvent).streamVersion
    const streamVersion = first + added.events.length - 1
    const { maxCount = DEFAULT_COUNT, direction = 'forward' } = options
    const from = options.fromVersion ?? (direction === 'forward' ? 1 : streamVersion)
    const events =
      direction === 'forward'
        ? [
            ...stored.events.filter((one) => one.streamVersion < first),
            ...added.events.filter((one) => one.streamVersion >= from),
          ]
        : [
            ...added.events.filter((one) => one.streamVersion <= from).reverse(),
            ...stored.events.filter((one) => one.streamVersion < first),
          ]
    return {
      events: events.slice(0, maxCount),
      streamVersion,
      category: stored.category ?? added.category,
      state: stored.state ?? 'active',
    }
  }

  async readCommand(streamId: string, commandId: string): Promise<readonly StoredEvent[]> {
    const stored = await this.#store.readCommand(streamId, commandId)
    const added = this.#added.get(streamId)?.events ?? []
    return [...stored, ...added.filter((event) => event.commandId === commandId)]
  }

  async readStreamInfo(streamId: string): Promise<StreamInfo | undefined> {
    const stored = await this.#store.readStreamInfo(streamId)
    const added = this.#added.get(streamId)
    if (added === undefined) return stored
    const streamVersion = (added.events.at(-1) as StoredEvent).streamVersion
    if (stored !== undefined) return { ...stored, streamVersion }
    return { streamId, category: added.category, streamVersion, state: 'active', metadata: {} }
  }
}
