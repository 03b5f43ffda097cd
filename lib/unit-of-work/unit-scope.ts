import { UnitOfWorkMisuseError } from '../errors.ts'
import type { Repository } from './repository.ts'
import type { AfterCommit, UnitRun } from './unit-run.ts'

/** A unit of work in the hands of code that runs in it. */
export interface UnitOfWorkScope {
  /** Whether it has begun, and has not ended. */
  readonly inProgress: boolean
  readonly repository: Repository
  /**
   * Has something done once, after the commit; never where there is none. It is waited for before the answer; where it fails, that is
   * logged, and what was stored stays stored.
   *
   * @example
   * await unitOfWork(bank, (unit) => unit.afterCommit(({ position }) => console.log(position)))
   */
  afterCommit(hook: AfterCommit): void
  /** Ends it, with nothing stored. Of a unit within another one: that one stores nothing either, and its commit fails. */
  rollback(): void
}

/** The body of a scope: the unit itself, or one that has joined it. */
export class UnitScope implements UnitOfWorkScope {
  readonly #run: UnitRun
  readonly #joined: boolean
  #over = false

  constructor(run: UnitRun, joined = false) {
    this.#run = run
    this.#joined = joined
    if (joined) run.unit.joined()
  }

  get inProgress(): boolean {
    return !this.#over && this.#run.inProgress
  }

  get repository(): Repository {
    // The body knows nothing of the user's types; the face is worked out from the aggregates that it is given.
    return this.#run.repository as unknown as Repository
  }

  afterCommit(hook: AfterCommit): void {
    this.#mustGoOn()
    this.#run.afterCommit(hook)
  }

  rollback(): void {
    this.#mustGoOn()
    this.leave()
    if (this.#joined) this.#run.unit.breakBy(new UnitOfWorkMisuseError('rollback() was called in a unit within it'))
    else this.#run.rollBack()
  }

  /** Its own part is done; what it has joined goes on. */
  leave(): void {
    if (this.#joined && !this.#over) this.#run.unit.left()
    this.#over = true
  }

  #mustGoOn(): void {
    if (!this.inProgress) throw new UnitOfWorkMisuseError('the unit of work has ended')
  }
}
