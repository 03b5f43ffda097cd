import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, inMemoryEventStore, upcaster, type WaitOptions } from 'edict'
import { Add, Added, Noop, counterRouter, deferred, started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)
const add = (id = 'a') => Add({ id, by: 1 })

/** A strong handler that handles an event when it is let. */
function gated(name: string, gate: Promise<unknown>, options: { readonly consistency?: 'eventual' | 'strong' } = {}) {
  const seen: number[] = []
  const handler = eventHandler(name, {
    events: [Added],
    consistency: 'strong',
    ...options,
    handle: async (_data, { position }) => {
      await gate
      seen.push(position)
    },
  })
  return { handler, seen }
}

describe.each(everyStore)('waitFor, on $kind,', ({ kind, share }) => {
  const stores = share()

  it('lets one request read what another one has written', async () => {
    const gate = deferred()
    const { handler, seen } = gated('gated', gate.promise)
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [handler] })
    const { position } = await app.dispatch(add())
    expect(position).toBe(1)
    let waited = false
    const waiting = app.waitFor(position).then(() => (waited = true))
    expect([waited, seen]).toEqual([false, []])
    gate.resolve()
    await waiting
    expect(seen).toEqual([1])
    await app.waitFor(position, { handlers: [handler], timeout: Infinity })
  })

  it('waits on another node for a handler that this one runs, and the other way round', async () => {
    const gate = deferred()
    const runs = gated('shared', gate.promise)
    const standsBy = kind === 'memory' ? [] : [gated('shared', gate.promise).handler]
    const one = await started({ router: counterRouter, eventStore: stores.node(), handlers: [runs.handler] })
    const other = await started({ router: counterRouter, eventStore: stores.node(), handlers: standsBy })
    const { position } = await other.dispatch(add())
    const waits = [one.waitFor(position), other.waitFor(position)]
    gate.resolve()
    await Promise.all(waits)
    expect(runs.seen).toEqual([1])
  })

  it('waits for a position that no event has yet', async () => {
    const { handler, seen } = gated('eager', Promise.resolve())
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [handler] })
    const other = await started({ router: counterRouter, eventStore: stores.node() })
    const waiting = app.waitFor(2)
    await other.dispatch(add('b'))
    await other.dispatch(add('c'))
    await waiting
    expect(seen).toEqual([1, 2])
  })

  it('does not wait for events that a handler is not interested in', async () => {
    const { handler, seen } = gated('eager', Promise.resolve())
    const Other = eventHandler('other', { events: [Added], consistency: 'strong', handle: () => undefined })
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [handler, Other] })
    await app.dispatch(add())
    const foreign = stores.node()
    await foreign.open()
    const { events } = await foreign.readStream('counter-a')
    await foreign.append([
      {
        streamId: 'foreign-1',
        category: 'Foreign',
        expectedVersion: 'any',
        events: [1, 2, 3].map((index) => ({ ...events[0]!, type: 'Foreign', eventId: `f${index}`, commandId: 'f' })),
      },
    ])
    await app.waitFor(4)
    await app.waitFor(4)
    expect(seen).toEqual([1])
    await foreign.close()
  })

  it('does not wait for a handler of another stream or category, nor do its metrics say that it is behind', async () => {
    const { handler, seen } = gated('eager', Promise.resolve())
    const handle = () => undefined
    const [elsewhere, foreign] = [
      eventHandler('elsewhere', {
        events: [Added],
        consistency: 'strong',
        subscribeTo: { stream: 'counter-elsewhere' },
        handle,
      }),
      eventHandler('foreign', { events: [Added], consistency: 'strong', subscribeTo: { category: 'Foreign' }, handle }),
    ]
    const app = await started({
      router: counterRouter,
      eventStore: stores.node(),
      handlers: [handler, elsewhere, foreign],
    })
    const { position } = await app.dispatch(add())
    await app.waitFor(position)
    expect(seen).toEqual([1])
    const { handlers } = await app.metrics()
    expect([handlers['elsewhere'], handlers['foreign']]).toMatchObject([
      { lagEvents: 0, lagSeconds: 0 },
      { lagEvents: 0, lagSeconds: 0 },
    ])
  })

  it('names those who have not handled it when the time is over', async () => {
    const gate = deferred()
    const handlers = [gated('late', gate.promise).handler, gated('prompt', Promise.resolve()).handler]
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers })
    const { position } = await app.dispatch(add(), { consistency: ['prompt'] })
    await expect(app.waitFor(position, { timeout: 30 })).rejects.toMatchObject({
      code: 'position_timeout',
      position: 1,
      laggards: ['late'],
    })
    await app.waitFor(position, { handlers: ['prompt'] })
    await expect(app.waitFor(99, { timeout: 30 })).rejects.toMatchObject({
      code: 'position_timeout',
      position: 99,
      laggards: ['late', 'prompt'],
    })
    gate.resolve()
  })

  it('fails at once where a handler has stopped, and names it', async () => {
    const dead = eventHandler('dead', {
      events: [Added],
      consistency: 'strong',
      handle: () => Promise.reject(new Error('broken')),
      onError: () => undefined as never,
    })
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [dead] })
    const { position } = await app.dispatch(add())
    await expect(app.waitFor(position, { timeout: Infinity })).rejects.toMatchObject({
      code: 'position_timeout',
      laggards: ['dead'],
      message: expect.stringContaining('dead (which has stopped)'),
    })
    // As a strong dispatch does.
    await expect(app.dispatch(add(), { consistency: 'strong', consistencyTimeout: Infinity })).rejects.toMatchObject({
      code: 'consistency_timeout',
      laggards: ['dead'],
    })
  })
})

