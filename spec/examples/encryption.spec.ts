import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, readRecordedEvents, subscribe, type EventStore } from 'edict'
import {
  Customer,
  CustomerRegistered,
  customers,
  OrderPlaced,
  PlaceOrder,
  RegisterCustomer,
} from '../../examples/encryption/customers.ts'
import { forget, forgetful, shopSerializer } from '../../examples/encryption/forgetful-shop.ts'
import { inMemoryKeyStore, type KeyStore } from '../../examples/encryption/key-store.ts'
import { recordingLogger, started, stopAll, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { runExample } from './run-example.ts'

afterEach(stopAll)

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' }
const NOBODY = { name: '(forgotten)', email: '(forgotten)' }

async function shop(eventStore: EventStore, keys: KeyStore) {
  const seen: unknown[] = []
  const logger = recordingLogger()
  const app = await started({
    router: customers,
    eventStore,
    logger,
    serializer: shopSerializer(keys),
    upcasters: forgetful,
    snapshots: { Customer: { every: 2 } },
    handlers: [
      eventHandler(`register-${Math.random()}`, {
        events: [CustomerRegistered, OrderPlaced],
        consistency: 'strong',
        handle: (data, { type }) => void seen.push([type, data]),
      }),
    ],
  })
  return { app, seen, logger }
}

/** All that the tables or the memory of a store say. */
async function written(eventStore: EventStore): Promise<string> {
  const { events } = await eventStore.readAll()
  return JSON.stringify([events, await eventStore.readSnapshot('customer-17')])
}

describe.each(everyStore)('encrypted events on $kind', ({ share }) => {
  const stores = share()

  it('are read by those who have the key, snapshots included, and the store says nothing of the person', async () => {
    const [eventStore, keys] = [stores.node(), inMemoryKeyStore()]
    const { app, seen } = await shop(eventStore, keys)
    await app.dispatch(RegisterCustomer({ id: '17', ...ADA }), { commandId: 'register-17' })
    await app.dispatch(PlaceOrder({ id: '17', total: 42 }), { consistency: 'strong' })
    expect(seen).toEqual([
      ['CustomerRegistered', ADA],
      ['OrderPlaced', { total: 42 }],
    ])
    await until(async () => (await eventStore.readSnapshot('customer-17')) !== undefined, 'the snapshot')
    expect(await written(eventStore)).not.toMatch(/Ada Lovelace|ada@example/)
    await app.evict(Customer, '17')
    expect(await app.aggregateState(Customer, '17')).toEqual({ ...ADA, spent: 42 })
    // A repeat is known by its command, though the same data is never encrypted to the same text twice.
    await expect(
      app.dispatch(RegisterCustomer({ id: '17', ...ADA }), { commandId: 'register-17' }),
    ).resolves.toMatchObject({ aggregateVersion: 1, events: [{ data: ADA }] })
  })

  it('say nothing to any reader once the key is destroyed, and fail none of them', async () => {
    const [eventStore, keys] = [stores.node(), inMemoryKeyStore()]
    const { app } = await shop(eventStore, keys)
    await app.dispatch(RegisterCustomer({ id: '17', ...ADA }))
    await app.dispatch(PlaceOrder({ id: '17', total: 42 }), { consistency: 'strong' })
    await until(async () => (await eventStore.readSnapshot('customer-17')) !== undefined, 'the snapshot')
    await keys.destroy('customer-17')
    await app.evict(Customer, '17')
    // The snapshot is there still, and cannot be read: the state comes from the events.
    expect(await app.aggregateState(Customer, '17')).toEqual({ ...NOBODY, spent: 42 })
    await forget(app, eventStore, keys, '17')
    expect(await app.aggregateState(Customer, '17')).toEqual({ ...NOBODY, spent: 42 })
    await expect(app.dispatch(PlaceOrder({ id: '17', total: 1 }))).resolves.toMatchObject({ aggregateVersion: 3 })
    await expect(app.dispatch(RegisterCustomer({ id: '17', ...ADA }))).rejects.toMatchObject({
      code: 'command_failed',
      outcome: 'not-executed',
    })
    const again = await shop(stores.node(), keys)
    await until(() => again.seen.length === 3, 'the new handler')
    expect(again.seen[0]).toEqual(['CustomerRegistered', NOBODY])
    const reading = { serializer: shopSerializer(keys), upcasters: forgetful }
    const subscribed: unknown[] = []
    const subscription = subscribe(eventStore, { ...reading, handle: ({ data }) => void subscribed.push(data) })
    await until(() => subscribed.length === 3, 'the subscription')
    await subscription.stop()
    const read: unknown[] = []
    for await (const { data } of readRecordedEvents(eventStore, reading)) read.push(data)
    expect([subscribed[0], read[0]]).toEqual([NOBODY, NOBODY])
  })
})

describe('the encryption example', () => {
  it('runs', async () => {
    const { status, stdout, stderr } = await runExample('examples/encryption/main.ts', [])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('(forgotten)')
  })
})
