import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { NewEvent, StoredEvent } from './stored-event.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { Checkpoint, CheckpointClaim, CheckpointHold, CheckpointState, ClaimOptions } from './checkpoint.ts'
import type { CommandQueueStore } from './command-queue-store.ts'
import type { ProjectionStore } from './projection-store.ts'
import type { Snapshot, SnapshotWriteOptions } from './snapshot.ts'
import type { StoreDiagnosis } from './store-diagnosis.ts'
import type { StreamChangeOptions, StreamChangeResult, StreamInfo, StreamState } from './stream-info.ts'

/**
 * What a stream must be at for an append: at any version, not there (`'none'`), there (`'exists'`), or at just this version
 * (0 is the same as `'none'`).
 */
export type ExpectedVersion = 'any' | 'none' | 'exists' | number

/** What goes into one stream by one append. */
export interface StreamAppend {
  readonly streamId: string
  readonly category: string
  readonly expectedVersion: ExpectedVersion
  /**
   * At least one. They carry the same `commandId`, or, where `deduplicate` is false, may be those of several commands: those of each
   * stand together.
   */
  readonly events: readonly NewEvent[]
  /**
   * Whether the store looks first if the events' command id has already committed in this stream, and answers a repeat as it
   * answered the first. `false` is the caller's promise that the id is new, which spares the look.
   * @default true
   */
  readonly deduplicate?: boolean
}

/** How an append to several streams is made. */
export interface AppendOptions {
  /**
   * All streams of the call commit together or not at all. Needs the `atomicStreams` capability. A stream that is
   * `'repeated'` counts as done, and does not fail the others.
   * @default false
   */
  readonly atomic?: boolean
}

/**
 * What became of the append to one stream. Only `'appended'` wrote something. A store looks at the category first, then at the
 * command id, then at whether the stream is closed, and last at the version.
 * - `appended`: the events have the versions up to `streamVersion` and the positions from `firstPosition`, without gap
 * - `repeated`: the command id committed here before with the same events; these are they. Of tombstones only what is left can be
 *   compared: all but the data
 * - `duplicate_command`: the command id committed here before with other events
 * - `version_conflict`: `expectedVersion` did not hold; the stream is at `actual` (0 where it is not there)
 * - `stream_closed`: the stream is archived or deleted
 * - `category_mismatch`: the stream belongs to the category `actual`
 * - `abandoned`: another stream of the same atomic call failed
 */
export type StreamAppendResult =
  | { readonly status: 'appended'; readonly streamVersion: number; readonly firstPosition: number }
  | { readonly status: 'repeated'; readonly events: readonly StoredEvent[] }
  | { readonly status: 'duplicate_command' }
  | { readonly status: 'version_conflict'; readonly actual: number }
  | { readonly status: 'stream_closed'; readonly state: 'archived' | 'deleted' }
  | { readonly status: 'category_mismatch'; readonly actual: string }
  | { readonly status: 'abandoned' }

/** The order of a reading: from the first event on, or from the last one back. */
export type Direction = 'forward' | 'backward'

/** Which part of a stream is read. */
export interface ReadStreamOptions {
  /** The first version that is read, inclusive. Default: 1 forward, the last one backward. */
  readonly fromVersion?: number
  /** At most this many events. @default 1000 */
  readonly maxCount?: number
  /** @default 'forward' */
  readonly direction?: Direction
}

/** A part of a stream, in the order asked for. A stream that is not there has version 0 and no category. */
export interface StreamSlice {
  readonly events: readonly StoredEvent[]
  /** The stream's last version at the time of reading. */
  readonly streamVersion: number
  readonly category: string | undefined
  /** Undefined where the stream is not there. */
  readonly state: StreamState | undefined
}

/** Which part of all events is read. */
export interface ReadAllOptions {
  /** The first position that is read, inclusive. Default: 1 forward, the last one backward. */
  readonly fromPosition?: number
  /** At most this many events. @default 1000 */
  readonly maxCount?: number
  /** @default 'forward' */
  readonly direction?: Direction
  /** Only events of these types. */
  readonly types?: ReadonlySet<string>
  /** Only events of streams of this category. */
  readonly category?: string
  /** Only events of this correlation id. */
  readonly correlationId?: string
  /** Only events of this tenant. */
  readonly tenant?: string
}

/**
 * A part of all events, in the order asked for. It may hold fewer than `maxCount` though there are more: a store bounds the
 * work of one call, and `lastPosition` says where to go on. Backward, what is above the head counts as the head.
 */
export interface AllSlice {
  readonly events: readonly StoredEvent[]
  /**
   * Where a reader goes on: every position up to here (down to here, backward) has been looked at, inclusive, whether it
   * passed the filter or not. `fromPosition - 1` (`+ 1` backward) where nothing was.
   */
  readonly lastPosition: number
  /** The store's last committed position at the time of reading, 0 where there is none. */
  readonly headPosition: number
}

/** What a store can do beyond the contract. */
export interface EventStoreCapabilities {
  /** Several streams in one atomic append. */
  readonly atomicStreams: boolean
  /** Acknowledged events survive the end of the process. */
  readonly durable: boolean
  /** Several processes may share the store. */
  readonly multiProcess: boolean
  /** Whether the store has `projections`. */
  readonly projections: boolean
  /** Whether the store has `commands`: it keeps commands that are run later. */
  readonly commands: boolean
  /** Whether events are kept as frozen values, or encoded by a serializer. */
  readonly values: 'objects' | 'encoded'
}

/** What a persistent subscription asks of a store, beside its events. */
export type CheckpointStore = Pick<
  EventStore,
  | 'headPosition'
  | 'claimCheckpoint'
  | 'renewCheckpoints'
  | 'saveCheckpoint'
  | 'releaseCheckpoint'
  | 'readCheckpoint'
  | 'listCheckpoints'
