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

/** Who claims a checkpoint, and for how long. */
export interface ClaimOptions {
  /** Who claims, unique for each running instance. */
  readonly owner: string
  /** Where a checkpoint that is not there yet begins: after this position. */
  readonly startAfter: number
  /**
   * Milliseconds, by the store's own clock, for which the claim holds against other owners, counted from the claim and from each
   * renewal. A save does not renew. @default 5_000
   */
  readonly lease?: number
  /** Takes it also from another owner whose claim holds; that one's writes are refused from then on. @default false */
  readonly force?: boolean
}

/** A checkpoint that is held. */
export type CheckpointClaim = Checkpoint

/** What a renewal is for: a claim, by its name and its epoch. */
export interface CheckpointHold {
  readonly name: string
  readonly epoch: number
}

/** A checkpoint as a look over all of them shows it. */
export interface CheckpointState extends Checkpoint {
  /** Who holds it; undefined where nobody does: it was released, or its lease ran out. */
  readonly owner: string | undefined
}

/** How long a claim holds that says nothing of it: short, since a killed owner's place stays empty for so long. */
export const DEFAULT_LEASE_MS = 5_000
