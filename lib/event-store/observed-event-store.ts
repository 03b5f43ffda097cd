import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { AppendInfo } from '../telemetry/operations.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
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
} from './event-store.ts'
import type { CommandQueueStore } from './command-queue-store.ts'
import type { ProjectionStore } from './projection-store.ts'

const appended = {
  stopped: (results: readonly StreamAppendResult[]) => ({ statuses: results.map(({ status }) => status) }),
  failed: (error: unknown) => ({ error }),
}

const read = {
  stopped: ({ events }: StreamSlice | AllSlice) => ({ events: events.length }),
  failed: (error: unknown) => ({ error }),
}

/** A store as one application uses it: its appends and reads are told of while somebody listens. The rest is the store's own. */
export class ObservedEventStore implements EventStore {
  readonly name: string
  readonly capabilities: EventStoreCapabilities
  readonly projections: ProjectionStore | undefined
  readonly commands: CommandQueueStore | undefined
  readonly open: EventStore['open']
  readonly close: EventStore['close']
  readonly readCommand: EventStore['readCommand']
  readonly headPosition: EventStore['headPosition']
  readonly readStreamInfo: EventStore['readStreamInfo']
  readonly writeStreamMetadata: EventStore['writeStreamMetadata']
  readonly archiveStream: EventStore['archiveStream']
  readonly restoreStream: EventStore['restoreStream']
  readonly deleteStream: EventStore['deleteStream']
  readonly watch: EventStore['watch']
  readonly saveSnapshot: EventStore['saveSnapshot']
  readonly readSnapshot: EventStore['readSnapshot']
  readonly deleteSnapshot: EventStore['deleteSnapshot']
  readonly claimCheckpoint: EventStore['claimCheckpoint']
  readonly renewCheckpoints: EventStore['renewCheckpoints']
  readonly saveCheckpoint: EventStore['saveCheckpoint']
  readonly releaseCheckpoint: EventStore['releaseCheckpoint']
  readonly readCheckpoint: EventStore['readCheckpoint']
  readonly deleteCheckpoint: EventStore['deleteCheckpoint']
  readonly listCheckpoints: EventStore['listCheckpoints']
  readonly #store: EventStore
  readonly #telemetry: Telemetry

  constructor(store: EventStore, telemetry: Telemetry) {
    this.#store = store
    this.#telemetry = telemetry
    this.name = store.name
    this.capabilities = store.capabilities
    this.projections = store.projections
    this.commands = store.commands
    this.open = store.open.bind(store)
    this.close = store.close.bind(store)
    this.readCommand = store.readCommand.bind(store)
    this.headPosition = store.headPosition.bind(store)
    this.readStreamInfo = store.readStreamInfo.bind(store)
    this.writeStreamMetadata = store.writeStreamMetadata.bind(store)
    this.archiveStream = store.archiveStream.bind(store)
    this.restoreStream = store.restoreStream.bind(store)
    this.deleteStream = store.deleteStream.bind(store)
    this.watch = store.watch.bind(store)
    this.saveSnapshot = store.saveSnapshot.bind(store)
    this.readSnapshot = store.readSnapshot.bind(store)
    this.deleteSnapshot = store.deleteSnapshot.bind(store)
    this.claimCheckpoint = store.claimCheckpoint.bind(store)
    this.renewCheckpoints = store.renewCheckpoints.bind(store)
    this.saveCheckpoint = store.saveCheckpoint.bind(store)
    this.releaseCheckpoint = store.releaseCheckpoint.bind(store)
    this.readCheckpoint = store.readCheckpoint.bind(store)
    this.deleteCheckpoint = store.deleteCheckpoint.bind(store)
    this.listCheckpoints = store.listCheckpoints.bind(store)
  }

  append(streams: readonly StreamAppend[], options?: AppendOptions): MaybePromise<readonly StreamAppendResult[]> {
    if (!this.#telemetry.watched.append) return this.#store.append(streams, options)
    const work = () => this.#store.append(streams, options)
    return this.#telemetry.around('append', { streams: streams.map(described) }, work, appended)
  }

  readStream(streamId: string, options?: ReadStreamOptions): MaybePromise<StreamSlice> {
    if (!this.#telemetry.watched.read) return this.#store.readStream(streamId, options)
    const work = () => this.#store.readStream(streamId, options)
    return this.#telemetry.around('read', { streamId, from: options?.fromVersion }, work, read)
  }

  readAll(options?: ReadAllOptions): MaybePromise<AllSlice> {
    if (!this.#telemetry.watched.read) return this.#store.readAll(options)
    const work = () => this.#store.readAll(options)
    return this.#telemetry.around('read', { streamId: undefined, from: options?.fromPosition }, work, read)
  }
}

function described({ streamId, category, events }: StreamAppend): AppendInfo['streams'][number] {
  const [first] = events
  return { streamId, category, events: events.length, commandId: first?.commandId, metadata: first?.metadata ?? {} }
}
