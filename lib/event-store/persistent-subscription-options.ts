import type { Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { CheckpointClaim } from './checkpoint.ts'
import type { CheckpointStore } from './event-store.ts'
import type { HandledPlaces } from './handled-places.ts'
import type { SubscriptionListener } from './live-feed.ts'
import type { ReachedPlace } from './reached-place.ts'
import type { SharedCheckpoints } from './shared-checkpoints.ts'
import type { SharedReading } from './shared-reading.ts'
import type { StartFrom } from './start-from.ts'
import type { SubscriptionFilter } from './subscription-filter.ts'
import type { SubscriptionHub } from './subscription-hub.ts'

/** `claiming`: another owner holds the subscription, or the store does not answer. */
export type PersistentSubscriptionState = 'claiming' | 'catching-up' | 'live' | 'ended'

export interface PersistentSubscriptionListener extends Omit<SubscriptionListener, 'rest' | 'changed'> {
  changed?(state: PersistentSubscriptionState): void
  /**
   * The checkpoint is ours, and nothing is delivered yet. What it throws or rejects with ends the subscription; where it gives
   * `false`, the checkpoint is given up again, and tried later.
   */
  claimed?(claim: CheckpointClaim): MaybePromise<unknown>
  /** Another owner holds the subscription; this is how far it is. */
  followed?(position: number): void
  /** The place before what it took and has not dealt with yet: nothing from there on counts as handled. */
  heldBack?(): ReachedPlace | undefined
  /** Another owner has taken the subscription: what is in hand should be let go. */
  lost?(): void
}

/** For whoever handles events beside each other, after `deliver` has said true, or keeps something until the place is written. */
export interface EventsElsewhere {
  /** Begins nothing any more, and settles when nothing is under way: before the checkpoint is written for the last time. */
  idle?(): MaybePromise<void>
  /** The store knows the place now. What this gives is waited for before the checkpoint is given up. */
  written(place: ReachedPlace): MaybePromise<void>
}

export interface PersistentSubscriptionOptions {
  /** The name of the checkpoint. */
  readonly name: string
  /** Unique for each running instance. */
  readonly owner: string
  readonly startFrom: StartFrom
  readonly filter: SubscriptionFilter
  /** Shared with others that have the same filter. @default its own */
  readonly reading?: SharedReading
  readonly listener: PersistentSubscriptionListener
  readonly hub: SubscriptionHub
  readonly store: CheckpointStore
  readonly clock: Clock
  readonly logger: Logger
  /** Shared with others that look at the same checkpoint. @default its own */
  readonly places?: HandledPlaces
  /** Those of the application. @default its own, of `lease` and `claimInterval` */
  readonly shared?: SharedCheckpoints
  /** Milliseconds for which the claim holds that is not renewed. @default 5_000 */
  readonly lease?: number
  /** Milliseconds between looks at what another owner holds. @default 500 */
  readonly claimInterval?: number
  /** Ends where another owner holds the checkpoint or takes it, instead of waiting for it. @default false */
  readonly once?: boolean
  /** Asked before each attempt to claim; false puts it off. */
  readonly mayClaim?: () => MaybePromise<boolean>
  /**
   * Milliseconds by which writing the checkpoint may lag behind, so that many events cost one write. They come again after
   * a crash. While it catches up, they are 100 at least.
   * @default 10
   */
  readonly saveDelay?: number
  /** Whether the log is told that another owner has taken it, rather than `lost` alone. @default true */
  readonly tellsOfLoss?: boolean
  /** What is in hand after `deliver` has said true. @default nothing */
  readonly elsewhere?: EventsElsewhere
}
