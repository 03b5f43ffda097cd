import { afterEach, describe, expect, it } from '@jest/globals'
import {
  eventHandler,
  inMemoryEventStore,
  readAllEvents,
  router,
  subscribe,
  type DispatchOptions,
  type Pipeline,
  type RecordedEvent,
  type Serializer,
} from 'edict'
import { Add, Added, Counter, counterRouter, deferred, started, stopAll, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

const add = (by = 1, id = 'a') => Add({ id, by })

describe.each(everyStore)('tenants on $kind', ({ share }) => {
  const stores = share()

  it('have aggregates of their own: the same identity is another one for each, and for nobody', async () => {
    const eventStore = stores.node()
    const app = await started({ router: counterRouter, eventStore })
    const ofAcme = await app.dispatch(add(1), { tenant: 'acme' })
    const ofGlobex = await app.dispatch(add(10), { tenant: 'globex' })
    const ofNobody = await app.dispatch(add(100))
    expect([ofAcme, ofGlobex, ofNobody].map(({ streamId, aggregateId }) => [streamId, aggregateId])).toEqual([
      ['acme/counter-a', 'a'],
      ['globex/counter-a', 'a'],
      ['counter-a', 'a'],
    ])
    await app.dispatch(add(1), { tenant: 'acme' })
    const totals = [
      await app.aggregateState(Counter, 'a', { tenant: 'acme' }),
      await app.aggregateState(Counter, 'a', { tenant: 'globex' }),
      await app.aggregateState(Counter, 'a'),
    ]
    expect(totals).toEqual([{ total: 2 }, { total: 10 }, { total: 100 }])
    expect(await app.aggregateVersion(Counter, 'a', { tenant: 'acme' })).toBe(2)
    expect(await app.aggregateVersion(Counter, 'a', { tenant: 'nobody-knows' })).toBe(0)
  })

  it('are stored with the events, told to handlers, and found again by reads and subscriptions', async () => {
    const seen: [string, string | undefined][] = []
    const watching = eventHandler('watching', {
      events: [Added],
      consistency: 'strong',
      handle: (_data, { streamId, tenant }) => void seen.push([streamId, tenant]),
    })
    const eventStore = stores.node()
    const app = await started({ router: counterRouter, eventStore, handlers: [watching] })
    for (const tenant of ['acme', 'globex', 'acme']) await app.dispatch(add(), { tenant, consistency: 'strong' })
    const { events } = await app.dispatch(add(), { consistency: 'strong' })
    expect(seen).toEqual([
      ['acme/counter-a', 'acme'],
      ['globex/counter-a', 'globex'],
      ['acme/counter-a', 'acme'],
      ['counter-a', undefined],
    ])
    expect('tenant' in events[0]!).toBe(false)
    const read: number[] = []
    for await (const { position } of readAllEvents(eventStore, { tenant: 'acme' })) read.push(position)
    expect(read).toEqual([1, 3])
    const followed: RecordedEvent[] = []
    const subscription = subscribe(eventStore, { tenant: 'acme', handle: (event) => void followed.push(event) })
    await until(() => followed.length === 2, 'the past')
    await app.dispatch(add(), { tenant: 'globex' })
    await app.dispatch(add(), { tenant: 'acme' })
    await until(() => followed.length === 3, 'the present')
    await subscription.stop()
    expect(followed.map(({ position, tenant }) => [position, tenant])).toEqual([
      [1, 'acme'],
      [3, 'acme'],
      [6, 'acme'],
    ])
  })

  it('are found again by another node, which keeps them apart too', async () => {
    const one = await started({ router: counterRouter, eventStore: stores.node() })
    await one.dispatch(add(1), { tenant: 'acme', commandId: 'c1' })
    await one.dispatch(add(2), { tenant: 'globex', commandId: 'c1' })
    const other = await started({ router: counterRouter, eventStore: stores.node() })
    await expect(other.dispatch(add(3), { tenant: 'acme' })).resolves.toMatchObject({ aggregateState: { total: 4 } })
    await expect(other.dispatch(add(1), { tenant: 'acme', commandId: 'c1' })).resolves.toMatchObject({
      aggregateVersion: 1,
      aggregateState: { total: 1 },
    })
    await expect(one.dispatch(add(3), { tenant: 'globex' })).resolves.toMatchObject({ aggregateState: { total: 5 } })
  })

  it('never get a stream that is another one’s, or nobody’s, whatever its id', async () => {
    const bare = router('bare', (r) => r.identify(Counter, { by: 'id' }).dispatch(Add, { to: Counter }))
    const snapshots = { Counter: { every: 1 } }
    const eventStore = stores.node()
    const app = await started({ router: bare, eventStore, snapshots })
    await app.dispatch(add(1, 'acme/b'))
    await app.dispatch(add(1, 'b'), { tenant: 'globex' })
    await until(async () => (await eventStore.readSnapshot('acme/b')) !== undefined, 'a snapshot')
    await until(async () => (await eventStore.readSnapshot('globex/b')) !== undefined, 'another snapshot')
    // With what is in memory, and with what is in the store alone.
    for (const node of [app, await started({ router: bare, eventStore: stores.node(), snapshots })]) {
      await expect(node.dispatch(add(1, 'b'), { tenant: 'acme' })).rejects.toMatchObject({
        code: 'tenant_mismatch',
        outcome: 'not-executed',
        message: 'stream acme/b belongs to no tenant, not to the tenant acme',
      })
      await expect(node.dispatch(add(1, 'globex/b'))).rejects.toMatchObject({ code: 'tenant_mismatch' })
      await expect(node.aggregateState(Counter, 'b', { tenant: 'acme' })).rejects.toMatchObject({
        code: 'tenant_mismatch',
      })
      await expect(node.aggregateState(Counter, 'globex/b')).rejects.toMatchObject({ code: 'tenant_mismatch' })
      const { events } = await node.dispatch(add(1, 'acme/b'), { commandId: 'once' })
      await expect(node.dispatch(add(1, 'b'), { tenant: 'acme', commandId: 'once' })).rejects.toMatchObject({
        code: 'tenant_mismatch',
      })
      expect(events[0]).toMatchObject({ streamId: 'acme/b' })
    }
  })
})

describe('a tenant', () => {
  it('is told to execute, to command handlers, to beforeExecute and to middleware', async () => {
    const told: unknown[] = []
    const telling = router('telling', (r) =>
      r
        .middleware({ beforeDispatch: ({ tenant }) => void told.push(['middleware', tenant]) })
        .identify(Counter, { by: 'id' })
        .dispatch(Add, {
          aggregate: Counter,
          beforeExecute: (_state, { tenant }) => void told.push(['before', tenant]),
          to: (_counter, { by }, { tenant }) => {
            told.push(['handler', tenant])
            return Added({ by })
          },
        }),
    )
    const app = await started({ router: telling })
    await app.dispatch(add(), { tenant: 'acme' })
    await app.dispatch(add())
    expect(told).toEqual([
      ['middleware', 'acme'],
      ['before', 'acme'],
      ['handler', 'acme'],
      ['middleware', undefined],
      ['before', undefined],
      ['handler', undefined],
    ])
  })

  it('may be chosen by a function around, before the command begins', async () => {
    const around = async (pipeline: Pipeline, next: () => Promise<void>) => {
      pipeline.tenant = String(pipeline.metadata['host'])
      await next()
    }
    const chosen = router('chosen', (r) => r.middleware(around).router(counterRouter))
    const app = await started({ router: chosen })
    const { events } = await app.dispatch(add(), { metadata: { host: 'acme' } })
    expect(events[0]).toMatchObject({ tenant: 'acme', streamId: 'acme/counter-a' })
  })

  it('may be chosen by a hook, and not any more once the command has begun', async () => {
    let late: unknown
    const chosen = router('chosen', (r) =>
      r
        .middleware({
          beforeDispatch: (pipeline) => {
            pipeline.tenant = 'acme'
          },
          afterDispatch: (pipeline) => {
            try {
              pipeline.tenant = 'globex'
            } catch (error) {
              late = error
            }
          },
        })
        .router(counterRouter),
    )
    const app = await started({ router: chosen })
    await expect(app.dispatch(add())).resolves.toMatchObject({ streamId: 'acme/counter-a' })
    expect(late).toMatchObject({ code: 'middleware_misuse' })
  })

  it('is that of what a handler dispatches because of its events', async () => {
    const done = deferred<string | undefined>()
    const doubling = eventHandler('doubling', {
      events: [Added],
      handle: async ({ by }, { streamId, tenant }, { dispatch }) => {
        if (streamId.endsWith('-a')) await dispatch(add(by * 2, 'b'))
        else done.resolve(tenant)
      },
    })
    const app = await started({ router: counterRouter, handlers: [doubling] })
    await app.dispatch(add(3), { tenant: 'acme' })
    expect(await done.promise).toBe('acme')
    expect(await app.aggregateState(Counter, 'b', { tenant: 'acme' })).toEqual({ total: 6 })
    expect(await app.aggregateVersion(Counter, 'b')).toBe(0)
  })

  it.each<[string, unknown]>([
    ['an empty text', ''],
    ['no text', 5],
    ['null', null],
    ['a text with a slash', 'acme/north'],
    ['a text with NUL', 'a\0'],
    ['a text that is too long', 'x'.repeat(256)],
  ])('that is %s is refused', async (_what, tenant) => {
    const eventStore = inMemoryEventStore()
    const app = await started({ router: counterRouter, eventStore })
    const options = { tenant } as DispatchOptions
    await expect(app.dispatch(add(), options)).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(app.aggregateState(Counter, 'a', options as { tenant: string })).rejects.toMatchObject({
      code: 'invalid_option',
    })
    expect(await eventStore.headPosition()).toBe(0)
  })

  it('is told to a serializer, for events and for snapshots, when they are written and when they are read', async () => {
    const told = new Set<string>()
    const serializer: Serializer = {
      contentType: 'text/x-told',
      encode: (data, { type, tenant }) => {
        told.add(`encode ${type} of ${tenant ?? 'nobody'}`)
        return JSON.stringify(data)
      },
      decode: (encoded, { type, tenant }) => {
        told.add(`decode ${type} of ${tenant ?? 'nobody'}`)
        return JSON.parse(String(encoded)) as unknown
      },
    }
    const eventStore = inMemoryEventStore()
    const definition = { router: counterRouter, eventStore, serializer, snapshots: { Counter: { every: 2 } } }
    const app = await started(definition)
    for (let times = 0; times < 3; times++) await app.dispatch(add(), { tenant: 'acme' })
    await until(async () => (await eventStore.readSnapshot('acme/counter-a')) !== undefined, 'the snapshot')
    const again = await started(definition)
    expect(await again.aggregateState(Counter, 'a', { tenant: 'acme' })).toEqual({ total: 3 })
    expect([...told].sort()).toEqual([
      'decode Added of acme',
      'decode Counter of acme',
      'encode Added of acme',
      'encode Counter of acme',
    ])
  })

  it('does not keep the memory of a tenant whose aggregates have left it', async () => {
    const app = await started({ router: counterRouter, cache: { aggregates: 2 } })
    for (const tenant of ['a', 'b', 'c', 'd']) await app.dispatch(add(), { tenant })
    for (const tenant of ['d', 'c', 'b', 'a']) {
      await expect(app.dispatch(add(), { tenant })).resolves.toMatchObject({ aggregateState: { total: 2 } })
    }
  })
})
