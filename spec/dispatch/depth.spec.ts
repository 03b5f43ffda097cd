import { afterEach, describe, expect, it } from '@jest/globals'
import { application, eventHandler, inMemoryEventStore, stop } from 'edict'
import { Add, Added, Counter, counterRouter, deferred, started, stopAll, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

/** Leads from each event to the next command, for ever. */
const endless = (failed: (error: unknown) => void) =>
  eventHandler('endless', {
    events: [Added],
    handle: async (_data, { streamVersion }, { dispatch }) => {
      await dispatch(Add({ id: 'a', by: 1 }), { commandId: `after-${streamVersion}` })
    },
    onError: (error) => {
      failed(error)
      return stop()
    },
  })

describe.each(everyStore)('a chain of commands on $kind', ({ share }) => {
  const stores = share()

  it('is cut where events and commands lead to each other for ever, and its handler is told', async () => {
    const failed = deferred<unknown>()
    const eventStore = stores.node()
    const app = await started({
      router: counterRouter,
      eventStore,
      maxDepth: 5,
      handlers: [endless(failed.resolve)],
    })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(await failed.promise).toMatchObject({ code: 'dispatch_too_deep', outcome: 'not-executed', depth: 6 })
    expect(await app.aggregateVersion(Counter, 'a')).toBe(6)
    const { events } = await eventStore.readStream('counter-a')
    const depths = events.map(({ metadata }) => metadata['edict.depth'])
    expect(depths).toEqual([undefined, 1, 2, 3, 4, 5])
  })

  it('goes on counting on another node, and after a restart', async () => {
    for (let round = 1; round <= 3; round++) {
      const failed = deferred<unknown>()
      const app = await started({
        router: counterRouter,
        eventStore: stores.node(),
        maxDepth: round,
        handlers: [endless(failed.resolve)],
      })
      if (round === 1) await app.dispatch(Add({ id: 'a', by: 1 }))
      expect(await failed.promise).toMatchObject({ code: 'dispatch_too_deep', depth: round + 1 })
      await app.stop()
    }
  })
})

describe('the depth of a command', () => {
  it('is nobody’s business: readers do not see it, and a dispatch of a caller’s own begins anew', async () => {
    const seen: unknown[] = []
    const outside = eventHandler('outside', {
      events: [Added],
      handle: async (_data, { streamVersion, metadata }) => {
        seen.push(metadata)
        // Not by the context: nobody knows that this has to do with the event.
        if (streamVersion < 5) await own.dispatch(Add({ id: 'a', by: 1 }))
      },
    })
    const own = await started({ router: counterRouter, maxDepth: 1, handlers: [outside] })
    await own.dispatch(Add({ id: 'a', by: 1 }))
    await until(() => seen.length === 5, 'five events')
    expect(seen).toEqual([{}, {}, {}, {}, {}])
  })

  it('is 100 at most, unless the application says otherwise', async () => {
    const failed = deferred<unknown>()
    const app = await started({ router: counterRouter, handlers: [endless(failed.resolve)] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(await failed.promise).toMatchObject({ depth: 101 })
    expect(await app.aggregateVersion(Counter, 'a')).toBe(101)
  })

  it.each([0, -1, 1.5, '5', Infinity])('cannot be limited to %s', (maxDepth) => {
    const definition = { name: 'deep', router: counterRouter, eventStore: inMemoryEventStore() }
    expect(() => application({ ...definition, maxDepth: maxDepth as never })).toThrow('maxDepth')
  })
})
