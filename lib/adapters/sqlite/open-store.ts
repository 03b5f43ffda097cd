import type { MaybePromise } from '../../effects/maybe-promise.ts'
import { InvalidOptionError, StoreError } from '../../errors.ts'
import type { AppendOptions, StreamAppend, StreamAppendResult } from '../../event-store/event-store.ts'
import type { StoreDiagnosis } from '../../event-store/store-diagnosis.ts'
import { AppendJob } from './append-job.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { CommandClaims } from './command-claims.ts'
import type { CommandQueue } from './command-queue.ts'
import { CommandReader } from './command-reader.ts'
import { closeConnections, type OpenedConnections } from './connections.ts'
import { diagnosis } from './diagnosis.ts'
import type { Database } from './driver.ts'
import { EventReader } from './event-reader.ts'
import { OwnTransaction } from './long-transaction.ts'
import type { CheckedOptions } from './options.ts'
import { SameFile } from './same-file.ts'
import type { Snapshots } from './snapshots.ts'
import type { Streams } from './streams.ts'
import { Watchers } from './watchers.ts'
import { PromisedJob } from './write-job.ts'
import { WriteLane } from './write-lane.ts'
import { Writer } from './writer.ts'

/** Milliseconds that a close waits for transactions of somebody's own, before it ends them. */
const CLOSE_PATIENCE_MS = 5_000

/** A file while it is open: its connections, what is prepared on them, and the lane that all writes take. */
export class OpenStore {
  readonly reader: EventReader
  readonly commandReader: CommandReader
  readonly watchers: Watchers
  readonly #path: string
  readonly #options: CheckedOptions
  readonly #reading: Database
  readonly #writer: Writer
  readonly #lane: WriteLane
  /** In the transaction that is under way, or in one before that was rolled back. */
  #commandsChanged = false
  /** Transactions of somebody's own that are not over yet. */
  readonly #ownTransactions = new Set<Pick<OwnTransaction<unknown>, 'isCaller' | 'abandon'>>()

  constructor(path: string, options: CheckedOptions, connections: OpenedConnections) {
    this.#path = path
    this.#options = options
    this.#reading = connections.reading
    this.reader = new EventReader(connections.reading)
    this.commandReader = new CommandReader(connections.reading)
    this.watchers = new Watchers(connections, () => this.reader.head())
    this.#writer = new Writer(connections)
    const file = new SameFile(path)
    this.#lane = new WriteLane(path, options.busyTimeout, this.#writer, {
      began: () => {
        file.check()
        this.#writer.appender.begin()
      },
      committed: this.#committed,
      rolledBack: this.#rolledBack,
    })
  }

  diagnose(): StoreDiagnosis {
    return diagnosis(this.#reading, this.#path, this.#options)
  }

  get streams(): Streams {
    return this.#writer.streams
  }

  get snapshots(): Snapshots {
    return this.#writer.snapshots
  }

  get checkpoints(): Checkpoints {
    return this.#writer.checkpoints
  }

  get commandQueue(): CommandQueue {
    return this.#writer.commandQueue
  }

  get commandClaims(): CommandClaims {
    return this.#writer.commandClaims
  }

  /** The checkpoints as a transaction has them in hand: one that was abandoned must not move them within the next. */
  checkpointsIn(tx: Database): Checkpoints {
    if (tx === this.#writer.database) return this.#writer.checkpoints
    throw new StoreError(
      `the transaction on the sqlite event store ${this.#path} was abandoned: nothing can be written in it any more`,
    )
  }

  append(streams: readonly StreamAppend[], options: AppendOptions | undefined): Promise<readonly StreamAppendResult[]> {
    this.#mayWrite()
    if (this.#isWithinTransaction()) throw waitsForItself()
    const job = new AppendJob(this.#writer, streams, options)
    this.#lane.add(job)
    return job.answer
  }

  /** Work of about so many rows, which is committed together with what else there is to write. */
  write<Result>(work: () => Result, weight = 1): Promise<Result> {
    this.#mayWrite()
    const job = new PromisedJob(weight, work)
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

  /** As `write`, for what those who watch commands are told of. */
  writeCommands<Result>(weight: number, work: (queue: CommandQueue) => Result): Promise<Result> {
    return this.write(() => {
      this.#commandsChanged = true
      return work(this.#writer.commandQueue)
    }, weight)
  }

  /** As `write`, for what changes streams as a whole. */
  changeStream<Result>(work: () => Result): Promise<Result> {
    return this.write(() => {
      const result = work()
      this.#writer.appender.forget()
      return result
    })
  }

  transaction<Result>(work: (tx: Database) => MaybePromise<Result>): Promise<Result> {
    if (this.#options.readOnly) {
      throw new InvalidOptionError(
        `the sqlite event store ${this.#path} was opened with readOnly, and projections write to it: ` +
          'open it without readOnly, or leave them out',
      )
    }
    if (this.#isWithinTransaction()) throw waitsForItself()
    const home = {
      path: this.#path,
      writer: this.#writer,
      timeout: this.#options.transactionTimeout,
      rolledBack: this.#rolledBack,
      committed: this.#committed,
    }
    const transaction = new OwnTransaction(home, work)
    this.#ownTransactions.add(transaction)
    this.#lane.addLong(transaction)
    return transaction.answer.finally(() => this.#ownTransactions.delete(transaction))
  }

  /** Finishes what was begun, and closes the file. Transactions of somebody's own are waited for so long only. */
  async close(): Promise<void> {
    const timer = setTimeout(() => {
      for (const transaction of this.#ownTransactions) transaction.abandon(this.#isClosed())
    }, CLOSE_PATIENCE_MS)
    await this.#lane.idle()
    clearTimeout(timer)
    this.watchers.end()
    closeConnections({ writing: this.#writer.database, reading: this.#reading }, this.#options.readOnly)
  }

  #isClosed(): StoreError {
    return new StoreError(
      `a transaction on the sqlite event store ${this.#path} did not end within ${CLOSE_PATIENCE_MS} ms of the store's close, and was ` +
        'rolled back',
    )
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
      this.watchers.tell(this.#writer.appender.head)
    } catch {
      // The head cannot be read now. What was committed stays so, and the watchers look for themselves soon.
    }
    if (!this.#commandsChanged) return
    this.#commandsChanged = false
    this.watchers.tellOfCommands()
  }

  readonly #rolledBack = (): void => {
    this.#writer.appender.forget()
  }
}

function waitsForItself(): StoreError {
  return new StoreError(
    'a write to the event store from within a transaction on it would wait for itself: write when the transaction is done',
  )
}
