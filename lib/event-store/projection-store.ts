import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { Checkpoint } from './checkpoint.ts'

/** Which generation of a projection's tables its readers see. */
export interface Publication {
  /** The projection's name. */
  readonly name: string
  /** The projection's version, as its definition says. */
  readonly version: number
  /** Counts the rebuilds, over all versions, from 1. */
  readonly generation: number
  /** From the name that readers use (a view) to the table of this generation. */
  readonly tables: Readonly<Record<string, string>>
  /** Says what the tables were made by; nothing where that is not known. */
  readonly fingerprint?: string
  /** The projection that has taken the place of this one, which has no tables any more. */
  readonly replacedBy?: string
}

/**
 * What a store gives to projections: a transaction of its own, in which a read model and a checkpoint are written together.
 * `Tx` is the driver's: better-sqlite3's `Database`, `pg`'s `ClientBase`.
 */
export interface ProjectionStore<Tx = unknown> {
  /** What `tx` is: `'sqlite'`, `'postgres'`, … */
  readonly kind: string

  /**
   * Runs work in one transaction: committed (durably, where the store is durable) once it is done, rolled back where it throws or
   * rejects, and then rejects with just that. A failure of the store itself is a `StoreError`.
   */
  transaction<Result>(work: (tx: Tx) => MaybePromise<Result>): Promise<Result>

  /**
   * The checkpoint as it is now, held: until the end of the transaction nobody else can claim, write or delete it. With an epoch,
   * undefined where that one's claim no longer holds (released, deleted or claimed since); without, whoever claimed it, undefined
   * where there is none. A transaction whose commit was lost on the way tells by this, when it is tried again, what became of it.
   */
  lockCheckpoint(tx: Tx, name: string, epoch?: number): MaybePromise<Checkpoint | undefined>

  /**
   * As the store's `saveCheckpoint`, within the transaction. False where the epoch's claim no longer holds; then the caller rolls
   * back. Until the end of the transaction nobody else can claim the checkpoint or write it.
   *
   * @throws {InvalidOptionError} `invalid_option` where the work has ended the transaction, by a COMMIT of its own, say, and the
   * store can tell: then the projection stops
   */
  saveCheckpoint(tx: Tx, checkpoint: Checkpoint): MaybePromise<boolean>

  /** As the store's `deleteCheckpoint`, within the transaction: whoever held the checkpoint is fenced once it commits. */
  deleteCheckpoint(tx: Tx, name: string): MaybePromise<void>

  /**
   * Runs SQL statements (several, separated by semicolons) that have neither parameters nor an answer: for making tables.
   *
   * @throws {InvalidOptionError} `invalid_option` where the database refuses the statements themselves, by their syntax, say; then
   * the projection stops. Any other failure is the store's, and is tried again
   */
  execute(tx: Tx, sql: string): MaybePromise<void>

  /**
   * What `publish` wrote last under this name, also by other processes; undefined where it never did. Until the end of the
   * transaction nobody else publishes under this name (also where nothing is published yet).
   */
  readPublication(tx: Tx, name: string): MaybePromise<Publication | undefined>

  /**
   * The publications, of any name, that have one of these views. Until the end of the transaction nobody else publishes any of them
   * who has asked so too.
   */
  findPublications(tx: Tx, views: readonly string[]): MaybePromise<readonly Publication[]>

  /**
   * Makes the tables of a generation those that readers see: for each entry of `tables` a view of that name (made anew where the
   * publication before has one, whatever its columns were), and writes the publication down. A view of the publication before that is
   * not among them is dropped. Atomic with all else in the transaction. Where readers hold the views for long it gives up after a
   * short while with a `StoreError`, since new readers queue behind it; the caller tries again.
   * @throws {InvalidOptionError} `invalid_option` where a name is that of a table or a view which is not of this publication
   */
  publish(tx: Tx, publication: Publication): MaybePromise<void>

  /** Drops the views of a publication, where there is one, and forgets it; its tables stay. Gives up as `publish` does. */
  unpublish(tx: Tx, name: string): MaybePromise<void>

  /** Drops tables, those that are there. Gives up as `publish` does. */
  dropTables(tx: Tx, tables: readonly string[]): MaybePromise<void>
}
