import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { InvalidOptionError, SubscriptionOwnedError } from '../errors.ts'
import type { CheckpointClaim } from '../event-store/checkpoint.ts'
import type { ProjectionStore } from '../event-store/projection-store.ts'
import { isBefore, type ReachedPlace } from '../event-store/reached-place.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Generation } from './projection-generation.ts'
import type { ProjectionModel } from './projection-model.ts'

export interface ProjectionTablesOptions {
  readonly model: ProjectionModel
  readonly generation: Generation
  readonly claim: CheckpointClaim
  readonly projections: ProjectionStore
  /** The application's name. */
  readonly application: string
  /** Whether nobody reads this generation yet. */
  readonly isRebuilding: () => boolean
}

/** The tables and the checkpoint of one generation, within a transaction. */
export class ProjectionTables {
  readonly #options: ProjectionTablesOptions
  readonly #signal: AbortSignal

  constructor(options: ProjectionTablesOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  /**
   * Holds the checkpoint, so that no other owner writes meanwhile, and says how far the tables truly are.
   *
   * @throws {SubscriptionOwnedError} where another owner has taken it
   */
  async lock(tx: unknown): Promise<ReachedPlace> {
    const { projections, generation, claim } = this.#options
    const held = await projections.lockCheckpoint(tx, generation.checkpoint, claim.epoch)
    if (held === undefined) throw new SubscriptionOwnedError(generation.checkpoint)
    return held
  }

  /** Stays synchronous where the projection does. */
  project(tx: unknown, read: RecordedEvent, attempt: number): MaybePromise<unknown> {
    const { model, generation, application, isRebuilding } = this.#options
    const recorded = forAnotherReader(read)
    const answer = model.projectByType.get(recorded.type)?.(recorded.data, recorded, tx, {
      tables: generation.tables,
      rebuilding: isRebuilding(),
      attempt,
      projectionName: model.name,
      application,
      signal: this.#signal,
    })
    return isPromiseLike(answer) ? Promise.resolve(answer) : undefined
  }

  /**
   * Writes down what was reached, or what was held where that is further: some of it was committed before.
   *
   * @throws {SubscriptionOwnedError} where another owner has taken the checkpoint
   */
  async save(tx: unknown, held: ReachedPlace, reached: ReachedPlace): Promise<ReachedPlace> {
    const { projections, generation, claim } = this.#options
    const { position, index } = isBefore(reached, held) ? held : reached
    const checkpoint = { name: generation.checkpoint, epoch: claim.epoch, position, index }
    if (await projections.saveCheckpoint(tx, checkpoint)) return { position, index }
    throw new SubscriptionOwnedError(generation.checkpoint)
  }

  /** Whether a projection that has failed had ended the transaction before: what the store says to that, undefined where it did not. */
  async endOf(tx: unknown, held: ReachedPlace): Promise<InvalidOptionError | undefined> {
    try {
      await this.save(tx, held, held)
    } catch (error) {
      if (error instanceof InvalidOptionError) return error
      // An aborted transaction takes no statement any more: it is still there to be rolled back.
    }
    return undefined
  }
}
