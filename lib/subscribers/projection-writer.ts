import type { Fairness } from '../effects/fairness.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { InvalidOptionError, NotRunningError, SubscriptionOwnedError } from '../errors.ts'
import type { Checkpoint } from '../event-store/checkpoint.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { isBefore, type ReachedPlace } from '../event-store/reached-place.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { ProjectionQueue, isHandledAt } from './projection-queue.ts'
import { ProjectionRecovery, type ProjectionRecoveryOptions } from './projection-recovery.ts'
import { ProjectionTables, type ProjectionTablesOptions } from './projection-tables.ts'

export interface ProjectionWriterOptions extends ProjectionTablesOptions, ProjectionRecoveryOptions {
  readonly store: Pick<EventStore, 'saveCheckpoint'>
  readonly fairness: Fairness
  /** Everything up to this position is committed. */
  readonly committed: (position: number) => void
  /** All that was read is committed. */
  readonly idle: () => void
  /** Another owner has taken the checkpoint, or it is gone. */
  readonly fenced: () => void
  /** An event could not be projected, and the policy says that this is the end; without an event, the store is closed. */
  readonly failed: (error: unknown, recorded: RecordedEvent | undefined) => void
}

/** How long one transaction goes on taking events, in milliseconds: appends to the store may be waiting for it. */
const LONGEST_BATCH_MS = 100

/** What one transaction has done, also where it fails. */
class Attempt {
  /** How many of its events have been through, or had been before. */
  passed = 0
  /** Whether the projection was given anything: what fails before is the store's business. */
  given = false
  /** Whether what it came to was about to be written down: what fails then is no event's fault. */
  saving = false
  /** Whether all work was done, so that only the commit can have failed. */
  done = false
}

/**
 * Writes events into the tables of one generation: as many as there are, up to a bound, in one transaction with the checkpoint. What
 * fails goes on event by event, until the one that cannot be projected meets the policy by itself.
 */
export class ProjectionWriter {
  /** What it writes to. */
  readonly tables: ProjectionTables
  readonly #options: ProjectionWriterOptions
  readonly #queue: ProjectionQueue
  readonly #abort = new AbortController()
  readonly #recovery: ProjectionRecovery
  /** Everything up to here is in the tables, or is of no interest; the checkpoint may lag behind where no event is in between. */
  #committed: ReachedPlace
  /** What the checkpoint says. */
  #stored: ReachedPlace
  #working = false
  #stopped = false
  readonly #waitingForRoom: ((room: boolean) => void)[] = []
  readonly #onceIdle: (() => void)[] = []

