import type { Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { CheckpointWatch } from './checkpoint-watch.ts'
import type { EventStore } from './event-store.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { StoreHead } from './store-head.ts'

/** What all persistent subscriptions of one running application share, so that many cost the store no more than one. */
export interface SharedCheckpoints {
  /** Keeps what they hold. */
  readonly leases: LeaseKeeper
  /** Follows what others hold. */
  readonly watch: CheckpointWatch
  /** Against which what others hold is held. */
  readonly head: StoreHead
}

export interface SharedCheckpointsOptions {
  readonly store: Pick<EventStore, 'renewCheckpoints' | 'listCheckpoints' | 'headPosition'>
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds for which a claim holds that is not renewed. @default 5_000 */
  readonly lease?: number | undefined
  /** Milliseconds between looks at what others hold. @default 500 */
  readonly claimInterval?: number | undefined
}

export function sharedCheckpoints(options: SharedCheckpointsOptions): SharedCheckpoints {
  const { store, clock, logger, lease, claimInterval } = options
  const head = new StoreHead(store)
  return {
    head,
    leases: new LeaseKeeper({ store, clock, logger, ...(lease !== undefined && { lease }) }),
    watch: new CheckpointWatch({
      store,
      head,
      clock,
      logger,
      ...(claimInterval !== undefined && { interval: claimInterval }),
    }),
  }
}
