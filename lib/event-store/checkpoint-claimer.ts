import { idleTimer, type Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { afterwards, isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError } from '../errors.ts'
import type { Following } from './checkpoint-watch.ts'
import type { Checkpoint, CheckpointClaim, CheckpointState } from './checkpoint.ts'
import type { CheckpointStore } from './event-store.ts'
import type { HandledPlaces } from './handled-places.ts'
import type { Moment } from './passing-time.ts'
import type { SharedCheckpoints } from './shared-checkpoints.ts'
import type { StartFrom } from './start-from.ts'

export interface CheckpointClaimerOptions {
  readonly name: string
  readonly owner: string
  readonly startFrom: StartFrom
  readonly store: CheckpointStore
  readonly clock: Clock
  readonly logger: Logger
  readonly shared: SharedCheckpoints
  readonly handled: HandledPlaces
  /** Gives up where another owner holds the checkpoint, or the store does not answer, instead of following it. */
  readonly once: boolean
  /** Asked before each attempt; false puts it off. */
  readonly mayClaim: (() => MaybePromise<boolean>) | undefined
  readonly attempts: () => void
  readonly taken: (claim: CheckpointClaim, askedAt: Moment) => MaybePromise<void>
  readonly followed: (position: number) => void
  /** It will not be tried again: with an error, where the store is closed. */
  readonly gaveUp: (error: unknown) => void
}

/** Takes the checkpoint of a persistent subscription; where another owner holds it, follows that one until it is free. */
export class CheckpointClaimer {
  readonly #options: CheckpointClaimerOptions
  #claiming: PromiseLike<void> | undefined
  #cancelTimer: (() => void) | undefined
  #following: Following | undefined
  #awaited = false
  #stopped = false

  constructor(options: CheckpointClaimerOptions) {
    this.#options = options
  }

  /** The attempt under way, to be waited for; undefined where there is none. */
  get claiming(): PromiseLike<void> | undefined {
    return this.#claiming
  }

  /** Whether somebody waits for the other owner's progress: then that is looked at often. */
  set isAwaited(awaited: boolean) {
    this.#awaited = awaited
    if (this.#following) this.#following.isClose = awaited
  }

  stop(): void {
    this.#stopped = true
    this.#rest()
  }

  /** Tries now; what is answered at once is over when this returns. */
  claim(): MaybePromise<void> {
    this.#rest()
    this.#options.attempts()
    let claiming: MaybePromise<void>
    try {
      claiming = this.#attempt()
    } catch (error) {
      this.#failed(error)
      return
    }
    if (!isPromiseLike(claiming)) return
    this.#claiming = claiming.then(
      () => {
        this.#claiming = undefined
      },
      (error: unknown) => {
        this.#claiming = undefined
        this.#failed(error)
      },
    )
    return this.#claiming
  }

  /** Tries after a while. */
  claimLater(): void {
    this.#rest()
    if (this.#stopped) return
    if (this.#options.once) {
      this.#options.gaveUp(undefined)
      return
    }
    this.#cancelTimer = idleTimer(this.#options.clock, this.#options.shared.watch.interval, () => {
      this.#cancelTimer = undefined
      void this.claim()
    })
  }

  #rest(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#following?.end()
    this.#following = undefined
  }

  #attempt(): MaybePromise<void> {
    const { mayClaim } = this.#options
    if (mayClaim === undefined) return this.#ask()
    return afterwards(mayClaim(), (may) => {
      if (may) return this.#ask()
      this.claimLater()
      return undefined
    })
  }

  #ask(): MaybePromise<void> {
    if (this.#stopped) return
    const { store, name, owner, shared } = this.#options
    return afterwards(this.#startAfter(), (startAfter) => {
      const askedAt = shared.leases.time.moment()
      const claim = store.claimCheckpoint(name, { owner, startAfter, lease: shared.leases.lease })
      return afterwards(claim, (answer) =>
        answer === undefined ? this.#follow() : this.#options.taken(answer, askedAt),
      )
    })
  }

  #startAfter(): MaybePromise<number> {
    const { startFrom, store } = this.#options
    if (startFrom === 'origin') return 0
    return startFrom === 'current' ? store.headPosition() : startFrom - 1
  }

  /** Another owner holds it: tells how far that one is, and tries again when it is free. */
  #follow(): MaybePromise<void> {
    if (this.#stopped) return
    const { store, name, shared, once, gaveUp } = this.#options
    if (once) {
      gaveUp(undefined)
      return
    }
    this.#following = shared.watch.follow({ prefix: name, seen: this.#seen })
    this.#following.isClose = this.#awaited
    return afterwards(store.readCheckpoint(name), (checkpoint) => {
      if (checkpoint) return afterwards(shared.head.cover([checkpoint]), () => this.#tell(checkpoint))
      return undefined
    })
  }

  #tell(checkpoint: Checkpoint): void {
    const { shared, handled, followed } = this.#options
    if (!this.#stopped && handled.isHandled(checkpoint, shared.head.known)) followed(checkpoint.position)
  }

  readonly #seen = (states: readonly CheckpointState[]): void => {
    const { name, owner } = this.#options
    const state = states.find((one) => one.name === name)
    if (state) this.#tell(state)
    if (state?.owner === undefined || state.owner === owner) void this.claim()
  }

  #failed(error: unknown): void {
    if (this.#stopped) return
    const { name, logger, gaveUp } = this.#options
    if (error instanceof NotRunningError) {
      gaveUp(error)
      return
    }
    // What follows the other owner goes on, and will try again by itself.
    if (this.#following !== undefined) return
    logger.warn({ subscription: name, error }, `${name}: its checkpoint cannot be claimed; it will be tried again`)
    this.claimLater()
  }
}