  constructor(options: ProjectionWriterOptions) {
    this.#options = options
    this.tables = new ProjectionTables(options, this.#abort.signal)
    this.#queue = new ProjectionQueue(options.claim.position)
    this.#recovery = new ProjectionRecovery(options)
    this.#committed = this.#stored = options.claim
  }

  get queue(): ProjectionQueue {
    return this.#queue
  }

  /** Every event up to here is committed, or of no interest. */
  get position(): number {
    return this.#committed.position
  }

  /** Takes an event; later, where there is no room. False where it is stopped. */
  add(event: RecordedEvent): MaybePromise<boolean> {
    if (this.#stopped) return false
    if (this.#queue.length < this.#options.model.batchSize) return this.#take(event)
    this.#wake()
    return new Promise<boolean>((resolve) => void this.#waitingForRoom.push(resolve)).then(
      (room) => room && this.#take(event),
    )
  }

  #take(event: RecordedEvent): boolean {
    if (this.#stopped) return false
    this.#queue.add(event)
    this.#wake()
    return true
  }

  /** Everything up to a position was given to `add`, or is of no interest. */
  progressed(position: number): void {
    this.#queue.progressed(position)
    if (!this.#working) this.#rest()
  }

  /**
   * For a subscription that writes down how far it is: written where everything up to there is committed, else left to the writer.
   * False where the claim no longer holds.
   */
  savePlace(checkpoint: Checkpoint): MaybePromise<boolean> {
    if (this.#queue.length > 0 || this.#working || !isBefore(this.#stored, checkpoint)) return true
    return this.exclusively(async () => {
      const saved = await this.#options.store.saveCheckpoint(checkpoint)
      if (saved) this.#stored = checkpoint
      return saved
    })
  }

  /** Does something between two transactions, while none is under way. */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    while (this.#working) await new Promise<void>((resolve) => void this.#onceIdle.push(resolve))
    this.#working = true
    try {
      return await work()
    } finally {
      this.#working = false
      this.#rest()
      this.#wake()
    }
  }

  /** After the transaction that is under way; what is not committed then is dropped. */
  async stop(): Promise<void> {
    this.end()
    while (this.#working) await new Promise<void>((resolve) => void this.#onceIdle.push(resolve))
  }

  /** Begins nothing any more. */
  end(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#abort.abort(new NotRunningError(`the projection ${this.#options.model.name} is stopped`))
    this.#recovery.end()
    for (const resolve of this.#waitingForRoom.splice(0)) resolve(false)
  }

  #wake(): void {
    if (this.#working || this.#stopped || this.#queue.length === 0) return
    this.#working = true
    // Later in this turn, so that events that come together are written together.
    queueMicrotask(() => void this.#work())
  }

  /** Nothing is under way. */
  #rest(): void {
    if (this.#queue.length === 0) this.#advance({ position: this.#queue.readPosition, index: 0 })
    for (const resolve of this.#onceIdle.splice(0)) resolve()
    this.#finishList()
  }

  /**
   * A checkpoint that stands within the events that were made of a stored one, of which there turned out to be no more: others would
   * wait for it to reach that one's position.
   */
  #finishList(): void {
    const { position, index } = this.#committed
    if (this.#stopped || this.#stored.index === 0 || index > 0 || position <= this.#stored.position) return
    const { generation, claim, fenced, logger } = this.#options
    const saved = this.savePlace({ name: generation.checkpoint, epoch: claim.epoch, position, index })
    Promise.resolve(saved).then(
      (holds) => {
        if (!holds) fenced()
      },
      (error: unknown) => {
        logger.warn({ projection: generation.name, error }, `the place of ${generation.name} cannot be written`)
      },
    )
  }

  async #work(): Promise<void> {
    while (!this.#stopped && this.#queue.length > 0) {
      const attempt = new Attempt()
      const events = this.#queue.first(this.#recovery.goesSingly ? 1 : this.#options.model.batchSize)
      try {
        const { passed, place } = await this.#transaction(events, attempt)
        this.wrote(passed, place)
      } catch (error) {
        await this.#recover(error, events, attempt)
      }
    }
    this.#working = false
    this.#rest()
    if (!this.#stopped && this.#queue.length === 0) this.#options.idle()
  }

  #transaction(events: readonly RecordedEvent[], attempt: Attempt): MaybePromise<Written> {
    const { projections, telemetry, generation } = this.#options
    const work = () => projections.transaction((tx) => this.#write(tx, events, attempt))
    if (telemetry?.watched.project !== true) return work()
    const info = { projection: generation.name, generation: generation.generation, events }
    return telemetry.around('project', info, work, written)
  }

  /** One transaction's work. */
  async #write(tx: unknown, events: readonly RecordedEvent[], attempt: Attempt): Promise<Written> {
    const { tables } = this
    const held = await tables.lock(tx)
    const { clock, fairness, generation } = this.#options
    // A database that crashed may have forgotten what it had not brought to disk yet, tables and place together. To go on from here
    // would leave a hole; to claim the place again begins where the tables are.
    if (isBefore(held, this.#stored)) throw new SubscriptionOwnedError(generation.checkpoint)
    const begun = clock.now()
    for (const event of events) {
      if (attempt.passed > 0 && (this.#stopped || clock.now() - begun >= LONGEST_BATCH_MS)) break
      // One that is in the tables already was committed by a transaction whose answer was lost.
      if (!isHandledAt(held, event) && !this.#recovery.skipsFirst) {
        attempt.given = true
        try {
          await tables.project(tx, event, this.#recovery.attempt)
        } catch (error) {
          await this.#mustBeWithin(tx, held, attempt)
          throw error
        }
      }
      attempt.passed++
      if (fairness.turnDue()) await fairness.turn()
    }
    attempt.saving = true
    const place = await tables.save(tx, held, this.#queue.placeAfter(attempt.passed))
    attempt.done = true
    return { passed: attempt.passed, place }
  }

  /** Where the projection has ended the transaction before it failed, nothing of what it wrote is rolled back. */
  async #mustBeWithin(tx: unknown, held: ReachedPlace, attempt: Attempt): Promise<void> {
    const ended = await this.tables.endOf(tx, held)
    if (ended === undefined) return
    attempt.saving = true
    throw ended
  }

  /** A transaction has committed what the first events of the queue came to. */
  wrote(passed: number, place: ReachedPlace): void {
    this.#queue.drop(passed)
    this.#recovery.passed(passed)
    this.#stored = place
    this.#advance(place)
    for (const resolve of this.#waitingForRoom.splice(0)) resolve(true)
  }

  #advance(place: ReachedPlace): void {
    if (isBefore(this.#committed, place)) this.#committed = place
    this.#options.committed(this.#committed.position)
  }

  async #recover(error: unknown, events: readonly RecordedEvent[], attempt: Attempt): Promise<void> {
    if (error instanceof SubscriptionOwnedError && !attempt.done) {
      this.end()
      this.#options.fenced()
      return
    }
    // To try again what is not rolled back would write it once more.
    if (error instanceof InvalidOptionError && attempt.saving && !attempt.done) {
      this.#failForGood(error)
      return
    }
    if (!attempt.given) {
      if (error instanceof NotRunningError) this.#failForGood(error)
      else await this.#recovery.waitForStore(error)
      return
    }
    const [event] = events
    if (events.length > 1 || event === undefined) {
      this.#recovery.goSingly(attempt.done ? attempt.passed : attempt.passed + 1)
    } else if (!(await this.#recovery.consult(error, event))) {
      this.end()
      this.#options.failed(error, event)
    }
  }

  #failForGood(error: unknown): void {
    this.end()
    this.#options.failed(error, undefined)
  }
}

const written = {
  stopped: ({ passed }: Written) => ({ projected: passed }),
  failed: (error: unknown) => ({ error }),
}

interface Written {
  readonly passed: number
  readonly place: ReachedPlace
}
