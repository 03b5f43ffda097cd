import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  application,
  eventHandler,
  inMemoryEventStore,
  park,
  type EventHandlerDefinition,
  type HandlerControl,
} from 'edict'
import { Add, Added, counterRouter, started, stopAll, until } from '../support/counter.ts'
import { everyDurableStore, everyStore } from '../support/every-store.ts'

afterEach(stopAll)

type Definition = Partial<EventHandlerDefinition<readonly [typeof Added]>>

describe.each(everyStore)('a handler in the hands of code, on the store $kind', ({ share }) => {
  const stores = share()
  let poison: Set<number>
  let handled: string[]

  beforeEach(() => {
    poison = new Set()
    handled = []
  })

  async function node(definition: Definition = {}) {
    const totals = eventHandler('totals', {
      events: [Added],
      consistency: 'strong',
      handle: ({ by }, { streamId }) => {
        if (poison.has(by)) throw new Error(`cannot bear ${by}`)
        handled.push(`${streamId}:${by}`)
      },
      onError: () => park(),
      ...definition,
    })
    const app = await started({
      router: counterRouter,
      eventStore: stores.node(),
      handlers: [totals],
      subscriptions: { lease: 500, claimInterval: 50 },
    })
    const add = (id: string, by: number) => app.dispatch(Add({ id, by }), { consistency: 'strong' })
    return { app, add, control: app.handler(totals) }
  }

  it('tells how it does, lists what is parked with its error, and replays it in order', async () => {
    const { add, control } = await node()
    poison.add(13)
    for (const [id, by] of [
      ['a', 1],
      ['a', 13],
      ['b', 2],
      ['a', 3],
    ] as const)
      await add(id, by)
    expect(handled).toEqual(['counter-a:1', 'counter-b:2'])
    expect(await control.status()).toMatchObject({ name: 'totals', state: 'live', failures: 0, parked: 2 })
    expect(await control.parked()).toMatchObject([
      {
        key: 'counter-a',
        position: 2,
        streamVersion: 2,
        type: 'Added',
        event: { data: { by: 13 } },
        attempts: 1,
        error: { name: 'Error', message: 'cannot bear 13' },
      },
      { key: 'counter-a', streamVersion: 3, event: { data: { by: 3 } }, attempts: 0, error: undefined },
    ])
    expect(await control.parked({ limit: 1, after: 2 })).toMatchObject([{ streamVersion: 3 }])
    expect(await control.replay()).toEqual({ replayed: 0, failed: 1, waiting: 1 })
    expect(await control.parked({ limit: 1 })).toMatchObject([{ position: 2, attempts: 2 }])
    poison.clear()
    expect(await control.replay({ key: 'counter-a' })).toEqual({ replayed: 2, failed: 0, waiting: 0 })
    await add('a', 4)
    expect(handled).toEqual(['counter-a:1', 'counter-b:2', 'counter-a:13', 'counter-a:3', 'counter-a:4'])
    expect(await control.status()).toMatchObject({ parked: 0, state: 'live' })
  })

  it('replays one event, the first of its key, and discards any', async () => {
    const { add, control } = await node()
    poison.add(13)
    await add('a', 13)
    await add('a', 2)
    await add('a', 3)
    const [first, second, third] = await control.parked()
    if (!first || !second || !third) throw new Error('three events are parked')
    poison.clear()
    await expect(control.replay({ position: second.position })).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(control.replay({ position: 1_000 })).rejects.toMatchObject({ code: 'invalid_option' })
    expect(await control.discard({ position: second.position })).toBe(1)
    expect((await control.parked()).map(({ position }) => position)).toEqual([first.position, third.position])
    expect(await control.replay({ position: first.position })).toEqual({ replayed: 1, failed: 0, waiting: 0 })
    await until(() => handled.length === 2)
    poison.add(14)
    await add('b', 14)
    expect(await control.discard({ key: 'counter-b' })).toBe(1)
    expect(await control.discard('all')).toBe(0)
    await add('a', 4)
    expect(handled).toEqual(['counter-a:13', 'counter-a:3', 'counter-a:4'])
  })

  it('begins anew from the origin, or from a position, after beforeReset', async () => {
    const resets: unknown[] = []
    const { app, add, control } = await node({
      beforeReset: (context) => {
        resets.push(context)
        handled = []
      },
    })
    poison.add(13)
    await add('a', 1)
    await add('b', 13)
    const { events } = await add('a', 3)
    poison.clear()
    await control.reset()
    await until(() => handled.length === 3)
    expect(handled).toEqual(['counter-a:1', 'counter-b:13', 'counter-a:3'])
    expect((await control.status()).parked).toBe(0)
    await control.reset({ startFrom: events[0]?.position ?? 0 })
    await until(() => handled.length === 1)
    expect(handled).toEqual(['counter-a:3'])
    await control.reset({ startFrom: 'current' })
    await add('a', 4)
    expect(handled).toEqual(['counter-a:4'])
    expect(resets).toEqual(Array.from({ length: 3 }, () => ({ handlerName: 'totals', application: app.name })))
  })

  it('stays where it was when beforeReset fails', async () => {
    const { add, control } = await node({
      beforeReset: () => {
        throw new Error('not now')
      },
    })
    await add('a', 1)
    await expect(control.reset()).rejects.toThrow('not now')
    await add('a', 2)
    expect(handled).toEqual(['counter-a:1', 'counter-a:2'])
  })

  it('is stopped and started again, and goes on where it was', async () => {
    const { app, add, control } = await node()
    await add('a', 1)
    await control.stop()
    expect(await control.status()).toMatchObject({ state: 'stopped' })
    await app.dispatch(Add({ id: 'a', by: 2 }))
    await expect(add('a', 3)).rejects.toMatchObject({ code: 'consistency_timeout', laggards: ['totals'] })
    await control.start()
    await until(() => handled.length === 3)
    await add('a', 4)
    expect(handled).toEqual([1, 2, 3, 4].map((by) => `counter-a:${by}`))
  })

  it.each([
    ['none', {}],
    ['another', { partitionBy: ({ streamId }: { readonly streamId: string }) => streamId.length }],
  ] as const)('replays in its partitions what was parked by a partitionBy in whose place is %s', async (_, now) => {
    const before = await node({ concurrency: 4, partitionBy: ({ data }) => data.by })
    const amounts = [1, 2, 3, 4, 5, 6, 7, 8]
    for (const by of amounts) poison.add(by)
    for (const by of amounts) await before.add('a', by)
    await before.app.stop()
    poison.clear()
    const { control } = await node({ concurrency: 4, ...now })
    expect(await control.replay('all', { timeout: 20_000 })).toEqual({ replayed: 8, failed: 0, waiting: 0 })
    expect([...handled].sort()).toEqual(amounts.map((by) => `counter-a:${by}`))
  })

  it('parks, replays and begins anew in its partitions', async () => {
    const { add, control } = await node({ concurrency: 4 })
    const ids = ['a', 'b', 'c', 'd', 'e', 'f']
    poison.add(13)
    for (const id of ids) await add(id, 13)
    for (const id of ids) await add(id, 2)
    expect(handled).toEqual([])
    expect(await control.status()).toMatchObject({ parked: 12, partitions: [0, 1, 2, 3] })
    poison.clear()
    expect(await control.replay()).toEqual({ replayed: 12, failed: 0, waiting: 0 })
    for (const id of ids) await add(id, 3)
    const of = (id: string) => handled.filter((one) => one.startsWith(`counter-${id}:`))
    for (const id of ids) expect(of(id)).toEqual([13, 2, 3].map((by) => `counter-${id}:${by}`))
    handled = []
    await control.reset()
    await until(() => handled.length === 18)
    for (const id of ids) expect(of(id)).toEqual([13, 2, 3].map((by) => `counter-${id}:${by}`))
  })
})

