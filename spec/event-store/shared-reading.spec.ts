import { describe, expect, it } from '@jest/globals'
import { StoreError } from '../../lib/errors.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import type { StoredEvent } from '../../lib/event-store/stored-event.ts'
import { append, decodeOne, makeHub, openStore, until } from './subscription-harness.ts'

async function storeOf(count: number): Promise<EventStore> {
  const store = await openStore()
  for (let number = 0; number < count; number++) append(store)
  return store
}

/** Several subscriptions that read together; gives what each of them was given, and what that has cost. */
function together(store: EventStore, starts: readonly number[]) {
  const cost = { reads: 0, decoded: 0 }
  const script = { failures: 0 }
  const counted = new Proxy(store, {
    get(target, key) {
      if (key === 'readAll') {
        cost.reads++
        if (script.failures-- > 0) return () => Promise.reject(new StoreError('no connection'))
      }
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const decode = (stored: StoredEvent) => {
    cost.decoded++
    return decodeOne(stored)
  }
  const hub = makeHub(counted, { decode, batchSize: 10 })
  const reading = hub.shareReading({})
  const seen = starts.map((): number[] => [])
  const start = () =>
    starts.map((startAfter, index) => {
      const subscription = hub.subscribe({
        name: `partition ${index}`,
        filter: {},
        startAfter,
        reading,
        listener: { deliver: ({ position }) => seen[index]?.push(position) !== 0, progressed: () => undefined },
      })
      subscription.start()
      return subscription
    })
  return { seen, cost, script, start }
}

function positions(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

describe('subscriptions that read together', () => {
  it('read and decode what they have missed once', async () => {
    const { seen, cost, start } = together(await storeOf(95), [0, 0, 0, 0])
    const subscriptions = start()
    await until(() => subscriptions.every(({ state }) => state === 'live'))
    expect(seen).toEqual(Array.from({ length: 4 }, () => positions(1, 95)))
    // The last page is read and decoded by each, and the hub looks once when it begins.
    expect(cost.reads).toBeLessThanOrEqual(9 + 4 + 2)
    expect(cost.decoded).toBeLessThanOrEqual(90 + 4 * 5)
    for (const subscription of subscriptions) await subscription.stop()
  })

  it('come together from different places, and nobody is given what it has handled', async () => {
    const { seen, cost, start } = together(await storeOf(200), [0, 3, 17, 190])
    const subscriptions = start()
    await until(() => subscriptions.every(({ state }) => state === 'live'))
    expect(seen).toEqual([positions(1, 200), positions(4, 200), positions(18, 200), positions(191, 200)])
    expect(cost.reads).toBeLessThan(2 * 20)
    for (const subscription of subscriptions) await subscription.stop()
  })

  it('miss nothing where a page could not be read, and where one is far behind', async () => {
    const { seen, script, start } = together(await storeOf(500), [0, 400])
    script.failures = 1
    const subscriptions = start()
    await until(() => subscriptions.every(({ state }) => state === 'live'))
    expect(seen).toEqual([positions(1, 500), positions(401, 500)])
    for (const subscription of subscriptions) await subscription.stop()
  })

  it('are given what is appended meanwhile', async () => {
    const store = await storeOf(30)
    const { seen, start } = together(store, [0, 0])
    const subscriptions = start()
    for (let number = 0; number < 30; number++) append(store)
    await until(() => seen.every(({ length }) => length === 60))
    expect(seen).toEqual([positions(1, 60), positions(1, 60)])
    for (const subscription of subscriptions) await subscription.stop()
  })
})
