import type { ConsistencyBoard } from '../dispatch/consistency-board.ts'
import type { Clock } from '../effects/clock.ts'
import type { Random } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { HandledPlaces } from '../event-store/handled-places.ts'
import type { SharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import type { SharedReading } from '../event-store/shared-reading.ts'
import type { SubscriptionHub } from '../event-store/subscription-hub.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { RetryPolicy } from './failure-policy.ts'
import type { DispatchFromHandler, EnqueueFromHandler } from './handler-context.ts'
import type { HandlerModel } from './handler-model.ts'
import type { HandlerProgress } from './handler-progress.ts'
import type { StoredParkingLot } from './parking.ts'

/** What runs a handler, a process manager or a projection is made with, beside its model. */
export interface RunnerOptions {
  readonly hub: SubscriptionHub
  readonly store: EventStore
  readonly board: ConsistencyBoard
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** @default nobody is told */
  readonly telemetry?: Telemetry
  readonly dispatch: DispatchFromHandler
  readonly enqueue: EnqueueFromHandler
  /** The application's name. */
  readonly application: string
  /** Unique for each running application: who holds the checkpoints. */
  readonly owner: string
  /** For a handler that does not say its own. */
  readonly consistency: 'eventual' | 'strong'
  readonly retryPolicy?: Partial<RetryPolicy>
  /** For a handler without its own `onError`. */
  readonly onHandlerError?: HandlerModel['onError']
  /** What is parked of the handler. @default its own */
  readonly parking?: StoredParkingLot
  /** Milliseconds that `stop` gives the event in hand. @default 5_000 */
  readonly stopTimeout?: number
  /** What all handlers of the application share. @default its own, of `claimInterval` */
  readonly shared?: SharedCheckpoints
  /** Milliseconds between looks at what another owner holds. @default 500 */
  readonly claimInterval?: number
  /** Where it runs one partition of the handler. @default all of it */
  readonly partition?: RunnerPartition
}

/** One partition of a handler, for the runner that runs it. */
export interface RunnerPartition {
  /** The name of its checkpoint. */
  readonly checkpoint: string
  readonly owns: (event: RecordedEvent) => boolean
  readonly ownsKey: (key: string) => boolean
  /** What all partitions read together. */
  readonly reading: SharedReading
  /** What is known of the checkpoints of all partitions. */
  readonly handled: HandledPlaces
  /** Asked when the checkpoint is claimed: false where it is to be given up again. */
  readonly mayRun: () => MaybePromise<boolean>
  readonly progress: HandlerProgress
}
