import { idleTimer, type Clock } from '../effects/clock.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import type { Logger } from '../effects/logger.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { DEFAULT_LEASE_MS, type CheckpointHold } from './checkpoint.ts'
import type { EventStore } from './event-store.ts'
import { PassingTime, type Moment } from './passing-time.ts'

export interface LeaseKeeperOptions {
  readonly store: Pick<EventStore, 'renewCheckpoints'>
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds; `Infinity` for claims that nobody contests. @default 5_000 */
  readonly lease?: number
}

/** So many renewals are begun within one lease: some may fail before it runs out. */
const RENEWALS_IN_A_LEASE = 4

/**
 * Keeps the claims of one running application: renews the leases of all of them in one call, before they run out, and tells who
 * has lost one. Where the store does not answer in time, the leases are in doubt: another owner may have taken over.
 */
export class LeaseKeeper {
  /** Milliseconds, for the claims. */
  readonly lease: number
  readonly time: PassingTime
  readonly #options: LeaseKeeperOptions
  readonly #logger: Logger
  readonly #held = new Set<Lease>()
  #cancelTimer: (() => void) | undefined
  #renewing = false
  #failing = false

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
    this.#logger = containedLogger(options.logger)
    this.lease = options.lease ?? DEFAULT_LEASE_MS
    this.time = new PassingTime(options.clock)
  }

  /**
   * Keeps a claim until its `end`.
   *
   * @param hold the claim
   * @param claimedAt when the claim was asked for, which is before the store's lease began
   * @param lost called when a renewal tells that the claim does not hold any more
   */
  keep(hold: CheckpointHold, claimedAt: Moment, lost: () => void): Lease {
    const lease = new Lease(this, hold, claimedAt, lost)
    this.#held.add(lease)
    this.#arm()
    return lease
  }

  /** For `Lease` alone. */
  release(lease: Lease): void {
    this.#held.delete(lease)
    if (this.#held.size > 0 || this.#cancelTimer === undefined) return
    this.#cancelTimer()
    this.#cancelTimer = undefined
  }

  #arm(): void {
    if (this.lease === Infinity || this.#cancelTimer !== undefined || this.#renewing || this.#held.size === 0) return
    this.#cancelTimer = idleTimer(this.#options.clock, this.lease / RENEWALS_IN_A_LEASE, () => {
      this.#cancelTimer = undefined
      this.#renew()
    })
  }

  #renew(): void {
    const leases = [...this.#held]
    const begun = this.time.moment()
    let answer: MaybePromise<readonly boolean[]>
    try {
      answer = this.#options.store.renewCheckpoints(leases.map(({ hold }) => hold))
    } catch (error) {
      this.#failed(error)
      return
    }
    if (!isPromiseLike(answer)) {
      this.#renewed(leases, answer, begun)
      return
    }
    this.#renewing = true
    answer.then(
      (held) => {
        this.#renewing = false
        this.#renewed(leases, held, begun)
      },
      (error: unknown) => {
        this.#renewing = false
        this.#failed(error)
      },
    )
  }

  #renewed(leases: readonly Lease[], held: readonly boolean[], begun: Moment): void {
    this.#failing = false
    for (const [index, lease] of leases.entries()) {
      if (!this.#held.has(lease)) continue
      if (held[index] === true) lease.renewed(begun)
      else lease.lose()
    }
    this.#arm()
  }

  #failed(error: unknown): void {
    if (!this.#failing) {
      this.#failing = true
      const names = [...this.#held].map(({ hold }) => hold.name)
      this.#logger.warn(
        { subscriptions: names, error },
        'the leases of subscriptions cannot be renewed; it is tried again',
      )
    }
    this.#arm()
  }
}

/** One claim that is kept. */
export class Lease {
  readonly hold: CheckpointHold
  readonly #keeper: LeaseKeeper
  readonly #lost: () => void
  #since: Moment
  #over = false
  #closing = false
  #waiting: ((holds: boolean) => void)[] = []

  constructor(keeper: LeaseKeeper, hold: CheckpointHold, since: Moment, lost: () => void) {
    this.#keeper = keeper
    this.hold = hold
    this.#since = since
    this.#lost = lost
  }

  /**
   * Whether the claim holds for sure: something new may be begun. Where it is in doubt, the answer comes with the next renewal.
   * False where the claim is lost, or its keeping was ended.
   */
  holds(): MaybePromise<boolean> {
    if (this.#over || this.#closing) return false
    if (this.#keeper.time.since(this.#since) < this.#keeper.lease) return true
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  /** Nothing is to be begun any more; the claim is kept until its `end`, for what is in hand. */
  beginNothing(): void {
    this.#closing = true
    this.#answer(false)
  }

  /** The claim is given up, or lost: nobody keeps it any more. */
  end(): void {
    if (this.#over) return
    this.#over = true
    this.#keeper.release(this)
    this.#answer(false)
  }

  /** For the keeper alone. */
  renewed(begun: Moment): void {
    this.#since = begun
    // An answer that was long in coming has left the lease in doubt.
    if (this.#keeper.time.since(begun) < this.#keeper.lease) this.#answer(true)
  }

  /** For the keeper alone. */
  lose(): void {
    this.end()
    this.#lost()
  }

  #answer(holds: boolean): void {
    for (const resolve of this.#waiting.splice(0)) resolve(holds)
  }
}
