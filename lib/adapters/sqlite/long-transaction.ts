import { asyncScope } from '../../effects/async-scope.ts'
import type { MaybePromise } from '../../effects/maybe-promise.ts'
import { StoreError, type EdictError } from '../../errors.ts'
import type { Database } from './driver.ts'
import { storeFailure } from './failure.ts'
import type { Transactions } from './transactions.ts'
import type { LongTransaction } from './write-lane.ts'

/** Which transaction the current work belongs to, through all that it awaits. */
const scope = asyncScope<object>()

export interface TransactionHome {
  readonly path: string
  readonly writing: Database
  readonly transactions: Transactions
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

  async run(): Promise<void> {
    const { transactions, path, rolledBack, committed } = this.#home
    let result: Result
    try {
      result = await this.#runWork()
    } catch (thrown) {
      transactions.rollback()
      rolledBack()
      this.#reject(thrown)
      return
    }
    try {
      if (!transactions.isOpen) throw this.#endedWithin()
      transactions.commit()
    } catch (thrown) {
      const outcome = transactions.outcomeOfFailedCommit(thrown, transactions.rollback())
      rolledBack()
      this.#reject(storeFailure(path, thrown, outcome))
      return
    }
    this.#resolve(result)
    committed()
  }

  #runWork(): MaybePromise<Result> {
    const work = () => this.#work(this.#home.writing)
    return scope === undefined ? work() : scope.run(this, work)
  }

  #endedWithin(): StoreError {
    return new StoreError('the work ended the transaction that it was given: leave commit and rollback to the store', {
      outcome: 'unknown',
    })
  }
}
