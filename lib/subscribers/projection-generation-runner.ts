import { idleTimer } from '../effects/clock.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { StoreError, SubscriptionOwnedError, describeThrown } from '../errors.ts'
import type { CheckpointClaim } from '../event-store/checkpoint.ts'
import type { CheckpointStore } from '../event-store/event-store.ts'
import type { PersistentSubscriptionState } from '../event-store/persistent-subscription-options.ts'
import { PersistentSubscription } from '../event-store/persistent-subscription.ts'
import type { ProjectionStore, Publication } from '../event-store/projection-store.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { FailurePolicy } from './failure-policy.ts'
import type { RunnerOptions } from './runner-options.ts'
import type { Generation } from './projection-generation.ts'
import type { ProjectionModel } from './projection-model.ts'
import { dropLeftBuilds } from './projection-places.ts'
import { prepareGeneration } from './projection-preparation.ts'
import { swapGenerations } from './projection-swap.ts'
import { ProjectionWriter } from './projection-writer.ts'

/** What projections need of a running application. */
export interface ProjectionSurroundings extends Pick<
  RunnerOptions,
  'hub' | 'store' | 'clock' | 'random' | 'logger' | 'telemetry' | 'application' | 'owner' | 'shared'
> {
  readonly projections: ProjectionStore
}

/** Who is told how a generation fares. */
export interface GenerationListener {
  /** Every event up to a position is committed, by this owner or by another one. */
  progressed(position: number): void
  /** Readers see it from now on. */
  published(): void
  /** It was lost, or readers see another one: what is to be done has to be found out anew. */
  outdated(wasLost: boolean): void
  /** It ended by an error; at an event, where one could not be projected. */
  failed(error: unknown, recorded: RecordedEvent | undefined): void
}

/** Milliseconds between attempts to take the old generation's place, where one has failed. */
const SWAP_AGAIN_MS = 100
const LONGEST_SWAP_PAUSE_MS = 10_000

/**
 * Runs one generation of a projection: its subscription, and the writer of its tables. One that is built beside another (`base`)
 * takes that one's place as soon as it has caught up.
 */
export class GenerationRunner {
  readonly generation: Generation
  readonly #model: ProjectionModel
  readonly #base: Publication | undefined
  readonly #surroundings: ProjectionSurroundings
  readonly #policy: FailurePolicy
  readonly #listener: GenerationListener
  readonly #subscription: PersistentSubscription
  #writer: ProjectionWriter | undefined
  #state: PersistentSubscriptionState = 'claiming'
  #isPublished = false
  #ended = false
  #swapping = false
  #cancelSwap: (() => void) | undefined
  #swapFailures = 0
  #swapPause = SWAP_AGAIN_MS
  #dropping: Promise<void> | undefined

