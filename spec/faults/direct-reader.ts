/** An event as it stands in the tables, read past Edict. */
export interface StoredRow {
  readonly position: number
  readonly streamId: string
  readonly streamVersion: number
  readonly eventId: string
  readonly commandId: string
  readonly data: string
}

/** A row of the read model. */
export interface ProjectedRow {
  readonly position: number
  readonly streamId: string
  readonly total: number
}

export interface CheckpointRow {
  readonly name: string
  readonly position: number
  readonly epoch: number
}

/** Reads a store's tables with the driver alone, so that a fault of Edict's own reader hides nothing. */
export interface DirectReader {
  rowsAfter(position: number): Promise<readonly StoredRow[]>
  head(): Promise<number>
  /** The versions that the table of streams holds; empty where it holds none. */
  streamVersions(): Promise<ReadonlyMap<string, number>>
  checkpoints(): Promise<readonly CheckpointRow[]>
  /** In the order in which they were written. */
  projected(): Promise<readonly ProjectedRow[]>
  /** What the database itself finds wrong with its files. */
  damage(): Promise<readonly string[]>
  close(): Promise<void>
}
