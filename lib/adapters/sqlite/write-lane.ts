import { nextTick } from 'node:process'
import { Fairness } from '../../effects/fairness.ts'
import type { EdictError, Outcome } from '../../errors.ts'
import { busyDelay } from './connections.ts'
import { isBusy, storeFailure } from './failure.ts'
import type { Waiting, WriteJob } from './write-job.ts'
import type { Writer } from './writer.ts'

/** The bounds of one transaction, so that the event loop turns: rows, and milliseconds of work. */
const MOST_ROWS = 1_000
const LONGEST_WORK_MS = 10
/** The clock is read once for so many jobs. */
const CLOCK_EVERY = 16

/** Work that has a transaction of its own, and may wait within it. */
export interface LongTransaction extends Waiting {
  /** Called when the transaction has begun. The lane goes on when this is settled: it never rejects. */
  run(): Promise<void>
}

/** What the lane tells of its transactions. */
export interface LaneListener {
  began(): void
  committed(): void
  rolledBack(): void
}

/**
 * The one way to write. What comes while the current turn's work goes on is committed together, so that a commit (most of what
 * an append costs) is shared by all who wait for one. Nobody is answered before the commit.
 */
export class WriteLane {
  readonly #path: string
  readonly #busyTimeout: number
  readonly #writer: Writer
  readonly #listener: LaneListener
  readonly #fairness = new Fairness()
  readonly #jobs: WriteJob[] = []
  readonly #long: LongTransaction[] = []
  #scheduled = false
  #longRuns = false
  #jobsNext = false
  #busyTimes = 0
  #onceIdle: (() => void)[] = []

  constructor(path: string, busyTimeout: number, writer: Writer, listener: LaneListener) {
    this.#path = path
    this.#busyTimeout = busyTimeout
    this.#writer = writer
    this.#listener = listener
  }

  add(job: WriteJob): void {
    this.#jobs.push(job)
    this.#schedule()
  }

  addLong(transaction: LongTransaction): void {
    this.#long.push(transaction)
    this.#schedule()
  }

  /** Settles when all that was added is done. */
  async idle(): Promise<void> {
    while (this.#scheduled || this.#longRuns) await new Promise<void>((resolve) => void this.#onceIdle.push(resolve))
  }

  #schedule(): void {
    if (this.#scheduled || this.#longRuns) return
    if (this.#jobs.length === 0 && this.#long.length === 0) {
      const waiting = this.#onceIdle
      this.#onceIdle = []
      for (const resolve of waiting) resolve()
      return
    }
    this.#scheduled = true
    if (this.#fairness.turnDue()) void this.#fairness.turn().then(this.#work)
    else queueMicrotask(this.#afterMicrotasks)
  }

  /** A tick comes when all microtasks are done: whoever appends in answer to the commit before is in the next one. */
  readonly #afterMicrotasks = (): void => {
    nextTick(this.#work)
  }

  readonly #work = (): void => {
    this.#scheduled = false
    const long = this.#jobs.length > 0 && this.#jobsNext ? undefined : this.#long[0]
    // Turn by turn: neither kind of work keeps the other waiting for more than one transaction.
    this.#jobsNext = long !== undefined
    if (long !== undefined) this.#startLong(long)
    else this.#commitJobs()
    this.#schedule()
  }

  /** @returns whether the transaction has begun; where it has not, those who wait for it keep waiting or have failed */
  #begin(waiting: Waiting[]): boolean {
    try {
      this.#writer.begin()
      this.#listener.began()
      this.#busyTimes = 0
      return true
    } catch (thrown) {
      this.#rollBack()
      if (isBusy(thrown)) this.#tryLater(waiting, thrown)
      else for (const one of waiting.splice(0)) one.failed(this.#failure(thrown))
      return false
    }
  }

  /** Others write: tries again soon, without holding this thread, for those who have not waited too long. */
  #tryLater(waiting: Waiting[], thrown: unknown): void {
    const now = Date.now()
    for (const one of waiting.splice(0)) {
      one.waitingSince ??= now
      if (now - one.waitingSince < this.#busyTimeout) waiting.push(one)
      else one.failed(this.#failure(thrown))
    }
    if (waiting.length === 0) return
    this.#scheduled = true
    setTimeout(this.#work, busyDelay(++this.#busyTimes))
  }

  #startLong(long: LongTransaction): void {
    if (!this.#begin(this.#long)) return
    this.#long.shift()
    this.#longRuns = true
    void long.run().then(() => {
      this.#longRuns = false
      this.#schedule()
    })
  }

  #commitJobs(): void {
    const jobs = this.#jobs
    if (!this.#begin(jobs)) return
    let count = 0
    try {
      for (const goesOn = this.#batchBound(); goesOn(count); count++) (jobs[count] as WriteJob).run()
    } catch (thrown) {
      const outcome = this.#rollBack() ? 'not-executed' : 'unknown'
      this.#broke(jobs.splice(0, count + 1), thrown, outcome)
      return
    }
    try {
      this.#writer.commit()
    } catch (thrown) {
      const outcome = this.#writer.outcomeOfFailedCommit(thrown, this.#rollBack())
      this.#broke(jobs.splice(0, count), thrown, outcome)
      return
    }
    for (const job of jobs.splice(0, count)) job.committed()
    this.#listener.committed()
  }

  /** Whether the next job, too, belongs to the transaction. */
  #batchBound(): (count: number) => boolean {
    const jobs = this.#jobs
    const start = Date.now()
    let rows = 0
    return (count) => {
      const next = jobs[count]
      if (next === undefined) return false
      if (count > 0) {
        rows += (jobs[count - 1] as WriteJob).weight
        if (next.alone === true || jobs[0]?.alone === true || rows >= MOST_ROWS) return false
        if (count % CLOCK_EVERY === 0 && Date.now() - start >= LONGEST_WORK_MS) return false
      }
      return true
    }
  }

  /** Of several jobs, the fault may be that of one: each is tried again by itself, if nothing of them is stored. */
  #broke(batch: readonly WriteJob[], thrown: unknown, outcome: Outcome): void {
    if (batch.length > 1 && outcome === 'not-executed') {
      for (const job of batch) job.alone = true
      this.#jobs.unshift(...batch)
    } else {
      for (const job of batch) job.failed(this.#failure(thrown, outcome))
    }
  }

  #rollBack(): boolean {
    const rolledBack = this.#writer.rollback()
    this.#listener.rolledBack()
    return rolledBack
  }

  #failure(thrown: unknown, outcome?: Outcome): EdictError {
    return storeFailure(this.#path, thrown, outcome)
  }
}
