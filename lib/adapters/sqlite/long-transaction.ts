import { asyncScope } from '../../effects/async-scope.ts'
import { isPromiseLike, type MaybePromise } from '../../effects/maybe-promise.ts'
import { StoreError, type EdictError } from '../../errors.ts'
import type { Database } from './driver.ts'
import { storeFailure } from './failure.ts'
import type { LongTransaction } from './write-lane.ts'
import type { Writer } from './writer.ts'

/** Which transaction the current work belongs to, through all that it awaits. */
const scope = asyncScope<object>()

export interface TransactionHome {
  readonly path: string
  readonly writer: Writer
  /** Milliseconds that the work may take. */
  readonly timeout: number
  /** Called when nothing of the transaction is left. */
  readonly rolledBack: () => void
  readonly committed: () => void
}

/** Somebody's work in a transaction of its own, which may wait for whatever it likes but for another write to the same store. */
export class OwnTransaction<Result> implements LongTransaction {
  waitingSince?: number
  readonly answer: Promise<Result>
  readonly #home: TransactionHome
  readonly #work: (tx: Database) => MaybePromise<Result>
  #resolve!: (result: Result) => void
  #reject!: (error: unknown) => void
  #abandonedBy: StoreError | undefined
  /** Whether the work was begun, and has not come to its end. */
  #isLeftBehind = false
  #leaveBehind: ((error: StoreError) => void) | undefined

  constructor(home: TransactionHome, work: (tx: Database) => MaybePromise<Result>) {
    this.#home = home
    this.#work = work
    this.answer = new Promise<Result>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Whether the code that asks is part of the work, and would wait for itself. */
  get isCaller(): boolean {
    return scope?.current() === this
  }

  failed(error: EdictError): void {
    this.#reject(error)
  }

  /** Rolls back without the end of the work, which can write no more. Nothing where that is done. */
  abandon(error: StoreError): void {
    this.#abandonedBy ??= error
    this.#leaveBehind?.(error)
  }

  async run(): Promise<void> {
    const { writer, path, rolledBack, committed } = this.#home
    let result: Result
    try {
      if (this.#abandonedBy !== undefined) throw this.#abandonedBy
      result = await this.#runWork()
    } catch (thrown) {
      if (this.#isLeftBehind) writer.abandon()
      else writer.rollback()
      rolledBack()
      this.#reject(thrown)
      return
    }
    try {
      if (!writer.isOpen) throw this.#endedWithin()
      writer.commit()
    } catch (thrown) {
      const outcome = writer.outcomeOfFailedCommit(thrown, writer.rollback())
      rolledBack()
      this.#reject(storeFailure(path, thrown, outcome))
      return
    }
    this.#resolve(result)
    committed()
  }

  #runWork(): MaybePromise<Result> {
    const work = () => this.#work(this.#home.writer.database)
    const result = scope === undefined ? work() : scope.run(this, work)
    return isPromiseLike(result) ? this.#bounded(result) : result
  }

  #bounded(result: PromiseLike<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.abandon(this.#tookTooLong())
      }, this.#home.timeout)
      const ended = () => {
        clearTimeout(timer)
        this.#leaveBehind = undefined
      }
      this.#leaveBehind = (error) => {
        ended()
        this.#isLeftBehind = true
        reject(error)
      }
      const settled =
        <Value>(settle: (value: Value) => void) =>
        (value: Value) => {
          ended()
          settle(value)
        }
      result.then(settled(resolve), settled(reject))
    })
  }

  #tookTooLong(): StoreError {
    const { path, timeout } = this.#home
    return new StoreError(
      `a transaction on the sqlite event store ${path} took longer than transactionTimeout (${timeout} ms), and was rolled back, as ` +
        'nobody else can write meanwhile: wait in it for nothing that may not come',
    )
  }

  #endedWithin(): StoreError {
    return new StoreError('the work ended the transaction that it was given: leave commit and rollback to the store', {
      outcome: 'unknown',
    })
  }
}
