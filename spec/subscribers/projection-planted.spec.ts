import { describe, expect, it } from '@jest/globals'
import { StoreError, retry, type EventStore } from 'edict'
import type { Checkpoint } from '../../lib/event-store/checkpoint.ts'
import type { ProjectionStore } from '../../lib/event-store/projection-store.ts'
import { Add, counterRouter, recordingLogger, started, until } from '../support/counter.ts'
import { altered, projectedDatabase, storeKinds, totals } from './projection-harness.ts'

// What would go wrong if a projection were made another way: each fault turns a scenario red that holds for the real one.

type Change = (projections: ProjectionStore, store: EventStore) => Partial<ProjectionStore>

const real: Change = () => ({})

/** The place is written on its own, whatever becomes of the transaction that it is for: a failure loses events. */
const checkpointBefore: Change = (projections, store) => {
  let place: Checkpoint | undefined
  return {
    saveCheckpoint: () => true,
    lockCheckpoint: async (_tx, name) => {
      const before = (await store.readCheckpoint(name))!
      place = { ...before, position: before.position + 1 }
      return before
    },
    transaction: async (work) => {
      try {
        return await projections.transaction(work)
      } finally {
        if (place !== undefined && place.position <= (await store.headPosition())) {
          await store.saveCheckpoint(place)
        }
        place = undefined
      }
    },
  }
}

/** The place is written on its own after the transaction: a failure in between writes events twice. */
const checkpointAfter: Change = (projections, store) => {
  let reached: Checkpoint | undefined
  let commits = 0
  return {
    saveCheckpoint: (_tx, checkpoint) => {
      reached = checkpoint
      return true
    },
    transaction: async (work) => {
      const result = await projections.transaction(work)
      const checkpoint = reached
      reached = undefined
      if (checkpoint === undefined) return result
      if (++commits % 3 === 0) throw new StoreError('the connection is gone', { outcome: 'unknown' })
      await store.saveCheckpoint(checkpoint)
      return result
    },
  }
}

/** As `checkpointAfter` fails, for the real one. */
const lostAnswers: Change = (projections) => {
  let commits = 0
  return {
    transaction: async (work) => {
      const result = await projections.transaction(work)
      const isBatch = typeof result === 'object' && result !== null && 'passed' in result
      if (isBatch && ++commits % 3 === 0) throw new StoreError('the connection is gone', { outcome: 'unknown' })
      return result
    },
  }
}

/** A transaction that does not ask whose turn it is. */
const noFence: Change = (_projections, store) => {
  const places = new Map<string, number>()
  return {
    lockCheckpoint: async (_tx, name, epoch = 1) => {
      const before = places.get(name) ?? (await store.readCheckpoint(name))?.position ?? 0
      return { name, position: before, index: 0, epoch }
    },
    saveCheckpoint: (_tx, { name, position }) => {
      places.set(name, position)
      return true
    },
  }
}

describe.each(storeKinds)('on %s', (_, kind) => {
  const database = projectedDatabase(kind)

  const start = (change: Change, made = totals(kind), logger = recordingLogger(), lease = 5_000) =>
    started({
      router: counterRouter,
      eventStore: altered(database.store(), change),
      handlers: [made],
      logger,
      subscriptions: { claimInterval: 20, lease },
    })
  const events = async () => Number((await database.read('SELECT events FROM totals'))[0]?.['events'] ?? 0)

  /** Fails now and then, is stopped and started; how many of its 12 events are in the view in the end. */
  async function interrupted(change: Change): Promise<number> {
    let calls = 0
    const flaky = totals(kind, {
      batchSize: 1,
      after: () => {
        if (++calls % 4 === 0) throw new Error('flaky')
      },
      onError: () => retry({ after: 0 }),
    })
    for (let round = 0; round < 4; round++) {
      const app = await start(change, flaky)
      for (let count = 0; count < 3; count++) await app.dispatch(Add({ id: 'a', by: 1 }))
      await app.stop()
    }
    const app = await start(change, flaky)
    const store = database.store()
    await store.open()
    await until(async () => ((await store.readCheckpoint('totals:1.1'))?.position ?? 0) >= 12, 'the place')
    await store.close()
    await app.stop()
    return events()
  }

  /** Another owner takes the place while an event is on its way; how many of two events are in the view. */
  async function robbed(change: Change): Promise<number> {
    const logger = recordingLogger()
    // It looks after its lease too seldom to hear by that of the other owner.
    const robbedApp = await start(change, totals(kind), logger, 600_000)
    await robbedApp.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    const store = database.store()
    await store.open()
    await store.claimCheckpoint('totals:1.1', { owner: 'thief', startAfter: 0, lease: 600_000, force: true })
    await robbedApp.dispatch(Add({ id: 'a', by: 1 }))
    const isFenced = () => logger.entries.some(({ message }) => message.includes('another owner has taken'))
    await until(async () => isFenced() || (await events()) > 1, 'a fence, or a write without one')
    await store.close()
    return events()
  }

  it('the real one has each event once, though it is interrupted', async () => {
    expect(await interrupted(real)).toBe(12)
    expect(await events()).toBe(12)
  })

  it('the real one has each event once, though answers to its commits are lost', async () => {
    expect(await interrupted(lostAnswers)).toBe(12)
  })

  it('a place that is written after the transaction would have events twice', async () => {
    expect(await interrupted(checkpointAfter)).toBeGreaterThan(12)
  })

  it('a place that is written before the transaction would lose events', async () => {
    expect(await interrupted(checkpointBefore)).toBeLessThan(12)
  })

  it('the real one writes nothing once it is robbed of its place', async () => {
    expect(await robbed(real)).toBe(1)
  })

  it('without a fence, two owners would write', async () => {
    expect(await robbed(noFence)).toBe(2)
  })
})