  constructor(
    model: ProjectionModel,
    generation: Generation,
    base: Publication | undefined,
    policy: FailurePolicy,
    surroundings: ProjectionSurroundings,
    listener: GenerationListener,
  ) {
    this.generation = generation
    this.#model = model
    this.#base = base
    this.#policy = policy
    this.#surroundings = surroundings
    this.#listener = listener
    const { hub, clock, logger, owner, shared } = surroundings
    this.#subscription = new PersistentSubscription({
      name: generation.checkpoint,
      owner,
      // Mostly it is given up in a swap, which deletes the checkpoint: who looks at what is published can tell.
      tellsOfLoss: false,
      startFrom: model.startAfter + 1,
      filter: { types: model.types },
      hub,
      store: this.#checkpointStore(),
      clock,
      logger,
      ...(shared !== undefined && { shared }),
      listener: {
        claimed: (claim) => this.#claimed(claim),
        deliver: (event) => this.#writer?.add(event) ?? false,
        progressed: (position) => {
          this.#writer?.progressed(position)
        },
        followed: (position) => {
          listener.progressed(position)
        },
        lost: () => {
          this.#outdated(true)
        },
        changed: (state) => {
          this.#state = state
          if (state === 'live') this.#maySwap()
        },
        ended: (error) => {
          if (error === undefined) return
          this.#fail(error, undefined)
        },
      },
    })
  }

  get state(): PersistentSubscriptionState {
    return this.#state
  }

  get writer(): ProjectionWriter | undefined {
    return this.#writer
  }

  /** Whether it was stopped, failed, or lost its place: another one has to be made. */
  get isOver(): boolean {
    return this.#ended
  }

  /** Whether somebody waits for another owner's progress. */
  set isAwaited(awaited: boolean) {
    this.#subscription.isAwaited = awaited
  }

  start(): MaybePromise<void> {
    return this.#subscription.start()
  }

  /** Lets the transaction that is under way end, and releases the checkpoint. */
  async stop(): Promise<void> {
    this.#end()
    await this.#writer?.stop()
    await this.#dropping
    await this.#subscription.stop()
  }

  /** As `stop`, without the transaction that is under way: once the checkpoint is released it cannot commit any more. */
  async abandon(): Promise<void> {
    this.#end()
    this.#writer?.end()
    await this.#subscription.abandon()
  }

  #end(): void {
    this.#ended = true
    this.#cancelSwap?.()
    this.#cancelSwap = undefined
  }

  /** The place is written in the writer's transactions; the subscription's own writing is for what no event has moved. */
  #checkpointStore(): CheckpointStore {
    const { store } = this.#surroundings
    return {
      headPosition: () => store.headPosition(),
      claimCheckpoint: (name, options) => store.claimCheckpoint(name, options),
      renewCheckpoints: (holds) => store.renewCheckpoints(holds),
      releaseCheckpoint: (name, epoch) => store.releaseCheckpoint(name, epoch),
      readCheckpoint: (name) => store.readCheckpoint(name),
      listCheckpoints: (prefix) => store.listCheckpoints(prefix),
      saveCheckpoint: (checkpoint) => this.#writer?.savePlace(checkpoint) ?? true,
    }
  }

  async #claimed(claim: CheckpointClaim): Promise<boolean> {
    const { projections, clock, random, logger, telemetry, application, hub } = this.#surroundings
    try {
      const { generation } = this
      const options = { projections, model: this.#model, generation, base: this.#base, claim }
      const prepared = await projections.transaction((tx) => prepareGeneration(tx, options))
      if (prepared === 'changed') this.#tellOfChange()
      if (prepared === 'unwanted' || prepared === 'changed') {
        this.#outdated()
        return false
      }
      this.#isPublished = prepared === 'published'
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      const { name } = this.generation
      logger.warn(
        { projection: name, error },
        `the projection ${name} cannot begin, and tries again: ${describeThrown(error)}`,
      )
      return false
    }
    this.#writer = new ProjectionWriter({
      model: this.#model,
      generation: this.generation,
      claim,
      projections,
      store: this.#surroundings.store,
      policy: this.#policy,
      clock,
      random,
      fairness: hub.fairness,
      logger,
      telemetry,
      application,
      isRebuilding: () => !this.#isPublished,
      committed: (position) => {
        this.#listener.progressed(position)
      },
      idle: () => {
        this.#maySwap()
      },
      fenced: () => {
        this.#subscription.fence()
      },
      failed: (error, recorded) => {
        this.#fail(error, recorded)
      },
    })
    return !this.#ended
  }

  #tellOfChange(): void {
    const { name, generation } = this.generation
    this.#surroundings.logger.info(
      { projection: name, generation },
      `the projection ${name} was being built with other tables, and is built anew from its first event`,
    )
  }

  /** Takes the old generation's place where everything that is known to be there is committed. */
  #maySwap(): void {
    if (this.#isPublished || this.#swapping || this.#ended || this.#cancelSwap !== undefined) return
    if (this.#state !== 'live' || this.#writer === undefined || this.#writer.queue.length > 0) return
    this.#swapping = true
    void this.#swap(this.#writer)
  }

  async #swap(writer: ProjectionWriter): Promise<void> {
    const { projections, clock } = this.#surroundings
    const { generation } = this
    const base = this.#base
    if (base === undefined) return
    const readPosition = (): number => this.#subscription.position
    try {
      const result = await writer.exclusively(() =>
        swapGenerations({ projections, model: this.#model, writer, generation, base, clock, readPosition }),
      )
      this.#swapping = false
      if (result === 'obsolete') this.#outdated()
      else if (typeof result === 'object') this.#fail(result.refused, undefined)
      else if (result === 'behind') this.#swapLater()
      else {
        this.#isPublished = true
        this.#dropping = this.#dropLeft(base)
        this.#listener.published()
      }
    } catch (error) {
      this.#swapping = false
      if (error instanceof SubscriptionOwnedError) this.#subscription.fence()
      else this.#swapFailed(error)
    }
  }

  /** After the swap, and not within: what cannot be dropped would hold it up for ever. */
  async #dropLeft(base: Publication): Promise<void> {
    const { projections, store, logger } = this.#surroundings
    const { generation: published } = this
    const projection = published.name
    const failed = (what: string, error: unknown): void => {
      logger.warn(
        { projection, error },
        `the projection ${projection} cannot drop ${what}, given up by its owner, and tries again after the next swap: ` +
          describeThrown(error),
      )
    }
    try {
      await dropLeftBuilds({ projections, store, published, base, failed })
    } catch (error) {
      failed('any build', error)
    }
  }

  #swapFailed(error: unknown): void {
    const { logger } = this.#surroundings
    const { name, generation } = this.generation
    // What cannot be projected meets the policy in a transaction of its own; the rest is likely a reader that is slow to go.
    if (this.#swapFailures++ === 0) {
      logger.warn(
        { projection: name, generation, error },
        `the projection ${name} cannot be swapped yet, and tries again: ${describeThrown(error)}`,
      )
    }
    this.#swapLater()
  }

  #swapLater(): void {
    if (this.#ended) return
    // Each attempt holds the old generation up, or its readers: one that is far behind, or fails for long, makes few of them.
    this.#swapPause = Math.min(this.#swapPause * 2, LONGEST_SWAP_PAUSE_MS)
    this.#cancelSwap = idleTimer(this.#surroundings.clock, this.#swapPause, () => {
      this.#cancelSwap = undefined
      this.#maySwap()
    })
  }

  #outdated(wasLost = false): void {
    if (this.#ended) return
    this.#letGo()
    this.#listener.outdated(wasLost)
  }

  #fail(error: unknown, recorded: RecordedEvent | undefined): void {
    if (this.#ended) return
    this.#letGo()
    this.#listener.failed(error, recorded)
  }

  #letGo(): void {
    const writer = this.#writer
    this.#end()
    writer?.end()
    void this.#subscription.abandon()
  }
}
