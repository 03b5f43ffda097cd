import type { InstanceCache } from '../aggregate/instance-cache.ts'
import type { Snapshots } from '../aggregate/snapshots.ts'
import type { AsyncScope } from '../effects/async-scope.ts'
import type { Clock } from '../effects/clock.ts'
import type { Fairness } from '../effects/fairness.ts'
import type { Ids, Random } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { EventProcessing } from '../messages/event-processing.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { TurnDeadline } from './bounded-turn.ts'
import type { ConsistencyBoard } from './consistency-board.ts'
import type { Deadlines } from './deadlines.ts'
import type { InstanceFollower } from './instance-follower.ts'
import type { Lifespans } from './lifespans.ts'
import type { RunningHandler } from './running-handler.ts'

/** What every dispatch of an application works with. */
export interface DispatchServices {
  readonly applicationName: string
  readonly store: EventStore
  readonly codec: EventCodec
  readonly clock: Clock
  readonly ids: Ids
  readonly fairness: Fairness
  readonly logger: Logger
  readonly telemetry: Telemetry
  readonly board: ConsistencyBoard
  readonly instances: InstanceCache
  readonly lifespans: Lifespans
  /** The time limits of the commands that wait for something. */
  readonly turnDeadlines: Deadlines<TurnDeadline>
  readonly snapshots: Snapshots
  /** Undefined where nobody else can write to the store. */
  readonly follower: InstanceFollower | undefined
  /** How many commands may wait for one aggregate. */
  readonly mailboxLimit: number
  /** How events are processed that have no mark. */
  readonly eventProcessing: EventProcessing
  /** How many events may lead to a command, one after another. */
  readonly maxDepth: number
  /**
   * The command handler that is running; undefined where no route has one, or the platform has no such scope. Set by the first unit of
   * work of an application that had none.
   */
  handling: AsyncScope<RunningHandler> | undefined
  readonly random: Random
  /** Those that these stand in for in a dry run: what runs in it is still of the same application. */
  readonly standsInFor?: DispatchServices
}
