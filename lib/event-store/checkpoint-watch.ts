import { idleTimer, type Clock } from '../effects/clock.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import type { Logger } from '../effects/logger.ts'
import { afterwards, isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError } from '../errors.ts'
import type { CheckpointState } from './checkpoint.ts'
import type { EventStore } from './event-store.ts'
import type { StoreHead } from './store-head.ts'

export interface CheckpointWatchOptions {
  readonly store: Pick<EventStore, 'listCheckpoints'>
  readonly head: StoreHead
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds between two looks while nobody waits for what they tell. @default 500 */
  readonly interval?: number
}

/** The beginning of the names that are looked at, and who is told. */
export interface CheckpointObserver {
  readonly prefix: string
  /** Called with each look; `states` may hold other names too. None is beyond the store's head that was not so when it was read. */
  seen(states: readonly CheckpointState[]): void
}

/** Milliseconds between looks while somebody waits: the first, and the longest, which is reached while nothing moves. */
const CLOSE = 5
const LESS_CLOSE = 100
const SLOWING = 1.5
/** Short, since a place that was given up stays empty for so long. */
export const DEFAULT_CLAIM_INTERVAL_MS = 500

/**
 * Looks at the checkpoints that others hold, for all subscriptions of one application with one call: who holds them, and how far
 * they are. It looks often only while somebody waits for them to move.
 */
export class CheckpointWatch {
  readonly #options: CheckpointWatchOptions
  readonly #logger: Logger
  /** Milliseconds between two looks while nobody waits. */
  readonly interval: number
  readonly #followings = new Set<Following>()
  #cancelTimer: (() => void) | undefined
  #looking = false
  #failing = false
  #closeDelay = CLOSE
  #positions = new Map<string, number>()

  constructor(options: CheckpointWatchOptions) {
    this.#options = options
    this.#logger = containedLogger(options.logger)
    this.interval = options.interval ?? DEFAULT_CLAIM_INTERVAL_MS
  }

  /** Follows until the `end` of what it gives. The first look comes after the interval. */
  follow(observer: CheckpointObserver): Following {
    const following = new Following(observer, this)
    this.#followings.add(following)
    this.#arm()
    return following
  }

  /** For `Following` alone. */
  leave(following: Following): void {
    this.#followings.delete(following)
    if (this.#followings.size === 0) this.#disarm()
  }

  /** For `Following` alone: somebody waits now. */
  hurry(): void {
    this.#closeDelay = CLOSE
    this.#disarm()
    this.#arm()
  }

  #disarm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined || this.#looking || this.#followings.size === 0) return
    this.#cancelTimer = idleTimer(this.#options.clock, this.#delay(), () => {
      this.#cancelTimer = undefined
      this.#look()
    })
  }

  #delay(): number {
    for (const { isClose } of this.#followings) if (isClose) return Math.min(this.#closeDelay, this.interval)
    return this.interval
  }

  #look(): void {
    // Who comes while the store is being asked may want other names than those that it was asked for.
    const asking = [...this.#followings]
    const prefix = commonPrefix(asking.map(({ observer }) => observer.prefix))
    let states: MaybePromise<readonly CheckpointState[]>
    try {
      states = afterwards(this.#options.store.listCheckpoints(prefix), (found) =>
        afterwards(this.#options.head.cover(found), () => found),
      )
    } catch (error) {
      this.#failed(error)
      return
    }
    if (!isPromiseLike(states)) {
      this.#seen(states, asking)
      return
    }
    this.#looking = true
    states.then(
      (answer) => {
        this.#looking = false
        this.#seen(answer, asking)
      },
      (error: unknown) => {
        this.#looking = false
        this.#failed(error)
      },
    )
  }

  #seen(states: readonly CheckpointState[], asking: readonly Following[]): void {
    this.#failing = false
    this.#closeDelay = this.#hasMoved(states) ? CLOSE : Math.min(LESS_CLOSE, this.#closeDelay * SLOWING)
    for (const following of asking) if (this.#followings.has(following)) following.observer.seen(states)
    this.#arm()
  }

  #hasMoved(states: readonly CheckpointState[]): boolean {
    const before = this.#positions
    this.#positions = new Map(states.map(({ name, position }) => [name, position]))
    return states.some(({ name, position }) => before.get(name) !== position)
  }

  #failed(error: unknown): void {
    this.#closeDelay = LESS_CLOSE
    // A store that is closed says so to everyone who asks; those who ask here are about to end.
    if (!this.#failing && !(error instanceof NotRunningError)) {
      this.#logger.warn({ error }, 'the checkpoints of other owners cannot be looked at; it is tried again')
    }
    this.#failing = true
    this.#arm()
  }
}

/** Someone who follows checkpoints of others. */
export class Following {
  readonly observer: CheckpointObserver
  readonly #watch: CheckpointWatch
  #isClose = false
  #ended = false

  constructor(observer: CheckpointObserver, watch: CheckpointWatch) {
    this.observer = observer
    this.#watch = watch
  }

  /** Whether somebody waits for what is followed: then it is looked at often. */
  get isClose(): boolean {
    return this.#isClose
  }

  set isClose(close: boolean) {
    if (this.#isClose === close || this.#ended) return
    this.#isClose = close
    if (close) this.#watch.hurry()
  }

  end(): void {
    this.#ended = true
    this.#watch.leave(this)
  }
}

function commonPrefix(texts: readonly string[]): string {
  const first = texts[0] ?? ''
  let length = first.length
  for (const text of texts) {
    let same = 0
    while (same < length && text[same] === first[same]) same++
    length = same
  }
  // Half of a pair of code units is no text that a store could look for.
  const last = first.charCodeAt(length - 1)
  return first.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}
