import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import type { Random } from '../effects/ids.ts'
import type { CommandQueueStore } from '../event-store/command-queue-store.ts'
import type { CommandMaker } from '../routing/routing.ts'
import type { QueuePolicy } from './queue-policy.ts'

/** What all that has to do with the stored commands of an application works with. */
export interface QueueServices {
  readonly commands: CommandQueueStore
  readonly dispatcher: Dispatcher
  readonly dispatching: DispatchServices
  /** The makers of the commands, by type. */
  readonly makers: ReadonlyMap<string, CommandMaker>
  readonly policy: QueuePolicy
  readonly random: Random
}
