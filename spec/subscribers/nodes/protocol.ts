/** How a node is started: its one argument, as JSON. */
export interface NodeOptions {
  /** The path of a SQLite file, or a PostgreSQL connection string. */
  readonly store: string
  readonly concurrency?: number
  /** Milliseconds that the handler takes for an event. */
  readonly delay?: number
  readonly lease: number
  readonly claimInterval: number
}

/** What a node is told to do, by a line of its input. */
export type NodeOrder =
  | {
      readonly dispatch: {
        readonly number: number
        readonly id: string
        readonly by: number
        readonly consistencyTimeout: number
      }
    }
  | { readonly stop: true }

export interface Handled {
  readonly position: number
  readonly streamId: string
  readonly by: number
}

export interface Dispatched {
  readonly number: number
  readonly failure?: string
  readonly laggards?: readonly string[]
}

/** What a node tells, by a line of its output. */
export type NodeReport =
  | { readonly started: true }
  | { readonly stopped: true }
  | { readonly handled: Handled }
  | { readonly dispatched: Dispatched }
  /** Milliseconds for which the whole process did nothing. */
  | { readonly stoodStill: number }
