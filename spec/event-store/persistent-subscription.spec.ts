import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../lib/effects/clock.ts'
import { StoreError } from '../../lib/errors.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import type { StoredEvent } from '../../lib/event-store/stored-event.ts'
import type { PersistentSubscriptionOptions } from '../../lib/event-store/persistent-subscription-options.ts'
import { PersistentSubscription } from '../../lib/event-store/persistent-subscription.ts'
import { recordedEvent } from '../../lib/event-store/recorded-event.ts'
import { ManualClock, append, keepingLogger, makeHub, openStore, turn, until } from './subscription-harness.ts'

function persist(store: EventStore, options: Partial<PersistentSubscriptionOptions> & { handled?: string[] } = {}) {
  const handled = options.handled ?? []
  const states: string[] = []
  const ends: unknown[] = []
  const followed: number[] = []
  const clock = options.clock ?? systemClock
  const subscription = new PersistentSubscription({
    name: 'balances',
    owner: 'one',
    startFrom: 'origin',
    filter: {},
    hub: makeHub(store, { clock }),
    store,
    clock,
    logger: keepingLogger(),
    claimInterval: 20,
    ...options,
    listener: {
      deliver: ({ position, index }) => {
        handled.push(`${position}.${index}`)
        return true
      },
      progressed: () => {},
      changed: (state) => void states.push(state),
      ended: (error) => void ends.push(error),
      followed: (position) => void followed.push(position),
      ...options.listener,
    },
  })
  return { subscription, handled, states, ends, followed }
}

async function checkpointOf(store: EventStore, name = 'balances') {
  return (await store.readCheckpoint(name))?.position
}

