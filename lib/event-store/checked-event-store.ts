import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import { checkedAppendAnswer, isList, isSlice, isStreamSlice } from './answer-checks.ts'
import { AppendChecks, checkEncoded } from './append-checks.ts'
import { checkObject, checkText, checkWhole } from './argument-checks.ts'
import { frozenMetadata } from './frozen-metadata.ts'
import { CheckedCommandQueueStore } from './checked-command-queue-store.ts'
import { CheckedProjectionStore } from './checked-projection-store.ts'
import {
  checkedClaim,
  checkHold,
  checkHolds,
  checkPlace,
  checkPrefix,
  checkSnapshotWrite,
  isCheckpoint,
  isCheckpointList,
  isYesOrNoForEach,
} from './checkpoint-checks.ts'
import type { Checkpoint, CheckpointClaim, CheckpointHold, CheckpointState, ClaimOptions } from './checkpoint.ts'
import type { CommandQueueStore } from './command-queue-store.ts'
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
import { MAX_STREAM_ID_LENGTH } from './limits.ts'
import type { ProjectionStore } from './projection-store.ts'
import { checkReadAll, checkReadCommand, checkReadStream } from './reading-checks.ts'
import type { Snapshot, SnapshotWriteOptions } from './snapshot.ts'
import { StoreDoor } from './store-door.ts'
import type { StoreDiagnosis } from './store-diagnosis.ts'
import type { StoredEvent } from './stored-event.ts'
import { checkStreamChange, checkStreamId, isStreamChange, isStreamInfo } from './stream-checks.ts'
import type { StreamChangeOptions, StreamChangeResult, StreamInfo } from './stream-info.ts'

/**
 * Puts the argument and lifecycle checks in front of an adapter, so that every store refuses the same mistakes in the same
 * words and an adapter sees only calls that make sense, with the defaults filled in. A store that has them already is given back as it is.
 *
 * The pairs of `open` and `close` are counted here: an adapter sees `open` and `close` in turn, never two of one kind. What
 * an adapter throws becomes a `StoreError`, unless it is an `EdictError`. What is answered at once stays so, and then a mistake
 * is thrown rather than rejected with.
 *
 * @example
 * import { checkedEventStore } from 'edict'
 *
 * export const myEventStore = (url: string) => checkedEventStore(new MyAdapter(url))
 */
export function checkedEventStore(adapter: EventStore): EventStore {
  return adapter instanceof CheckedEventStore ? adapter : new CheckedEventStore(adapter)
}

class CheckedEventStore implements EventStore {
  readonly name: string
  readonly capabilities: EventStoreCapabilities
  readonly projections: ProjectionStore | undefined
  readonly commands: CommandQueueStore | undefined
  readonly diagnose?: () => MaybePromise<StoreDiagnosis>
  readonly #adapter: EventStore
  readonly #appendChecks: AppendChecks
  readonly #door: StoreDoor

