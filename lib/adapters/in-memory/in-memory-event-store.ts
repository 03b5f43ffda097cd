import { EventEmitter } from 'eventemitter3'
import { systemClock, type Clock } from '../../effects/clock.ts'
import { checkedEventStore } from '../../event-store/checked-event-store.ts'
import type { Checkpoint, CheckpointHold, CheckpointState, ClaimOptions } from '../../event-store/checkpoint.ts'
import type {
  AllSlice,
  AppendOptions,
  EventStore,
  EventStoreCapabilities,
  ReadAllOptions,
  ReadStreamOptions,
  StreamAppend,
  StreamAppendResult,
  StreamSlice,
} from '../../event-store/event-store.ts'
import { isExpected } from '../../event-store/expected-version.ts'
import { DEFAULT_MAX_COUNT } from '../../event-store/limits.ts'
import { sameEvents } from '../../event-store/same-events.ts'
import type { Snapshot, SnapshotWriteOptions } from '../../event-store/snapshot.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import type { StreamChangeOptions, StreamChangeResult, StreamInfo } from '../../event-store/stream-info.ts'
import type { Metadata } from '../../messages/recorded-event.ts'
import { Checkpoints } from './checkpoints.ts'
import { InMemoryCommandQueue } from './command-queue.ts'
import { detached, Rows } from './rows.ts'
import { readRows } from './scan.ts'
import { Stream } from './stream.ts'
import { changeStream, deleteStream, streamInfo } from './stream-change.ts'

const ABANDONED: StreamAppendResult = { status: 'abandoned' }

/** What an event store in memory may be given. */
export interface InMemoryEventStoreOptions {
  /** By which leases run out, and queued commands become due. @default the machine's own */
  readonly clock?: Pick<Clock, 'now'>
}

/**
 * An event store in the memory of this process: every operation answers at once, and nothing outlives the store value. It keeps
 * its events over `close` and `open`, so that one value can serve several applications and their restarts.
 *
 * @example
 * import { application, inMemoryEventStore } from 'edict'
 *
 * const bank = application({ name: 'bank', router: bankRouter, eventStore: inMemoryEventStore() })
 */
export function inMemoryEventStore({ clock = systemClock }: InMemoryEventStoreOptions = {}): EventStore {
  const adapter = new InMemoryEventStore(clock)
  const store = checkedEventStore(adapter)
  adapters.set(store, adapter)
  return store
}

const adapters = new WeakMap<EventStore, InMemoryEventStore>()

/** Empties a store in memory, for tests; nobody may be at work with it. False, and nothing is done, where it is another store. */
export function emptyInMemoryEventStore(store: EventStore): boolean {
  const adapter = adapters.get(store)
  adapter?.empty()
  return adapter !== undefined
}

class InMemoryEventStore implements EventStore {
  readonly name = 'in-memory'
  readonly capabilities: EventStoreCapabilities = Object.freeze({
    atomicStreams: true,
    durable: false,
    multiProcess: false,
    projections: false,
    commands: true,
    values: 'objects',
  })

  readonly commands: InMemoryCommandQueue
  #rows = new Rows()
  readonly #streams = new Map<string, Stream>()
  readonly #snapshots = new Map<string, Snapshot>()
  readonly #checkpoints: Checkpoints
  readonly #watchers = new EventEmitter<{ appended: [headPosition: number] }>()
  #telling = false

  constructor(clock: Pick<Clock, 'now'>) {
    this.#checkpoints = new Checkpoints(clock)
    this.commands = new InMemoryCommandQueue(clock)
  }

  empty(): void {
    this.#rows = new Rows()
    this.#streams.clear()
    this.#snapshots.clear()
    this.#checkpoints.empty()
    this.commands.empty()
  }

  open(): void {
    // There is nothing to make ready: what was stored before is still there.
  }

  close(): void {
    this.#watchers.removeAllListeners()
    this.#checkpoints.releaseAll()
    this.commands.close()
  }