describe.each(everyDurableStore)('a handler that another node runs, on $kind', ({ share }) => {
  const stores = share()

  it('is replayed, discarded from and reset from any node', async () => {
    const poison = new Set([13])
    const handled: string[] = []
    const resets: string[] = []
    const nodeOf = async (name: string) => {
      const totals = eventHandler('totals', {
        events: [Added],
        consistency: 'strong',
        handle: ({ by }) => {
          if (poison.has(by)) throw new Error('poison')
          handled.push(`${name}:${by}`)
        },
        beforeReset: () => {
          resets.push(name)
          handled.length = 0
        },
        onError: () => park(),
      })
      const app = await started({
        name,
        router: counterRouter,
        eventStore: stores.node(),
        handlers: [totals],
        // Longer than most machines stand still, as the owner is to be the owner until it is asked to let go; and no longer, as a reset
        // takes the time of a lease.
        subscriptions: { lease: 4_000, claimInterval: 50 },
      })
      return { app, control: app.handler('totals') }
    }
    await nodeOf('owner')
    const other = await nodeOf('other')
    const add = (id: string, by: number) => other.app.dispatch(Add({ id, by }), { consistency: 'strong' })
    await add('a', 13)
    await add('a', 2)
    await add('b', 13)
    expect(await other.control.discard({ key: 'counter-b' })).toBe(1)
    await add('b', 3)
    poison.clear()
    expect(await other.control.replay()).toEqual({ replayed: 2, failed: 0, waiting: 0 })
    expect(handled).toEqual(['owner:3', 'owner:13', 'owner:2'])
    await other.control.reset()
    await until(() => handled.length === 4)
    expect(handled.map((one) => one.replace(/.*:/, ''))).toEqual(['13', '2', '13', '3'])
    expect(resets).toEqual(['other'])
    await add('a', 5)
    expect(handled).toHaveLength(5)
  }, 120_000)
})

