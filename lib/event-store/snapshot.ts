import type { CheckpointHold } from './checkpoint.ts'

/** The state of an aggregate at a version, so that it need not be folded from its first event. */
export interface Snapshot {
  readonly streamId: string
  readonly category: string
  /** The version of the stream that the state is of. */
  readonly streamVersion: number
  /** The version of the state's shape; a snapshot of another one is passed over before it is decoded. */
  readonly snapshotVersion: number
  readonly contentType: string
  readonly data: unknown
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdAt: number
}

/** On what condition a snapshot is written, or deleted. */
export interface SnapshotWriteOptions {
  /** Writes only while this claim of a checkpoint holds: so whoever was superseded does not write over what its successor wrote. */
  readonly hold?: CheckpointHold
}