  append(streams: readonly StreamAppend[], options?: AppendOptions): readonly StreamAppendResult[] {
    const before = this.#rows.length
    const results = options?.atomic === true ? this.#appendTogether(streams) : this.#appendEach(streams)
    if (this.#rows.length > before && this.#watchers.listenerCount('appended') > 0) this.#tell()
    return results
  }

  /** A listener that appends is not told within its own call, but when all have been told of the append before. */
  #tell(): void {
    if (this.#telling) return
    this.#telling = true
    try {
      let told: number
      do {
        told = this.#rows.length
        this.#watchers.emit('appended', told)
      } while (this.#rows.length > told)
    } finally {
      this.#telling = false
    }
  }

  #appendEach(streams: readonly StreamAppend[]): StreamAppendResult[] {
    // An array that is born with its one element is a tenth of one that grows by a push.
    if (streams.length === 1) return [this.#appendOne(streams[0] as StreamAppend)]
    return streams.map((append) => this.#appendOne(append))
  }

  #appendOne(append: StreamAppend): StreamAppendResult {
    const stream = this.#streams.get(append.streamId)
    return this.#refusal(stream, append) ?? this.#write(stream, append)
  }

  #appendTogether(streams: readonly StreamAppend[]): StreamAppendResult[] {
    const refusals = streams.map((append) => this.#refusal(this.#streams.get(append.streamId), append))
    const failed = refusals.some((refusal) => refusal !== undefined && refusal.status !== 'repeated')
    if (failed) return refusals.map((refusal) => (refusal?.status === 'repeated' ? ABANDONED : (refusal ?? ABANDONED)))
    return streams.map((append, index) => refusals[index] ?? this.#write(this.#streams.get(append.streamId), append))
  }

  /** Why an append writes nothing, or undefined where it may. */
  #refusal(stream: Stream | undefined, append: StreamAppend): StreamAppendResult | undefined {
    if (stream === undefined) {
      return isExpected(append.expectedVersion, 0) ? undefined : { status: 'version_conflict', actual: 0 }
    }
    if (stream.category !== append.category) return { status: 'category_mismatch', actual: stream.category }
    if (append.deduplicate !== false) {
      const committed = this.#eventsOfCommand(stream, (append.events[0] as StoredEvent).commandId)
      if (committed.length > 0) {
        return sameEvents(committed, append.events)
          ? { status: 'repeated', events: committed }
          : { status: 'duplicate_command' }
      }
    }
    const { closed } = stream
    if (closed !== undefined) return { status: 'stream_closed', state: closed }
    return isExpected(append.expectedVersion, stream.version)
      ? undefined
      : { status: 'version_conflict', actual: stream.version }
  }

  #write(found: Stream | undefined, { streamId, category, events }: StreamAppend): StreamAppendResult {
    const rows = this.#rows
    const firstPosition = rows.length + 1
    const stream = found ?? new Stream(streamId, category)
    if (found === undefined) this.#streams.set(streamId, stream)
    for (const event of events) {
      stream.noteCommand(event.commandId, stream.version + 1)
      stream.add(rows.add(stream, stream.version + 1, event))
    }
    return { status: 'appended', streamVersion: stream.version, firstPosition }
  }

  readStream(streamId: string, options: ReadStreamOptions = {}): StreamSlice {
    const stream = this.#streams.get(streamId)
    if (stream === undefined) return { events: [], streamVersion: 0, category: undefined, state: undefined }
    const { version, category } = stream
    const { maxCount = DEFAULT_MAX_COUNT, direction = 'forward' } = options
    const events: StoredEvent[] = []
    if (direction === 'forward') {
      const { fromVersion = 1 } = options
      const end = Math.min(version, fromVersion + maxCount - 1)
      for (let at = fromVersion; at <= end; at++) events.push(this.#rows.at(stream.positionAt(at)))
    } else {
      const fromVersion = Math.min(version, options.fromVersion ?? version)
      const end = Math.max(1, fromVersion - maxCount + 1)
      for (let at = fromVersion; at >= end; at--) events.push(this.#rows.at(stream.positionAt(at)))
    }
    return { events, streamVersion: version, category, state: stream.closed ?? 'active' }
  }

  readAll(options: ReadAllOptions = {}): AllSlice {
    return readRows(this.#rows, options)
  }

  readCommand(streamId: string, commandId: string): readonly StoredEvent[] {
    const stream = this.#streams.get(streamId)
    return stream === undefined ? [] : this.#eventsOfCommand(stream, commandId)
  }

  #eventsOfCommand(stream: Stream, commandId: string): StoredEvent[] {
    const firstVersion = stream.versionOfCommand(commandId, this.#rows)
    const events: StoredEvent[] = []
    if (firstVersion === undefined) return events
    for (let version = firstVersion; version <= stream.version; version++) {
      const event = this.#rows.at(stream.positionAt(version))
      if (event.commandId !== commandId) break
      events.push(event)
    }
    return events
  }

  headPosition(): number {
    return this.#rows.length
  }

  readStreamInfo(streamId: string): StreamInfo | undefined {
    const stream = this.#streams.get(streamId)
    return stream && streamInfo(stream)
  }

  writeStreamMetadata(streamId: string, metadata: Metadata, options: StreamChangeOptions): StreamChangeResult {
    return changeStream(this.#streams.get(streamId), options, ({ state }) => ({ state, metadata }))
  }

  archiveStream(streamId: string, options: StreamChangeOptions): StreamChangeResult {
    return changeStream(this.#streams.get(streamId), options, ({ metadata }) => ({ state: 'archived', metadata }))
  }

  restoreStream(streamId: string, options: StreamChangeOptions): StreamChangeResult {
    return changeStream(this.#streams.get(streamId), options, ({ metadata }) => ({ state: 'active', metadata }))
  }

  deleteStream(streamId: string, options: StreamChangeOptions): StreamChangeResult {
    const stream = this.#streams.get(streamId)
    const result = deleteStream(stream, options)
    if (result.status === 'changed') this.#erase(stream as Stream)
    return result
  }

  #erase(stream: Stream): void {
    for (let version = 1; version <= stream.version; version++) this.#rows.erase(stream.positionAt(version))
    this.#snapshots.delete(stream.streamId)
  }

  watch(listener: (headPosition?: number) => void): () => void {
    this.#watchers.on('appended', listener)
    return () => {
      this.#watchers.off('appended', listener)
    }
  }

  saveSnapshot(snapshot: Snapshot, { hold }: SnapshotWriteOptions): boolean {
    if (hold !== undefined && !this.#checkpoints.holds(hold)) return false
    // Who held its state while it was deleted would bring back what it says.
    if (this.#streams.get(snapshot.streamId)?.closed === 'deleted') return true
    this.#snapshots.set(snapshot.streamId, copyOf(snapshot))
    return true
  }

  readSnapshot(streamId: string): Snapshot | undefined {
    const snapshot = this.#snapshots.get(streamId)
    return snapshot && copyOf(snapshot)
  }

  deleteSnapshot(streamId: string, { hold }: SnapshotWriteOptions): boolean {
    if (hold !== undefined && !this.#checkpoints.holds(hold)) return false
    this.#snapshots.delete(streamId)
    return true
  }

  claimCheckpoint(name: string, options: ClaimOptions): Checkpoint | undefined {
    return this.#checkpoints.claim(name, options)
  }

  renewCheckpoints(holds: readonly CheckpointHold[]): readonly boolean[] {
    return this.#checkpoints.renew(holds)
  }

  saveCheckpoint(checkpoint: Checkpoint): boolean {
    return this.#checkpoints.save(checkpoint)
  }

  releaseCheckpoint(name: string, epoch: number): void {
    this.#checkpoints.release(name, epoch)
  }

  readCheckpoint(name: string): Checkpoint | undefined {
    return this.#checkpoints.read(name)
  }

  deleteCheckpoint(name: string): void {
    this.#checkpoints.delete(name)
  }

  listCheckpoints(prefix: string): readonly CheckpointState[] {
    return this.#checkpoints.list(prefix)
  }
}

function copyOf(snapshot: Snapshot): Snapshot {
  const { streamId, category, streamVersion, snapshotVersion, contentType, createdAt } = snapshot
  const data = detached(snapshot.data, contentType)
  return { streamId, category, streamVersion, snapshotVersion, contentType, data, createdAt }
}
