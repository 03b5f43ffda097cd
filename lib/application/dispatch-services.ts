import type { InstanceCache } from '../aggregate/instance-cache.ts'
import { Snapshots } from '../aggregate/snapshots.ts'
import { ConsistencyBoard } from '../dispatch/consistency-board.ts'
import { Deadlines } from '../dispatch/deadlines.ts'
import { InstanceFollower } from '../dispatch/instance-follower.ts'
import { Lifespans } from '../dispatch/lifespans.ts'
import { handlingScope } from '../dispatch/running-handler.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { Fairness } from '../effects/fairness.ts'
import { EventCodec } from '../event-store/event-codec.ts'
import type { Routing } from '../routing/routing.ts'
import { ObservedEventStore } from '../event-store/observed-event-store.ts'
import { Telemetry } from '../telemetry/telemetry.ts'
import type { CheckedDefinition } from './definition.ts'

/** What every dispatch of an application works with, made once. */
export function dispatchServices(
  definition: CheckedDefinition,
  routing: Routing,
  instances: InstanceCache,
): DispatchServices {
  const { name, clock, ids, logger, serializer, serializerChosen, upcasters, mailboxLimit, maxDepth } = definition
  const { eventProcessing } = definition
  const telemetry = new Telemetry({ application: name, clock, logger, instrumentation: definition.instrumentation })
  const store = new ObservedEventStore(definition.store, telemetry)
  const handles = [...routing.routes.values()].some(
    ({ handler, unit, beforeExecute }) => (handler ?? unit ?? beforeExecute) !== undefined,
  )
  const codec = new EventCodec({ serializer, serializerChosen, upcasters, values: store.capabilities.values })
  const fairness = new Fairness()
  const followed = { store, codec, instances, clock, fairness, logger }
  return {
    applicationName: name,
    store,
    codec,
    clock,
    ids,
    fairness,
    logger,
    telemetry,
    board: new ConsistencyBoard({ clock }),
    instances,
    lifespans: new Lifespans({ clock, logger, instances }),
    snapshots: new Snapshots({ store, codec, clock, logger, policies: definition.snapshots }),
    follower: store.capabilities.multiProcess ? new InstanceFollower(followed) : undefined,
    turnDeadlines: new Deadlines(clock, (deadline) => {
      deadline.expire()
    }),
    mailboxLimit,
    maxDepth,
    eventProcessing,
    handling: handles ? handlingScope() : undefined,
    random: definition.random,
  }
}
