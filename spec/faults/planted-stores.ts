import type { Checkpoint, EventStore, StreamAppend } from 'edict'
import type { NodeConfiguration, Plant } from './node-configuration.ts'
import { pause } from './random.ts'

/** Milliseconds by which what is planted comes too late: so long a kill has to hit it. */
export const TOO_LATE = 400

/** A good store, but for what is planted over it. */
export function over<Good extends object>(good: Good, bad: Partial<Good>): Good {
  return new Proxy(good, {
    get: (target, key) => {
      if (Object.hasOwn(bad, key)) return Reflect.get(bad, key) as unknown
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** The store of a node, with the bugs that it is given, if any. */
export async function plantedStore(good: EventStore, configuration: NodeConfiguration): Promise<EventStore> {
  const has = (plant: Plant) => configuration.plants.includes(plant)
  let store = good
  if (has('position-from-a-sequence')) {
    const { appendBySequence } = await import('./planted-sequence.ts')
    store = over(store, { append: await appendBySequence(configuration.store) })
  }
  if (has('acknowledge-before-commit')) store = acknowledgingEarly(store)
  if (has('no-fence')) store = withoutFence(store)
  if (has('place-is-forgotten')) store = forgettingPlace(store)
  return store
}

function acknowledgingEarly(store: EventStore): EventStore {
  let position = 0
  const late = async (streams: readonly StreamAppend[]) => {
    await pause(TOO_LATE)
    await store.append(streams.map((stream) => ({ ...stream, expectedVersion: 'any' })))
  }
  const versions = new Map<string, number>()
  return over(store, {
    append: (streams) => {
      // Nobody is told what became of it.
      late(streams).catch(() => undefined)
      return streams.map(({ streamId, expectedVersion, events }) => {
        const before = typeof expectedVersion === 'number' ? expectedVersion : (versions.get(streamId) ?? 0)
        versions.set(streamId, before + events.length)
        const firstPosition = position + 1
        position += events.length
        return { status: 'appended', streamVersion: before + events.length, firstPosition }
      })
    },
  })
}

function withoutFence(store: EventStore): EventStore {
  const latest = async (checkpoint: Checkpoint) => {
    const current = await store.readCheckpoint(checkpoint.name)
    return { ...checkpoint, epoch: current?.epoch ?? checkpoint.epoch }
  }
  const { projections } = store
  return over(store, {
    renewCheckpoints: (holds) => holds.map(() => true),
    saveCheckpoint: async (checkpoint) => store.saveCheckpoint(await latest(checkpoint)),
    projections:
      projections &&
      over(projections, {
        lockCheckpoint: (tx, name) => projections.lockCheckpoint(tx, name),
        saveCheckpoint: async (tx, checkpoint) => {
          const current = await projections.lockCheckpoint(tx, checkpoint.name)
          return projections.saveCheckpoint(tx, { ...checkpoint, epoch: current?.epoch ?? checkpoint.epoch })
        },
      }),
  })
}

function forgettingPlace(store: EventStore): EventStore {
  return over(store, {
    claimCheckpoint: async (name, options) => {
      const claim = await store.claimCheckpoint(name, options)
      return claim && { ...claim, position: await store.headPosition(), index: 0 }
    },
  })
}