  constructor(adapter: EventStore) {
    this.name = adapter.name
    this.capabilities = adapter.capabilities
    this.#adapter = adapter
    this.#appendChecks = new AppendChecks(adapter.name, adapter.capabilities)
    this.#door = new StoreDoor(adapter)
    if (adapter.diagnose !== undefined) this.diagnose = () => this.#diagnose()
    const { projections, commands, capabilities } = adapter
    this.projections = projections && new CheckedProjectionStore(projections, this.#door)
    this.commands = commands && new CheckedCommandQueueStore(commands, this.#door, capabilities.values === 'encoded')
  }

  open(): MaybePromise<void> {
    return this.#door.open()
  }

  close(): MaybePromise<void> {
    return this.#door.close()
  }

  append(streams: readonly StreamAppend[], options?: AppendOptions): MaybePromise<readonly StreamAppendResult[]> {
    if (this.#door.opens === 0) this.#door.mustBeOpen('append')
    this.#appendChecks.check(streams, options)
    let answer: MaybePromise<readonly StreamAppendResult[]>
    try {
      answer = this.#adapter.append(streams, options)
    } catch (thrown) {
      throw this.#door.failure('append', thrown, 'unknown')
    }
    // Looking for a `then` costs more than looking for a list.
    if (Array.isArray(answer) || !isPromiseLike(answer)) return checkedAppendAnswer(this.name, streams, answer)
    return Promise.resolve(answer).then(
      (results) => checkedAppendAnswer(this.name, streams, results),
      this.#appendRejected,
    )
  }

  readonly #appendRejected = (thrown: unknown): never => {
    throw this.#door.failure('append', thrown, 'unknown')
  }

  readStream(streamId: string, options?: ReadStreamOptions): MaybePromise<StreamSlice> {
    this.#door.mustBeOpen('readStream')
    checkReadStream(streamId, options)
    return this.#door.run('readStream', () => this.#adapter.readStream(streamId, options), isStreamSlice)
  }

  readAll(options?: ReadAllOptions): MaybePromise<AllSlice> {
    this.#door.mustBeOpen('readAll')
    checkReadAll(options)
    return this.#door.run(
      'readAll',
      () => this.#adapter.readAll(options),
      (slice) => isSlice(slice, ['lastPosition', 'headPosition']),
    )
  }

  readCommand(streamId: string, commandId: string): MaybePromise<readonly StoredEvent[]> {
    this.#door.mustBeOpen('readCommand')
    checkReadCommand(streamId, commandId)
    return this.#door.run('readCommand', () => this.#adapter.readCommand(streamId, commandId), isList)
  }

  headPosition(): MaybePromise<number> {
    this.#door.mustBeOpen('headPosition')
    return this.#door.run('headPosition', () => this.#adapter.headPosition(), Number.isSafeInteger)
  }

  readStreamInfo(streamId: string): MaybePromise<StreamInfo | undefined> {
    this.#door.mustBeOpen('readStreamInfo')
    checkStreamId('readStreamInfo', streamId)
    return this.#door.run(
      'readStreamInfo',
      () => this.#adapter.readStreamInfo(streamId),
      (info) => info === undefined || isStreamInfo(info, streamId),
    )
  }