describe('a persistent subscription', () => {
  it('goes on after the last event that it handled', async () => {
    const store = await openStore()
    append(store)
    append(store)
    const first = persist(store)
    await first.subscription.start()
    await first.subscription.stop()
    append(store)
    const second = persist(store, { owner: 'two' })
    await second.subscription.start()
    await second.subscription.stop()
    expect([first.handled, second.handled]).toEqual([['1.0', '2.0'], ['3.0']])
    expect(first.states).toEqual(['claiming', 'live', 'ended'])
    expect(first.ends).toEqual([undefined])
  })

  it('begins at a position, inclusive, the first time only', async () => {
    const store = await openStore()
    for (let count = 0; count < 5; count++) append(store)
    const first = persist(store, { startFrom: 4 })
    await first.subscription.start()
    await first.subscription.stop()
    append(store)
    const second = persist(store, { startFrom: 1 })
    await second.subscription.start()
    await second.subscription.stop()
    expect([first.handled, second.handled]).toEqual([['4.0', '5.0'], ['6.0']])
  })

  it('writes its checkpoint once for many events, soon after them', async () => {
    const inner = await openStore()
    const clock = new ManualClock()
    let writes = 0
    const store = new Proxy(inner, {
      get(target, key) {
        if (key === 'saveCheckpoint') writes++
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const { subscription } = persist(store, { clock })
    await subscription.start()
    for (let count = 0; count < 100; count++) {
      append(inner)
      await turn()
    }
    expect(writes).toBe(0)
    await clock.advance(10)
    expect(writes).toBe(1)
    expect(await checkpointOf(store)).toBe(100)
    for (let count = 0; count < 1_500; count++) append(inner)
    await turn()
    expect(writes).toBe(2)
    await subscription.stop()
    expect(clock.timers).toBe(0)
  })

  it('writes its checkpoint seldom while it catches up, and soon once it has', async () => {
    const store = await openStore()
    for (let count = 0; count < 3; count++) append(store)
    const clock = new ManualClock()
    const inHand: (() => void)[] = []
    const deliver = () => new Promise<boolean>((resolve) => void inHand.push(() => resolve(true)))
    const handleNext = async () => {
      await until(() => inHand.length > 0)
      inHand.shift()?.()
      await turn()
    }
    const { subscription } = persist(store, { clock, listener: { deliver, progressed: () => {} } })
    await subscription.start()
    await handleNext()
    await clock.advance(99)
    expect(await checkpointOf(store)).toBe(0)
    await clock.advance(1)
    expect(await checkpointOf(store)).toBe(1)
    await handleNext()
    await handleNext()
    expect(subscription.position).toBe(3)
    await clock.advance(10)
    expect(await checkpointOf(store)).toBe(3)
    await subscription.stop()
    expect(clock.timers).toBe(0)
  })

  it('follows lazily what does not interest it, so that a restart need not read it all again', async () => {
    const store = await openStore()
    const { subscription } = persist(store, { filter: { types: new Set(['Rare']) } })
    await subscription.start()
    for (let count = 0; count < 900; count++) append(store)
    await turn()
    expect(await checkpointOf(store)).toBe(0)
    for (let count = 0; count < 1_500; count++) append(store)
    await until(() => subscription.position === 2_400)
    expect(await checkpointOf(store)).toBeGreaterThan(900)
    await subscription.stop()
    expect(await checkpointOf(store)).toBe(2_400)
  })

  it('goes on in the middle of the events that upcasting makes of a stored one', async () => {
    const store = await openStore()
    append(store)
    append(store)
    const decode = (stored: StoredEvent) => [0, 1, 2].map((index) => recordedEvent(stored, stored.data, index))
    const handled: string[] = []
    const hub = makeHub(store, { decode })
    const first = persist(store, {
      hub,
      listener: {
        deliver: ({ position, index }) => position === 1 || index === 0,
        progressed: () => {},
      },
    })
    await first.subscription.start()
    await until(() => first.ends.length === 0)
    await first.subscription.stop()
    expect(await store.readCheckpoint('balances')).toMatchObject({ position: 1, index: 1 })
    const second = persist(store, { hub, handled })
    await second.subscription.start()
    await second.subscription.stop()
    expect(handled).toEqual(['2.1', '2.2'])
  })

  it('waits while another owner holds it, tells how far that one is, and takes over', async () => {
    const store = await openStore()
    append(store)
    const clock = new ManualClock()
    const first = persist(store, { clock })
    await first.subscription.start()
    const second = persist(store, { owner: 'two', clock })
    await second.subscription.start()
    await clock.advance(50)
    expect([second.states.at(-1), second.handled, second.followed.at(-1)]).toEqual(['claiming', [], 1])
    await first.subscription.stop()
    append(store)
    await clock.advance(50)
    expect([second.states.at(-1), second.handled]).toEqual(['live', ['2.0']])
    await second.subscription.stop()
    expect(clock.timers).toBe(0)
  })

  it('lets go when the fence tells that another owner has taken it, and does not disturb that one', async () => {
    const store = await openStore()
    const first = persist(store)
    await first.subscription.start()
    await store.deleteCheckpoint('balances')
    await store.claimCheckpoint('balances', { owner: 'two', startAfter: 7, lease: 600_000 })
    append(store)
    await until(() => first.states.at(-1) === 'claiming')
    append(store)
    await turn()
    expect(first.handled).toEqual(['1.0'])
    await first.subscription.stop()
    expect(await checkpointOf(store)).toBe(7)
    expect(await store.claimCheckpoint('balances', { owner: 'three', startAfter: 0 })).toBeUndefined()
  })

  it('goes on when its checkpoint cannot be written for a while, and writes it later', async () => {
    const inner = await openStore()
    const clock = new ManualClock()
    let full = true
    const store = new Proxy(inner, {
      get(target, key) {
        if (key === 'saveCheckpoint' && full) return () => Promise.reject(new StoreError('the disk is full'))
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const { subscription, handled } = persist(store, { clock })
    await subscription.start()
    append(inner)
    await clock.advance(20)
    append(inner)
    await clock.advance(20)
    expect(handled).toEqual(['1.0', '2.0'])
    expect(await checkpointOf(store)).toBe(0)
    full = false
    await clock.advance(2_000)
    expect(await checkpointOf(store)).toBe(2)
  })

  it('tries again when the store does not answer its claim', async () => {
    const inner = await openStore()
    const clock = new ManualClock()
    let failures = 2
    const store = new Proxy(inner, {
      get(target, key) {
        if (key === 'claimCheckpoint' && failures-- > 0) return () => Promise.reject(new StoreError('no connection'))
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    append(inner)
    const { subscription, handled } = persist(store, { clock })
    await subscription.start()
    await clock.advance(100)
    expect(handled).toEqual(['1.0'])
    await subscription.stop()
  })
})
