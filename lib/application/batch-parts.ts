import type { ApplicationBatchesParts, FollowerModel } from '../batches/workflow-body.ts'
import type { RoutePlan } from '../dispatch/route-plan.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import type { CheckedDefinition } from './definition.ts'

/** What batches of an application work with. */
export function batchParts(
  definition: CheckedDefinition,
  services: DispatchServices,
  plans: ReadonlyMap<string, RoutePlan>,
  planOf: (command: unknown) => RoutePlan,
): ApplicationBatchesParts {
  const { random, defaults, workflows, processManagers, handlers, projections, batches } = definition
  const followers: FollowerModel[] = [
    ...handlers.map(({ model }) => ({ kind: 'event-handler' as const, model })),
    ...projections.map((model) => ({ kind: 'projection' as const, model })),
    ...workflows.map(({ kind, model }) => ({
      kind: kind === 'foreground' ? ('workflow' as const) : ('background-workflow' as const),
      model,
    })),
    ...processManagers.map(({ model }) => ({ kind: 'process-manager' as const, model })),
  ]
  return {
    ...{ services, random, defaults, plans, planOf, workflows, followers },
    limits: batches,
    processManagers: processManagers.map(({ model }) => model),
  }
}
