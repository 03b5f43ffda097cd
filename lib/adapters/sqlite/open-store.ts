import type { MaybePromise } from '../../effects/maybe-promise.ts'
import { StoreError } from '../../errors.ts'
import type { AppendOptions, StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import { AppendJob } from './append-job.ts'
import { Appender } from './appender.ts'
import { Checkpoints } from './checkpoints.ts'
import { closeConnections, type Connections } from './connections.ts'
import type { Database } from './driver.ts'
import { EventReader } from './event-reader.ts'
import { OwnTransaction } from './long-transaction.ts'
import type { CheckedOptions } from './options.ts'
import { Snapshots } from './snapshots.ts'
import { Streams } from './streams.ts'
import { Transactions } from './transactions.ts'
import { Watchers } from './watchers.ts'
import { PromisedJob } from './write-job.ts'
import { WriteLane } from './write-lane.ts'

/** A file while it is open: its connections, what is prepared on them, and the lane that all writes take. */
export class OpenStore {
  readonly reader: EventReader
  readonly streams: Streams
  readonly snapshots: Snapshots
  readonly checkpoints: Checkpoints
  readonly watchers: Watchers
  readonly #path: string
  readonly #options: CheckedOptions
  readonly #connections: Connections
  readonly #transactions: Transactions
  readonly #appender: Appender
  readonly #lane: WriteLane
  /** Transactions of somebody's own that are not over yet. */
  readonly #ownTransactions = new Set<{ readonly isCaller: boolean }>()

  constructor(path: string, options: CheckedOptions, connections: Connections) {
    this.#path = path
    this.#options = options
    this.#connections = connections
    this.reader = new EventReader(connections.reading)
    this.streams = new Streams(connections)
    this.snapshots = new Snapshots(connections)
    this.checkpoints = new Checkpoints(connections)
    this.watchers = new Watchers(connections, () => this.reader.head())
    this.#transactions = new Transactions(connections.writing)
    this.#appender = new Appender(connections.writing)
    this.#lane = new WriteLane(path, options.busyTimeout, this.#transactions, {
      began: () => {
        this.#appender.begin()
      },
      committed: this.#committed,
      rolledBack: this.#rolledBack,
    })
  }

  append(streams: readonly StreamAppend[], options: AppendOptions | undefined): Promise<readonly StreamAppendResult[]> {
    this.#mayWrite()
    if (this.#isWithinTransaction()) throw waitsForItself()
    const job = new AppendJob(this.#appender, streams, options)
    this.#lane.add(job)
    return job.answer
  }

  /** Work of a few rows, which is committed together with what else there is to write. */
  write<Result>(work: () => Result): Promise<Result> {
    this.#mayWrite()
    const job = new PromisedJob(1, work)
    this.#lane.add(job)
    if (this.#isWithinTransaction()) this.#boundWait(job)
    return job.answer
  }

  /** Begun within a transaction, it comes after that one: who waits for it there would wait for ever. */
  #boundWait<Result>(job: PromisedJob<Result>): void {
    const timer = setTimeout(() => {
      job.giveUp(waitsForItself())
    }, this.#options.busyTimeout)
    const done = () => {
      clearTimeout(timer)
    }
    job.answer.then(done, done)
  }

  /** As `write`, for what changes streams as a whole. */
  changeStream<Result>(work: () => Result): Promise<Result> {
    return this.write(() => {
      const result = work()
      this.#appender.forget()
      return result
    })
  }

  transaction<Result>(work: (tx: Database) => MaybePromise<Result>): Promise<Result> {
    this.#mayWrite()
    if (this.#isWithinTransaction()) throw waitsForItself()
    const home = {
      path: this.#path,
      writing: this.#connections.writing,
      transactions: this.#transactions,
      rolledBack: this.#rolledBack,
      committed: this.#committed,
    }
    const transaction = new OwnTransaction(home, work)
    this.#ownTransactions.add(transaction)
    this.#lane.addLong(transaction)
    return transaction.answer.finally(() => this.#ownTransactions.delete(transaction))
  }

  /** Finishes what was begun, and closes the file. */
  async close(): Promise<void> {
    await this.#lane.idle()
    this.watchers.end()
    closeConnections(this.#connections, this.#options.readOnly)
  }

  #mayWrite(): void {
    if (this.#options.readOnly) {
      throw new StoreError(`the sqlite event store ${this.#path} was opened with readOnly, and writes nothing`)
    }
  }

  #isWithinTransaction(): boolean {
    if (this.#ownTransactions.size === 0) return false
    for (const transaction of this.#ownTransactions) if (transaction.isCaller) return true
    return false
  }

  readonly #committed = (): void => {
    try {
      this.watchers.tell(this.#appender.head)
    } catch {
      // The head cannot be read now. What was committed stays so, and the watchers look for themselves soon.
    }
  }

  readonly #rolledBack = (): void => {
    this.#appender.forget()
  }
}

function waitsForItself(): StoreError {
  return new StoreError(
    'a write to the event store from within a transaction on it would wait for itself: write when the transaction is done',
  )
}