describe('the control of a handler', () => {
  it('is refused for a name that no event handler of a running application has', async () => {
    const app = application({ name: 'none', router: counterRouter, eventStore: inMemoryEventStore() })
    expect(() => app.handler('totals')).toThrow(expect.objectContaining({ code: 'not_running' }))
    await app.start()
    expect(() => app.handler('totals')).toThrow(expect.objectContaining({ code: 'invalid_option' }))
    expect(() => app.handler(undefined as never)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
    await app.stop()
  })

  it.each([
    ['a selection that is none', (control: HandlerControl) => control.replay({} as never)],
    ['two selections at once', (control) => control.discard({ key: 'a', position: 1 })],
    ['a limit of nothing', (control) => control.parked({ limit: 0 })],
    ['a place that is none', (control) => control.reset({ startFrom: 0 })],
    ['a place beyond the next event', (control) => control.reset({ startFrom: 2 })],
    ['an option that is none', (control) => control.replay('all', { soon: true } as never)],
  ] as [string, (control: HandlerControl) => Promise<unknown>][])('refuses %s with invalid_option', async (_, ask) => {
    const totals = eventHandler('totals', { events: [Added], handle: () => undefined })
    const app = await started({ router: counterRouter, handlers: [totals] })
    await expect(ask(app.handler(totals))).rejects.toMatchObject({ code: 'invalid_option' })
  })

  it('has what the application says where a handler has no onError of its own', async () => {
    const told: unknown[] = []
    const totals = eventHandler('totals', {
      events: [Added],
      consistency: 'strong',
      handle: () => {
        throw new Error('always')
      },
    })
    const app = await started({
      router: counterRouter,
      handlers: [totals],
      onHandlerError: (error, recorded, { handlerName, failures }) => {
        told.push([(error as Error).message, recorded.position, handlerName, failures])
        return park()
      },
    })
    await app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    expect(told).toEqual([['always', 1, 'totals', 1]])
    expect((await app.handler(totals).status()).parked).toBe(1)
  })
})
