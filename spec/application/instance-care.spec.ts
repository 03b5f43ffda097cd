import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, type EventStore } from 'edict'
import { InstanceCache } from '../../lib/aggregate/instance-cache.ts'
import { modelOf } from '../../lib/aggregate/aggregate.ts'
import type { AggregateModel } from '../../lib/aggregate/model.ts'
import { Add, Counter, counterRouter, started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

const onDemand = { Counter: { every: Infinity } }

/** The versions from which streams are read. */
function watched(eventStore: EventStore): { readonly eventStore: EventStore; readonly from: number[] } {
  const from: number[] = []
  const readStream: EventStore['readStream'] = (streamId, options) => {
    from.push(options?.fromVersion ?? 1)
    return eventStore.readStream(streamId, options)
  }
  const proxy = new Proxy(eventStore, {
    get(target, key) {
      if (key === 'readStream') return readStream
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  return { eventStore: proxy, from }
}

describe.each(everyStore)('an aggregate on $kind', ({ share }) => {
  const stores = share()

  it('is kept by a snapshot when it is asked for, whether it is in memory or not', async () => {
    const { eventStore, from } = watched(stores.node())
    const app = await started({ router: counterRouter, eventStore, snapshots: onDemand })
    for (let add = 0; add < 5; add++) await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(await eventStore.readSnapshot('counter-a')).toBeUndefined()
    expect(await app.snapshot(Counter, 'a')).toBe(5)
    expect(await app.evict(Counter, 'a')).toBe(true)
    from.length = 0
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).resolves.toMatchObject({ aggregateState: { total: 6 } })
    expect(from).toEqual([6])
    await app.evict(Counter, 'a')
    expect(await app.snapshot(Counter, 'a')).toBe(6)
    expect(await eventStore.readSnapshot('counter-a')).toMatchObject({ streamVersion: 6, snapshotVersion: 1 })
  })

  it('that is evicted comes back from its stream, and sees what others wrote meanwhile', async () => {
    const [one, other] = [
      await started({ router: counterRouter, eventStore: stores.node() }),
      await started({ router: counterRouter, eventStore: stores.node() }),
    ]
    await one.dispatch(Add({ id: 'a', by: 1 }))
    await other.dispatch(Add({ id: 'a', by: 10 }))
    expect(await one.evict(Counter, 'a')).toBe(true)
    expect(await one.evict(Counter, 'a')).toBe(false)
    await expect(one.dispatch(Add({ id: 'a', by: 100 }), { retryAttempts: 0 })).resolves.toMatchObject({
      aggregateState: { total: 111 },
    })
  })
})

describe('an aggregate', () => {
  it('is evicted between its commands, none of which is lost', async () => {
    const { eventStore } = watched(inMemoryEventStore())
    const slow: EventStore = Object.create(eventStore, {
      append: {
        value: async (...given: Parameters<EventStore['append']>) => {
          await new Promise((resolve) => setTimeout(resolve, 1))
          return eventStore.append(...given)
        },
      },
      capabilities: { value: eventStore.capabilities },
    })
    const app = await started({ router: counterRouter, eventStore: slow })
    const work: Promise<unknown>[] = []
    for (let add = 0; add < 20; add++) {
      work.push(app.dispatch(Add({ id: 'a', by: 1 }), { retryAttempts: 0 }))
      if (add % 3 === 0) work.push(app.evict(Counter, 'a'))
    }
    await Promise.all(work)
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 20 })
  })

  it('without events has no snapshot, and one whose snapshots nobody would read is refused', async () => {
    const eventStore = inMemoryEventStore()
    const app = await started({ router: counterRouter, eventStore, snapshots: onDemand })
    expect(await app.snapshot(Counter, 'new')).toBe(0)
    const without = await started({ router: counterRouter, eventStore })
    await without.dispatch(Add({ id: 'a', by: 1 }))
    await expect(without.snapshot(Counter, 'a')).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining('{ every: Infinity } keeps only those that are asked for') as unknown,
    })
    await expect(without.snapshot({} as typeof Counter, 'a')).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(without.evict(Counter, '')).rejects.toMatchObject({ code: 'invalid_identity' })
    await without.stop()
    await expect(without.evict(Counter, 'a')).rejects.toMatchObject({ code: 'not_running' })
    await expect(without.snapshot(Counter, 'a')).rejects.toMatchObject({ code: 'not_running' })
  })

  it('whose snapshot fails when it is asked for says so to the caller', async () => {
    const inner = inMemoryEventStore()
    const eventStore = new Proxy(inner, {
      get(target, key) {
        if (key === 'saveSnapshot') return () => Promise.reject(new Error('disk full'))
        const member: unknown = Reflect.get(target, key, target)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
    const app = await started({ router: counterRouter, eventStore, snapshots: onDemand })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await expect(app.snapshot(Counter, 'a')).rejects.toThrow('disk full')
  })
})

describe('the cache of live aggregates', () => {
  it('never holds more than it may, of a hundred thousand that come by, and no links to those that left', () => {
    const model = modelOf(Counter) as AggregateModel
    const cache = new InstanceCache(1_000)
    const group = cache.group(model, 'counter-')
    let most = 0
    let left = 0
    cache.removed = (instance) => {
      left++
      if (instance.newer !== undefined || instance.older !== undefined) throw new Error('it is held by its links')
    }
    for (let id = 0; id < 100_000; id++) {
      cache.obtain(group, `${id}`)
      most = Math.max(most, group.instances.size)
    }
    expect([most, cache.size, left]).toEqual([1_000, 1_000, 99_000])
    expect([...group.instances.keys()][0]).toBe('99000')
  })
})
