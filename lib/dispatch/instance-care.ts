import { Hydration, type VersionedState } from '../aggregate/hydrate.ts'
import { NOT_LOADED } from '../aggregate/instance.ts'
import type { InstanceGroup } from '../aggregate/instance-cache.ts'
import type { Turn } from '../aggregate/mailbox.ts'
import { asEdictError } from '../errors.ts'
import type { DispatchServices } from './services.ts'

// What can be done to one instance from outside, beside dispatching to it.

/** What the store knows of it now; a live instance spares reading what it has seen. */
export async function lookAt(
  services: DispatchServices,
  { model, prefix, tenant, instances }: InstanceGroup,
  aggregateId: string,
): Promise<VersionedState> {
  const stream = { model, streamId: prefix + aggregateId, tenant }
  const live = instances.get(aggregateId)
  try {
    const from =
      live === undefined || live.version === NOT_LOADED
        ? await services.snapshots.load(stream)
        : { state: live.state, version: live.version }
    return await new Hydration(services, stream, from).run()
  } catch (cause) {
    throw asEdictError(cause, `reading ${model.name} ${aggregateId}`)
  }
}

/** Keeps its state as it is now; gives the version that it is of, 0 where there is nothing to keep. */
export async function takeSnapshot(
  services: DispatchServices,
  group: InstanceGroup,
  aggregateId: string,
): Promise<number> {
  const { model, prefix, tenant, instances } = group
  const { state, version } = await lookAt(services, group, aggregateId)
  if (version === 0) return 0
  try {
    await services.snapshots.keep({ model, streamId: prefix + aggregateId, tenant }, { state, version })
  } catch (cause) {
    throw asEdictError(cause, `the snapshot of ${model.name} ${aggregateId}`)
  }
  const live = instances.get(aggregateId)
  if (live !== undefined && live.snapshotVersion < version) live.snapshotVersion = version
  return version
}

/** Forgets what is in memory of it, after the commands that came before; gives whether there was anything. */
export async function evict(services: DispatchServices, group: InstanceGroup, aggregateId: string): Promise<boolean> {
  const { instances, fairness } = services
  const instance = group.instances.get(aggregateId)
  if (instance === undefined) return false
  const turn: Turn<void> = {
    failure: undefined,
    perform: () => {
      // Also where commands wait behind: the first of them reads its stream anew.
      instance.state = undefined
      instance.version = NOT_LOADED
      instance.snapshotVersion = 0
    },
  }
  await instance.mailbox.enter(turn, Infinity, instance.streamId, fairness)
  if (instance.mailbox.idle) instances.remove(instance)
  return true
}
