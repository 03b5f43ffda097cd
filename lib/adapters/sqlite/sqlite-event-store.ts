import type { MaybePromise } from '../../effects/maybe-promise.ts'
import { NotRunningError } from '../../errors.ts'
import { checkedEventStore } from '../../event-store/checked-event-store.ts'
import type {
  Checkpoint,
  CheckpointClaim,
  CheckpointHold,
  CheckpointState,
  ClaimOptions,
} from '../../event-store/checkpoint.ts'
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
import type { ProjectionStore } from '../../event-store/projection-store.ts'
import type { Snapshot, SnapshotWriteOptions } from '../../event-store/snapshot.ts'
import type { StoreDiagnosis } from '../../event-store/store-diagnosis.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import type { StreamChangeOptions, StreamChangeResult, StreamInfo } from '../../event-store/stream-info.ts'
import type { Metadata } from '../../messages/recorded-event.ts'
import { openConnections } from './connections.ts'
import type { Database } from './driver.ts'
import { storeFailure } from './failure.ts'
import { OpenStore } from './open-store.ts'
import { checkedOptions, checkedPath, type CheckedOptions, type SqliteEventStoreOptions } from './options.ts'
import { SqliteProjections } from './projections.ts'
import { SqliteCommands } from './sqlite-commands.ts'
import type { StreamChange } from './streams.ts'

/**
 * An event store in a SQLite file of its own, which several processes of one machine may share. The file and its tables are made
 * where they are not there yet. It needs the package `better-sqlite3`, and loads it when it is opened.
 *
 * @param path of the file; its directory must be there
 *
 * @example
 * import { application } from 'edict'
 * import { sqliteEventStore } from 'edict/sqlite'
 *
 * const bank = application({ name: 'bank', router: bankRouter, eventStore: sqliteEventStore('bank.db') })
 *
 * @throws {InvalidOptionError} `invalid_option`. To open it throws MissingDriverError `missing_driver`, UnsupportedVersionError
 * `unsupported_version` for a SQLite that loses data, SchemaMismatchError `schema_mismatch` for the file of a newer Edict, and
 * StoreError `store_failed` for a file that is not the store's own or cannot be written.
 */
export function sqliteEventStore(path: string, options: SqliteEventStoreOptions = {}): EventStore {
  return checkedEventStore(new SqliteEventStore(checkedPath(path), checkedOptions(options)))
}

class SqliteEventStore implements EventStore {
  readonly name = 'sqlite'
  readonly capabilities: EventStoreCapabilities = Object.freeze({
    atomicStreams: true,
    durable: true,
    multiProcess: true,
    projections: true,
    commands: true,
    values: 'encoded',
  })
  readonly projections: ProjectionStore<Database>
  readonly commands: SqliteCommands
  readonly #path: string
  readonly #options: CheckedOptions
  #opened: OpenStore | undefined