describe('waitFor', () => {
  it('has nothing to wait for where there is no strong handler, and where a command stored nothing', async () => {
    const { handler } = gated('never', new Promise(() => undefined))
    const without = await started({ router: counterRouter })
    await without.waitFor(7)
    const app = await started({ router: counterRouter, handlers: [handler] })
    const { position } = await app.dispatch(Noop({ id: 'a' }))
    expect(position).toBe(0)
    await app.waitFor(position)
  })

  it('waits for events as they are read today', async () => {
    const gate = deferred()
    const { handler, seen } = gated('gated', gate.promise)
    const renamed = upcaster('Old', { into: ['Added'], upcast: ({ data }) => ({ type: 'Added', data }) })
    const eventStore = inMemoryEventStore()
    const writer = await started({ router: counterRouter, eventStore })
    const { events } = await writer.dispatch(add())
    const first = events[0]!
    const old = { ...first, createdAt: first.createdAt.getTime(), type: 'Old', eventId: 'old', commandId: 'old' }
    await eventStore.append([{ streamId: 'counter-o', category: 'Counter', expectedVersion: 0, events: [old] }])
    const app = await started({ router: counterRouter, eventStore, handlers: [handler], upcasters: [renamed] })
    const waiting = app.waitFor(2)
    gate.resolve()
    await waiting
    expect(seen).toEqual([1, 2])
  })

  it.each<[string, unknown, unknown]>([
    ['a negative position', -1, undefined],
    ['a broken position', 1.5, undefined],
    ['a position that is text', '5', undefined],
    ['a position of NaN', Number.NaN, undefined],
    ['no position', undefined, undefined],
    ['a handler that nobody knows', 1, { handlers: ['nobody'] }],
    ['an eventual handler', 1, { handlers: ['lazy'] }],
    ['something else in the list of handlers', 1, { handlers: [5] }],
    ['handlers that are no list', 1, { handlers: 'lazy' }],
    ['a timeout of zero', 1, { timeout: 0 }],
    ['an unknown option', 1, { timeOut: 5 }],
    ['options that are no object', 1, 'strong'],
  ])('refuses %s', async (_what, position, options) => {
    const { handler } = gated('lazy', Promise.resolve(), { consistency: 'eventual' })
    const app = await started({ router: counterRouter, handlers: [handler] })
    await expect(app.waitFor(position as number, options as WaitOptions)).rejects.toMatchObject({
      code: 'invalid_option',
      outcome: 'not-executed',
    })
  })

  it('ends where the application stops, and is refused where it does not run', async () => {
    const app = await started({ router: counterRouter, handlers: [gated('eager', Promise.resolve()).handler] })
    const waiting = app.waitFor(5, { timeout: Infinity })
    const ended = expect(waiting).rejects.toMatchObject({ code: 'not_running' })
    await app.stop()
    await ended
    await expect(app.waitFor(0)).rejects.toMatchObject({ code: 'not_running' })
  })
})
