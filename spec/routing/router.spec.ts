import { afterEach, describe, expect, it } from '@jest/globals'
import { aggregate, command, event, inMemoryEventStore, application, reject, reply, router, shape } from 'edict'
import { Add, Counter, counterRouter, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

describe('a router', () => {
  it('is complete and immutable', () => {
    expect(Object.isFrozen(counterRouter)).toBe(true)
    expect(Object.isFrozen(counterRouter.routes)).toBe(true)
    expect(counterRouter.routes[0]).toEqual({ command: 'Add', aggregate: 'Counter', router: 'counters' })
    expect(Object.isFrozen(counterRouter.routes[0])).toBe(true)
    expect(() => Object.assign(counterRouter, { name: 'other' })).toThrow(TypeError)
  })

  it('calls a prefix function once, where it is defined', async () => {
    let calls = 0
    const prefix = () => `tenant-${++calls}-`
    const counters = router('counters', (r) => r.identify(Counter, { by: 'id', prefix }).dispatch(Add, { to: Counter }))
    await started({ router: counters })
    expect((await counters.dispatch(Add({ id: 'a', by: 1 }))).streamId).toBe('tenant-1-a')
    expect((await counters.dispatch(Add({ id: 'b', by: 1 }))).streamId).toBe('tenant-1-b')
    expect(calls).toBe(1)
  })

  it('has no prefix where none is said', async () => {
    const counters = router('counters', (r) => r.identify(Counter, { by: 'id' }).dispatch(Add, { to: Counter }))
    await started({ router: counters })
    expect(await counters.dispatch(Add({ id: 'a', by: 1 }))).toMatchObject({ streamId: 'a', aggregateId: 'a' })
  })

  it("lets a registration's identity win over that of its aggregate, under the same prefix", async () => {
    const counters = router('counters', (r) =>
      r
        .identify(Counter, { by: 'id', prefix: 'c-' })
        .dispatch(Add, { to: Counter, identity: ({ id, by }) => `${id}/${by}` }),
    )
    await started({ router: counters })
    expect((await counters.dispatch(Add({ id: 'a', by: 2 }))).streamId).toBe('c-a/2')
  })

  it('needs no identify where registrations say their identity', async () => {
    const counters = router('counters', (r) => r.dispatch(Add, { to: Counter, identity: 'id' }))
    await started({ router: counters })
    expect((await counters.dispatch(Add({ id: 'a', by: 2 }))).streamId).toBe('a')
  })

  it('does not take an inherited key of the data for an identity', async () => {
    const Odd = command('Odd', shape<Record<string, string>>())
    const Oddity = aggregate('Oddity', {
      commands: [Odd],
      events: [],
      initialState: () => 0,
      execute: () => undefined,
      apply: {},
    })
    const odd = router('odd', (r) => r.identify(Oddity, { by: 'constructor' }).dispatch(Odd, { to: Oddity }))
    await started({ router: odd })
    await expect(odd.dispatch(Odd({}))).rejects.toMatchObject({ code: 'invalid_identity' })
  })

  it('sends commands to a command handler, or to a table of them', async () => {
    const Sell = command('Sell', shape<{ id: string }>())
    const Buy = command('Buy', shape<{ id: string }>())
    const Traded = event('Traded', shape<{ what: string }>())
    const Trade = aggregate('Trade', {
      commands: [],
      events: [Traded],
      initialState: () => ({ trades: [] as string[] }),
      execute: {},
      apply: {
        Traded: (trade, { what }) => {
          trade.trades.push(what)
        },
      },
    })
    const trades = router('trades', (r) =>
      r.identify(Trade, { by: 'id' }).dispatch([Sell, Buy], {
        aggregate: Trade,
        to: {
          Sell: async ({ trades: before }) => reply(before.length, Traded({ what: 'sold' })),
          Buy: ({ trades: before }) => (before.length === 0 ? reject('nothing_sold') : Traded({ what: 'bought' })),
        },
      }),
    )
    const app = await started({ router: trades })
    expect(await app.tryDispatch(Buy({ id: '1' }))).toMatchObject({ ok: false, error: { code: 'nothing_sold' } })
    expect((await app.dispatch(Sell({ id: '1' }))).reply).toBe(0)
    expect((await app.dispatch(Buy({ id: '1' }))).aggregateState).toEqual({ trades: ['sold', 'bought'] })
  })
})

describe("a router's dispatch", () => {
  const adding = Add({ id: 'a', by: 1 })

  it('rejects, and never throws, where no application runs', async () => {
    await expect(counterRouter.dispatch(adding)).rejects.toMatchObject({ code: 'no_application' })
  })

  it('rejects where several run, until one is chosen by name or by value', async () => {
    const one = await started({ router: counterRouter, name: 'one' })
    await started({ router: counterRouter, name: 'two' })
    await expect(counterRouter.dispatch(adding)).rejects.toMatchObject({ code: 'ambiguous_application' })
    expect((await counterRouter.dispatch(adding, { application: 'two' })).aggregateVersion).toBe(1)
    expect((await counterRouter.dispatch(adding, { application: one })).aggregateVersion).toBe(1)
    await expect(counterRouter.dispatch(adding, { application: 'three' })).rejects.toMatchObject({
      code: 'no_application',
    })
  })

  it.each([null, 5, 'strong', { application: 5 }, { application: null }, { application: {} }, { timeOut: 5 }])(
    'rejects the options %p',
    async (options) => {
      await started({ router: counterRouter })
      await expect(counterRouter.dispatch(adding, options as never)).rejects.toMatchObject({ code: 'invalid_option' })
    },
  )

  it('is over once its application has stopped', async () => {
    const app = application({ name: 'stopped', router: counterRouter, eventStore: inMemoryEventStore() })
    await app.start()
    await counterRouter.dispatch(adding)
    await app.stop()
    await expect(counterRouter.dispatch(adding)).rejects.toMatchObject({ code: 'no_application' })
  })
})