  writeStreamMetadata(
    streamId: string,
    metadata: Metadata,
    options: StreamChangeOptions = {},
  ): MaybePromise<StreamChangeResult> {
    this.#door.mustBeOpen('writeStreamMetadata')
    checkStreamChange('writeStreamMetadata', streamId, options)
    const copied = frozenMetadata(metadata)
    return this.#change('writeStreamMetadata', streamId, () =>
      this.#adapter.writeStreamMetadata(streamId, copied, options),
    )
  }

  archiveStream(streamId: string, options: StreamChangeOptions = {}): MaybePromise<StreamChangeResult> {
    this.#door.mustBeOpen('archiveStream')
    checkStreamChange('archiveStream', streamId, options)
    return this.#change('archiveStream', streamId, () => this.#adapter.archiveStream(streamId, options))
  }

  restoreStream(streamId: string, options: StreamChangeOptions = {}): MaybePromise<StreamChangeResult> {
    this.#door.mustBeOpen('restoreStream')
    checkStreamChange('restoreStream', streamId, options)
    return this.#change('restoreStream', streamId, () => this.#adapter.restoreStream(streamId, options))
  }

  deleteStream(streamId: string, options: StreamChangeOptions = {}): MaybePromise<StreamChangeResult> {
    this.#door.mustBeOpen('deleteStream')
    checkStreamChange('deleteStream', streamId, options)
    return this.#change('deleteStream', streamId, () => this.#adapter.deleteStream(streamId, options))
  }

  #change(operation: string, streamId: string, call: () => MaybePromise<StreamChangeResult>) {
    return this.#door.run(operation, call, (result) => isStreamChange(result, streamId))
  }

  watch(listener: (headPosition?: number) => void): () => void {
    return this.#door.watch(listener, (wake) => this.#adapter.watch(wake))
  }

  saveSnapshot(snapshot: Snapshot, options: SnapshotWriteOptions = {}): MaybePromise<boolean> {
    this.#door.mustBeOpen('saveSnapshot')
    checkObject('saveSnapshot', 'the snapshot', snapshot)
    checkStreamId('saveSnapshot', snapshot.streamId)
    checkText('saveSnapshot', 'category', snapshot.category)
    checkText('saveSnapshot', 'contentType', snapshot.contentType)
    checkWhole('saveSnapshot', 'streamVersion', snapshot.streamVersion, 1)
    checkWhole('saveSnapshot', 'snapshotVersion', snapshot.snapshotVersion, 0)
    checkWhole('saveSnapshot', 'createdAt', snapshot.createdAt, Number.MIN_SAFE_INTEGER)
    if (this.capabilities.values === 'encoded') checkEncoded('saveSnapshot', snapshot.data)
    checkSnapshotWrite('saveSnapshot', options)
    return this.#door.run(
      'saveSnapshot',
      () => this.#adapter.saveSnapshot(snapshot, options),
      (saved) => typeof saved === 'boolean',
    )
  }

  readSnapshot(streamId: string): MaybePromise<Snapshot | undefined> {
    this.#door.mustBeOpen('readSnapshot')
    checkText('readSnapshot', 'streamId', streamId, MAX_STREAM_ID_LENGTH)
    return this.#door.run('readSnapshot', () => this.#adapter.readSnapshot(streamId))
  }

  deleteSnapshot(streamId: string, options: SnapshotWriteOptions = {}): MaybePromise<boolean> {
    this.#door.mustBeOpen('deleteSnapshot')
    checkText('deleteSnapshot', 'streamId', streamId, MAX_STREAM_ID_LENGTH)
    checkSnapshotWrite('deleteSnapshot', options)
    return this.#door.run(
      'deleteSnapshot',
      () => this.#adapter.deleteSnapshot(streamId, options),
      (deleted) => typeof deleted === 'boolean',
    )
  }

  claimCheckpoint(name: string, options: ClaimOptions): MaybePromise<CheckpointClaim | undefined> {
    this.#door.mustBeOpen('claimCheckpoint')
    const whole = checkedClaim(name, options)
    return this.#door.run(
      'claimCheckpoint',
      () => this.#adapter.claimCheckpoint(name, whole),
      (claim) => claim === undefined || isCheckpoint(claim, name),
    )
  }

  renewCheckpoints(holds: readonly CheckpointHold[]): MaybePromise<readonly boolean[]> {
    this.#door.mustBeOpen('renewCheckpoints')
    checkHolds(holds)
    return this.#door.run(
      'renewCheckpoints',
      () => this.#adapter.renewCheckpoints(holds),
      (renewed) => isYesOrNoForEach(renewed, holds),
    )
  }

  saveCheckpoint(checkpoint: Checkpoint): MaybePromise<boolean> {
    this.#door.mustBeOpen('saveCheckpoint')
    checkPlace('saveCheckpoint', checkpoint)
    return this.#door.run(
      'saveCheckpoint',
      () => this.#adapter.saveCheckpoint(checkpoint),
      (saved) => typeof saved === 'boolean',
    )
  }

  releaseCheckpoint(name: string, epoch: number): MaybePromise<void> {
    this.#door.mustBeOpen('releaseCheckpoint')
    checkHold('releaseCheckpoint', name, epoch)
    return this.#door.run('releaseCheckpoint', () => this.#adapter.releaseCheckpoint(name, epoch))
  }

  readCheckpoint(name: string): MaybePromise<Checkpoint | undefined> {
    this.#door.mustBeOpen('readCheckpoint')
    checkText('readCheckpoint', 'name', name)
    return this.#door.run(
      'readCheckpoint',
      () => this.#adapter.readCheckpoint(name),
      (checkpoint) => checkpoint === undefined || isCheckpoint(checkpoint, name),
    )
  }

  deleteCheckpoint(name: string): MaybePromise<void> {
    this.#door.mustBeOpen('deleteCheckpoint')
    checkText('deleteCheckpoint', 'name', name)
    return this.#door.run('deleteCheckpoint', () => this.#adapter.deleteCheckpoint(name))
  }

  #diagnose(): MaybePromise<StoreDiagnosis> {
    this.#door.mustBeOpen('diagnose')
    // It is there: this is called for no other adapter.
    return this.#door.run('diagnose', () => (this.#adapter as Required<Pick<EventStore, 'diagnose'>>).diagnose())
  }

  listCheckpoints(prefix = ''): MaybePromise<readonly CheckpointState[]> {
    this.#door.mustBeOpen('listCheckpoints')
    checkPrefix(prefix)
    return this.#door.run(
      'listCheckpoints',
      () => this.#adapter.listCheckpoints(prefix),
      (states) => isCheckpointList(states, prefix),
    )
  }
}
