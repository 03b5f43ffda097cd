import type { Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import type { CheckpointClaim } from './checkpoint.ts'
import type { CheckpointStore } from './event-store.ts'
import type { ReachedPlace } from './reached-place.ts'

/** So many positions on, a checkpoint is written at once, also where no event has moved it. */
const SAVE_EVERY = 1_000

/**
 * Milliseconds by which writing lags behind at least while the subscription catches up: each write may be one to the disk that all
 * else waits for, and nobody waits for this one.
 */
const CATCHING_UP_DELAY = 100

/** Where a subscription is at the moment. */
export interface CurrentPlace extends ReachedPlace {
  readonly isCatchingUp: boolean
}

export interface CheckpointWriterOptions {
  readonly store: CheckpointStore
  readonly clock: Clock
  readonly logger: Logger
  readonly claim: CheckpointClaim
  readonly place: CurrentPlace
  /** Milliseconds by which writing may lag behind. */
  readonly saveDelay: number
  /** Called when another owner has taken the checkpoint. */
  readonly fenced: () => void
  /** Called when a place has been written; what it gives is waited for before the checkpoint is given up. */
  readonly written?: ((place: ReachedPlace) => MaybePromise<void>) | undefined
}

/** Writes down how far a subscription is, under the fence of its claim: seldom, and one write at a time. */
export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions
  #position: number
  #index: number
  /** Something was handled since the last write. */
  #dirty = false
  #saving: PromiseLike<void> | undefined
  /** What the last `written` has left to do. */
  #afterwards: PromiseLike<void> | undefined
  #timer: { readonly handle: unknown; readonly delay: number } | undefined
  #isFenced = false
  #closing: Promise<void> | undefined

  constructor(options: CheckpointWriterOptions) {
    this.#options = options
    this.#position = options.claim.position
    this.#index = options.claim.index
  }

  /** Something was handled. */
  note(): void {
    this.#dirty = true
  }

  /** The subscription rests: writes what there is to write, now or soon. */
  rest(): void {
    if (this.#saving !== undefined || this.#isFenced || this.#closing !== undefined) return
    const { place, saveDelay } = this.#options
    if (place.isCatchingUp) this.#saveWithin(Math.max(saveDelay, CATCHING_UP_DELAY))
    else if (place.position - this.#position >= SAVE_EVERY) this.#save()
    else this.#saveWithin(saveDelay)
  }

  /** Another owner has taken the checkpoint, as the renewal of the lease has told: nothing is written any more. */
  fence(): void {
    this.#isFenced = true
    this.#cancelTimer()
  }

  /** Writes the last word and gives the checkpoint up. Failures are logged: whoever stops has nothing to do about them. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { store, claim, logger } = this.#options
    this.#cancelTimer()
    try {
      await this.#saving
      this.#save()
      await this.#saving
      await this.#afterwards
      if (!this.#isFenced) await store.releaseCheckpoint(claim.name, claim.epoch)
    } catch (error) {
      logger.warn({ subscription: claim.name, error }, `${claim.name}: its checkpoint cannot be released`)
    }
  }

  #saveWithin(delay: number): void {
    if (!this.#dirty || (this.#timer !== undefined && this.#timer.delay <= delay)) return
    this.#cancelTimer()
    const handle = this.#options.clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#saving === undefined) this.#save()
    }, delay)
    this.#timer = { handle, delay }
  }

  #cancelTimer(): void {
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer.handle)
    this.#timer = undefined
  }

  #save(): void {
    if (this.#isFenced) return
    const { store, claim, place } = this.#options
    const { name, epoch } = claim
    const { position, index } = place
    this.#dirty = false
    this.#cancelTimer()
    if (position === this.#position && index === this.#index) return
    try {
      const saved = store.saveCheckpoint({ name, position, index, epoch })
      if (!isPromiseLike(saved)) {
        this.#saved(saved, position, index)
        return
      }
      this.#saving = saved.then(
        (held) => {
          this.#saving = undefined
          this.#saved(held, position, index)
          if (this.#dirty) this.rest()
        },
        (error: unknown) => {
          this.#saving = undefined
          this.#failed(error)
        },
      )
    } catch (error) {
      this.#failed(error)
    }
  }

  #saved(held: boolean, position: number, index: number): void {
    if (held) {
      this.#position = position
      this.#index = index
      const afterwards = this.#options.written?.({ position, index })
      this.#afterwards = isPromiseLike(afterwards) ? afterwards : undefined
    } else if (!this.#isFenced) {
      this.#isFenced = true
      this.#cancelTimer()
      this.#options.fenced()
    }
  }

  #failed(error: unknown): void {
    // The next event, or the hub's poll, tries again: it costs a repeat after a crash, and nothing else.
    this.#dirty = true
    const { name } = this.#options.claim
    this.#options.logger.warn({ subscription: name, error }, `${name}: its checkpoint cannot be written`)
  }
}
