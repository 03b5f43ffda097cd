import type { ApplicationBatches } from '../batches/workflow-body.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { sharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import { SubscriptionHub } from '../event-store/subscription-hub.ts'
import type { Routing } from '../routing/routing.ts'
import type { HandlerControl } from '../subscribers/handler-control.ts'
import type { DispatchFromHandler, EnqueueFromHandler } from '../subscribers/handler-context.ts'
import type { RunningProjection } from '../subscribers/projection-body.ts'
import type { CheckedDefinition } from './definition.ts'

/** Who follows the events of a running application. */
export type Runner = HandlerControl | RunningProjection

/** Those that the definition lists, not started yet; all of them read by one hub, and hold their places as one owner. */
export function makeRunners(
  definition: CheckedDefinition,
  services: DispatchServices,
  routing: Routing,
  dispatch: DispatchFromHandler,
  enqueue: EnqueueFromHandler,
  batches: ApplicationBatches | undefined,
): readonly Runner[] {
  const { handlers, projections, processManagers, handlerConsistency, onHandlerError } = definition
  const workflows = definition.workflows.filter((workflow) => workflow.kind === 'background')
  if (handlers.length + projections.length + processManagers.length + workflows.length === 0) return []
  const { name, clock, random, logger, ids, upcasters, lease, claimInterval } = definition
  const { store, codec, fairness, board, telemetry } = services
  const decode = codec.decode.bind(codec)
  const all = {
    hub: new SubscriptionHub({ store, decode, clock, fairness, logger, random, upcasters }),
    ...{ store, board, clock, random, logger, telemetry, dispatch, enqueue, claimInterval, onHandlerError },
    application: name,
    owner: ids.next(),
    shared: sharedCheckpoints({ store, clock, logger, lease, claimInterval }),
    consistency: handlerConsistency,
  }
  const commands = new Map([...routing.routes].map(([type, { command }]) => [type, command]))
  return [
    ...handlers.map((handler) => handler.makeRunner(all)),
    ...projections.map((projection) => projection.makeRunner(all)),
    ...processManagers.map((processManager) => processManager.makeRunner({ ...all, codec, commands })),
    // Those that have workflows have batches.
    ...(batches === undefined ? [] : workflows.map((workflow) => workflow.makeRunner(all, batches))),
  ]
}
