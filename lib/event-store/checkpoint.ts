/** How far a persistent subscription has got. */
export interface Checkpoint {
  readonly name: string
  /** The last position that is handled whole; 0 where none is. */
  readonly position: number
  /** How many of the events that upcasting made of the stored event at `position + 1` are handled. Mostly 0. */
  readonly index: number
  /** The fence: rises with every claim; a write with an older one is refused. */
  readonly epoch: number
}

export interface ClaimOptions {
  /** Who claims, unique for each running instance. */
  readonly owner: string
  /** Where a checkpoint that is not there yet begins: after this position. */
  readonly startAfter: number
}

/** A checkpoint that is held. */
export type CheckpointClaim = Checkpoint
