import type { Outcome } from '../../errors.ts'
import { Appender } from './appender.ts'
import { Checkpoints } from './checkpoints.ts'
import { CommandClaims } from './command-claims.ts'
import { CommandQueue } from './command-queue.ts'
import type { Connections, OpenedConnections } from './connections.ts'
import type { Database } from './driver.ts'
import { Snapshots } from './snapshots.ts'
import { Streams } from './streams.ts'
import { Transactions } from './transactions.ts'

/** What is prepared on one connection that writes. */
interface Prepared {
  readonly transactions: Transactions
  readonly appender: Appender
  readonly streams: Streams
  readonly snapshots: Snapshots
  readonly checkpoints: Checkpoints
  readonly commandQueue: CommandQueue
  readonly commandClaims: CommandClaims
}

/**
 * The connection that writes. Where a transaction is abandoned it is closed, since whoever was left behind may still hold it, and the
 * next transaction has another one.
 */
export class Writer {
  readonly #reading: Database
  readonly #connectAgain: () => Database
  #database: Database
  #prepared: Prepared
  #isAbandoned = false

  constructor({ writing, reading, connectAgain }: OpenedConnections) {
    this.#reading = reading
    this.#connectAgain = connectAgain
    this.#database = writing
    this.#prepared = prepared({ writing, reading })
  }

  get database(): Database {
    return this.#database
  }

  get appender(): Appender {
    return this.#prepared.appender
  }

  get streams(): Streams {
    return this.#prepared.streams
  }

  get snapshots(): Snapshots {
    return this.#prepared.snapshots
  }

  get checkpoints(): Checkpoints {
    return this.#prepared.checkpoints
  }

  get commandQueue(): CommandQueue {
    return this.#prepared.commandQueue
  }

  get commandClaims(): CommandClaims {
    return this.#prepared.commandClaims
  }

  begin(): void {
    if (this.#isAbandoned) this.#reconnect()
    this.#prepared.transactions.begin()
  }

  commit(): void {
    this.#prepared.transactions.commit()
  }

  /** @returns whether nothing of the transaction is left */
  rollback(): boolean {
    return this.#prepared.transactions.rollback()
  }

  get isOpen(): boolean {
    return this.#prepared.transactions.isOpen
  }

  outcomeOfFailedCommit(thrown: unknown, rolledBack: boolean): Outcome {
    return this.#prepared.transactions.outcomeOfFailedCommit(thrown, rolledBack)
  }

  /** Rolls back, and leaves the connection and all that was prepared on it to nobody. */
  abandon(): void {
    this.#isAbandoned = true
    this.rollback()
    try {
      this.#database.close()
    } catch {
      // Somebody has not read all that a query of theirs gives. They may go on to read, but not to write.
      this.#database.unsafeMode(true)
      this.#database.pragma('query_only = ON')
    }
  }

  #reconnect(): void {
    const writing = this.#connectAgain()
    try {
      this.#prepared = prepared({ writing, reading: this.#reading })
    } catch (thrown) {
      writing.close()
      throw thrown
    }
    this.#database = writing
    this.#isAbandoned = false
  }
}

function prepared(connections: Connections): Prepared {
  const { writing } = connections
  const commandQueue = new CommandQueue(writing)
  return {
    transactions: new Transactions(writing),
    appender: new Appender(writing),
    streams: new Streams(connections),
    snapshots: new Snapshots(connections),
    checkpoints: new Checkpoints(connections),
    commandQueue,
    commandClaims: new CommandClaims(writing, commandQueue),
  }
}
