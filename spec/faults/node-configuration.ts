export type StoreConfiguration =
  | { readonly kind: 'sqlite'; readonly path: string }
  | {
      readonly kind: 'postgres'
      readonly connectionString: string
      /** Where notifications are listened for, if not there. */
      readonly listenTo?: string
    }

/**
 * A bug that a node is given, so that a spec can show that it would find it.
 * - `acknowledge-before-commit`: an append is answered before it is made
 * - `position-from-a-sequence`: positions are taken outside of the lock that orders the commits
 * - `place-before-effect`: a handler is done with an event before it has done anything
 * - `write-outside-of-the-transaction`: a projection writes on a connection of its own, after its place is committed
 * - `no-fence`: whoever held a checkpoint once may write it
 * - `place-is-forgotten`: a handler that starts again begins with what comes next
 */
export type Plant =
  | 'acknowledge-before-commit'
  | 'position-from-a-sequence'
  | 'place-before-effect'
  | 'write-outside-of-the-transaction'
  | 'no-fence'
  | 'place-is-forgotten'

export interface WriterConfiguration {
  /** The same for all lives of a writer: it goes on where the life before was. */
  readonly name: string
  /** So many commands are under way at a time. */
  readonly lanes: number
  /** So many commands a life, after which it sends a few only. */
  readonly commands: number
  /** What the lives before wrote. */
  readonly earlier: readonly string[]
}

/** What a node of the fault specs is told when it is started. */
export interface NodeConfiguration {
  /** Unique for each process. */
  readonly node: string
  readonly store: StoreConfiguration
  readonly writer?: WriterConfiguration
  /** Runs the handler, which writes its effects into this file. */
  readonly handled?: string
  /** Runs the projection. */
  readonly projects?: boolean
  readonly plants: readonly Plant[]
  /** Milliseconds. */
  readonly lease: number
  /** Whether PostgreSQL is given up soon where it does not answer; a machine that is busy may then refuse what is well. */
  readonly impatient?: boolean
  /** No file that it writes may become larger than so many blocks, of 512 or 1,024 bytes. */
  readonly fileLimit?: number
}