>

/**
 * The contract of an event store: what an adapter implements, and what Edict asks of it. Every operation may answer at once or
 * by a promise. An adapter is wrapped by `checkedEventStore`, which does the argument and lifecycle checks once for all of them.
 *
 * An operation that fails throws (or rejects with) `StoreError`, with the driver's error as its cause, and with the outcome
 * `'unknown'` where an append may have been committed.
 */
export interface EventStore {
  /** For messages: `'in-memory'`, `'sqlite'`, … */
  readonly name: string
  readonly capabilities: EventStoreCapabilities

  /**
   * Makes the store ready. May be called again; each call is paired with one `close`. (`checkedEventStore` counts the pairs: an
   * adapter sees `open` and `close` in turn.)
   */
  open(): MaybePromise<void>
  /** The last `close` ends the watches. */
  close(): MaybePromise<void>

  /**
   * Appends to one or several streams. Concurrent appends may be coalesced into one commit; each stream is answered by itself, in
   * the order given, and a conflict of one never fails its neighbour (unless `atomic`). A durable store answers only after the
   * commit is on disk.
   */
  append(streams: readonly StreamAppend[], options?: AppendOptions): MaybePromise<readonly StreamAppendResult[]>

  readStream(streamId: string, options?: ReadStreamOptions): MaybePromise<StreamSlice>
  /** Positions are contiguous and in the order of commits: a reader that goes on from `lastPosition` misses nothing. */
  readAll(options?: ReadAllOptions): MaybePromise<AllSlice>
  /** The events that a command id committed in a stream, in order; empty where there are none. */
  readCommand(streamId: string, commandId: string): MaybePromise<readonly StoredEvent[]>
  headPosition(): MaybePromise<number>

  /** What is known of a stream; undefined where nothing was ever appended to it. */
  readStreamInfo(streamId: string): MaybePromise<StreamInfo | undefined>
  /** Replaces the stream's own metadata (not that of its events): JSON values, as in events' metadata. */
  writeStreamMetadata(
    streamId: string,
    metadata: Metadata,
    options?: StreamChangeOptions,
  ): MaybePromise<StreamChangeResult>
  /** Closes a stream until it is restored. */
  archiveStream(streamId: string, options?: StreamChangeOptions): MaybePromise<StreamChangeResult>
  restoreStream(streamId: string, options?: StreamChangeOptions): MaybePromise<StreamChangeResult>
  /**
   * Deletes what a stream's events say: their data and metadata, the stream's metadata and its snapshot are gone from the store's tables, for
   * good. Each event stays as a tombstone in its place, with its ids and its type, so that versions and positions have no gap.
   */
  deleteStream(streamId: string, options?: StreamChangeOptions): MaybePromise<StreamChangeResult>

  /**
   * Calls back when events may have been appended, by whoever, with the head position if it is known. A wake-up, not a
   * delivery: it may come late, twice or (over a network) not at all, so that a reader polls behind it. Never throws into an append.
   * @returns a function that ends the watch
   */
  watch(listener: (headPosition?: number) => void): () => void

  /**
   * A snapshot replaces the one before. Nothing is kept of a deleted stream: whoever still holds its state must not bring it back.
   * False, and nothing is written, where `hold` names a claim that no longer holds, as for `saveCheckpoint`; whether it does is
   * looked at in the transaction that writes.
   */
  saveSnapshot(snapshot: Snapshot, options?: SnapshotWriteOptions): MaybePromise<boolean>
  readSnapshot(streamId: string): MaybePromise<Snapshot | undefined>
  /** False, and nothing is deleted, where `hold` names a claim that no longer holds. True also where there is no snapshot. */
  deleteSnapshot(streamId: string, options?: SnapshotWriteOptions): MaybePromise<boolean>

  /**
   * Takes the checkpoint of a persistent subscription for an owner, makes it where it is not there yet, and raises its epoch. Undefined
   * while another owner holds it and that one's lease has not run out, unless it is forced. An epoch is never given twice, even if the
   * checkpoint was deleted in between.
   */
  claimCheckpoint(name: string, options: ClaimOptions): MaybePromise<CheckpointClaim | undefined>
  /**
   * Lets the leases of claims begin anew, and says of each whether it still holds: false where it was released, deleted or
   * claimed since. One that ran out, and that nobody has claimed since, holds again.
   */
  renewCheckpoints(holds: readonly CheckpointHold[]): MaybePromise<readonly boolean[]>
  /**
   * Writes the place that was reached. False, and nothing is written, where the epoch's claim no longer holds: it was released,
   * deleted or claimed since. (That its lease has run out alone does not fence it.)
   */
  saveCheckpoint(checkpoint: Checkpoint): MaybePromise<boolean>
  /** Gives the checkpoint up, so that another owner can take it at once. Nothing where the epoch's claim no longer holds. */
  releaseCheckpoint(name: string, epoch: number): MaybePromise<void>
  /** What was claimed or saved last, or undefined. */
  readCheckpoint(name: string): MaybePromise<Checkpoint | undefined>
  deleteCheckpoint(name: string): MaybePromise<void>
  /** All checkpoints whose names begin so, by name; all there are where it is empty. */
  listCheckpoints(prefix?: string): MaybePromise<readonly CheckpointState[]>

  /** What is to be known where something is wrong; not there where the store has nothing to tell. Reads only. */
  diagnose?(): MaybePromise<StoreDiagnosis>

  /** For projections; not there unless the `projections` capability says so. Open and close are the store's. */
  readonly projections?: ProjectionStore | undefined

  /** Where commands are kept that are run later; not there unless the `commands` capability says so. Open and close are the store's. */
  readonly commands?: CommandQueueStore | undefined
}