  constructor(path: string, options: CheckedOptions) {
    this.#path = path
    this.#options = options
    this.projections = new SqliteProjections(() => this.#store)
    this.commands = new SqliteCommands(
      () => this.#store,
      (read) => this.#read(read),
    )
  }

  get #store(): OpenStore {
    if (this.#opened !== undefined) return this.#opened
    throw new NotRunningError('the sqlite event store is not open; call open() first')
  }

  async open(): Promise<void> {
    const connections = await openConnections(this.#path, this.#options)
    this.#opened = new OpenStore(this.#path, this.#options, connections)
  }

  async close(): Promise<void> {
    const closing = this.#store
    try {
      await closing.close()
    } catch (thrown) {
      throw storeFailure(this.#path, thrown)
    } finally {
      this.#opened = undefined
    }
  }

  append(streams: readonly StreamAppend[], options?: AppendOptions): Promise<readonly StreamAppendResult[]> {
    return this.#store.append(streams, options)
  }

  readStream(streamId: string, options?: ReadStreamOptions): StreamSlice {
    return this.#read((store) => store.reader.readStream(streamId, options))
  }

  readAll(options?: ReadAllOptions): AllSlice {
    return this.#read((store) => store.reader.readAll(options))
  }

  readCommand(streamId: string, commandId: string): readonly StoredEvent[] {
    return this.#read((store) => store.reader.readCommand(streamId, commandId))
  }

  headPosition(): number {
    return this.#read((store) => store.reader.head())
  }

  readStreamInfo(streamId: string): StreamInfo | undefined {
    return this.#read((store) => store.streams.read(streamId))
  }

  writeStreamMetadata(
    streamId: string,
    metadata: Metadata,
    options?: StreamChangeOptions,
  ): Promise<StreamChangeResult> {
    return this.#change(streamId, { kind: 'describe', metadata }, options)
  }

  archiveStream(streamId: string, options?: StreamChangeOptions): Promise<StreamChangeResult> {
    return this.#change(streamId, { kind: 'archive' }, options)
  }

  restoreStream(streamId: string, options?: StreamChangeOptions): Promise<StreamChangeResult> {
    return this.#change(streamId, { kind: 'restore' }, options)
  }

  deleteStream(streamId: string, options?: StreamChangeOptions): Promise<StreamChangeResult> {
    return this.#change(streamId, { kind: 'delete' }, options)
  }

  #change(streamId: string, change: StreamChange, options?: StreamChangeOptions): Promise<StreamChangeResult> {
    const store = this.#store
    return store.changeStream(() => store.streams.change(streamId, change, options))
  }

  watch(listener: (headPosition?: number) => void): () => void {
    return this.#read((store) => store.watchers.add(listener))
  }

  saveSnapshot(snapshot: Snapshot, { hold }: SnapshotWriteOptions = {}): Promise<boolean> {
    const store = this.#store
    return store.write(() => {
      if (hold !== undefined && store.checkpoints.lock(hold.name, hold.epoch) === undefined) return false
      store.snapshots.save(snapshot)
      return true
    })
  }

  readSnapshot(streamId: string): Snapshot | undefined {
    return this.#read((store) => store.snapshots.read(streamId))
  }

  deleteSnapshot(streamId: string, { hold }: SnapshotWriteOptions = {}): Promise<boolean> {
    const store = this.#store
    return store.write(() => {
      if (hold !== undefined && store.checkpoints.lock(hold.name, hold.epoch) === undefined) return false
      store.snapshots.delete(streamId)
      return true
    })
  }

  claimCheckpoint(name: string, options: ClaimOptions): Promise<CheckpointClaim | undefined> {
    const store = this.#store
    return store.write(() => store.checkpoints.claim(name, options))
  }

  renewCheckpoints(holds: readonly CheckpointHold[]): MaybePromise<readonly boolean[]> {
    const store = this.#store
    return store.write(() => store.checkpoints.renew(holds))
  }

  saveCheckpoint(checkpoint: Checkpoint): Promise<boolean> {
    const store = this.#store
    return store.write(() => store.checkpoints.save(checkpoint))
  }

  releaseCheckpoint(name: string, epoch: number): Promise<void> {
    const store = this.#store
    return store.write(() => {
      store.checkpoints.release(name, epoch)
    })
  }

  readCheckpoint(name: string): Checkpoint | undefined {
    return this.#read((store) => store.checkpoints.read(name))
  }

  deleteCheckpoint(name: string): Promise<void> {
    const store = this.#store
    return store.write(() => {
      store.checkpoints.delete(name)
    })
  }

  listCheckpoints(prefix = ''): readonly CheckpointState[] {
    return this.#read((store) => store.checkpoints.list(prefix))
  }

  diagnose(): StoreDiagnosis {
    return this.#read((store) => store.diagnose())
  }

  #read<Answer>(read: (store: OpenStore) => Answer): Answer {
    try {
      return read(this.#store)
    } catch (thrown) {
      throw storeFailure(this.#path, thrown)
    }
  }
}
