import type { EdictError } from '../../errors.ts'

/** What waits for its turn to write. */
export interface Waiting {
  /** Since when, in milliseconds, others have kept it from the file. */
  waitingSince?: number
  failed(error: EdictError): void
}

/** Something to be done on the writing connection, in a transaction that it may share with others. */
export interface WriteJob extends Waiting {
  /** About how many rows it writes. */
  readonly weight: number
  /** Shares its transaction with nobody: the one that it shared failed, and others are not to fail with it. */
  alone?: boolean
  /** Within a transaction. May be called again, where that is rolled back. */
  run(): void
  /** What it did is on disk: it may answer. */
  committed(): void
}

/** A job that answers by a promise. */
export class PromisedJob<Result> implements WriteJob {
  readonly weight: number
  readonly answer: Promise<Result>
  alone?: boolean
  waitingSince?: number
  readonly #work: () => Result
  #result: Result | undefined
  #givenUp = false
  #resolve!: (result: Result) => void
  #reject!: (error: EdictError) => void

  constructor(weight: number, work: () => Result) {
    this.weight = weight
    this.#work = work
    this.answer = new Promise<Result>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  run(): void {
    if (!this.#givenUp) this.#result = this.#work()
  }

  /** Nobody waits for it any more: it is not to be done. Nothing where it is done already. */
  giveUp(error: EdictError): void {
    this.#givenUp = true
    this.#reject(error)
  }

  committed(): void {
    // A job is committed only after it ran.
    this.#resolve(this.#result as Result)
  }

  failed(error: EdictError): void {
    this.#reject(error)
  }
}
