import { afterEach, describe, expect, it } from '@jest/globals'
import { application, compositeRouter, eventHandler, inMemoryEventStore, router, upcaster } from 'edict'
import type { Serializer } from 'edict'
import { testClock } from 'edict/testing'
import {
  Add,
  Added,
  Counter,
  Noop,
  counterRouter,
  deferred,
  recordingLogger,
  started,
  stopAll,
  until,
} from '../support/counter.ts'

afterEach(stopAll)

const add = Add({ id: 'a', by: 1 })

function definition(name: string) {
  return { name, router: counterRouter, eventStore: inMemoryEventStore(), logger: recordingLogger() }
}

describe('an application', () => {
  it('refuses commands before it is started, with what to do', async () => {
    const app = application(definition('early'))
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'not_running', outcome: 'not-executed' })
    await expect(app.dispatch(add)).rejects.toThrow(/start\(\)/)
    await expect(app.aggregateState(Counter, 'a')).rejects.toMatchObject({ code: 'not_running' })
  })

  it('refuses commands after it is stopped, and takes them again once it is started anew, with what it had stored', async () => {
    const app = application(definition('again'))
    await app.start()
    await app.dispatch(add)
    await app.stop()
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'not_running' })
    await app.start()
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 2, aggregateState: { total: 2 } })
    await app.stop()
  })

  it('may be started and stopped twice', async () => {
    const app = application(definition('twice'))
    expect(await Promise.all([app.start(), app.start()])).toEqual([app, app])
    await Promise.all([app.stop(), app.stop()])
    await app.stop()
  })

  it('is disposed of at the end of its block', async () => {
    const app = application(definition('disposed'))
    {
      await using running = app
      await running.start()
      await running.dispatch(add)
    }
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'not_running' })
  })

  it('waits for the commands under way before it stops', async () => {
    const gate = deferred()
    const slow = router('slow', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          await gate.promise
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: slow })
    const dispatched = app.dispatch(add)
    const stopped = app.stop()
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'not_running' })
    gate.resolve()
    await expect(dispatched).resolves.toMatchObject({ aggregateVersion: 1 })
    await stopped
  })

  it('can be stopped while a handler hangs at its start', async () => {
    const hanging = eventHandler('hanging', {
      events: [Added],
      afterStart: () => new Promise<void>(() => undefined),
      handle: () => undefined,
    })
    const app = application({ ...definition('hanging'), handlers: [hanging] })
    const starting = app.start()
    const outcome = starting.then(
      () => 'started',
      (error: unknown) => error,
    )
    await new Promise(setImmediate)
    await app.stop()
    expect(await outcome).toMatchObject({ code: 'not_running' })
  }, 180_000)

  it('gives an error of its own for what breaks later too: a fold that throws, a store that answers strangely', async () => {
    const { aggregate, command, event, shape } = await import('edict')
    const Do = command('Do', shape<{ id: string }>())
    const Done = event('Done', shape<object>())
    let broken = false
    const Fragile = aggregate('Fragile', {
      commands: [Do],
      events: [Done],
      initialState: () => ({ n: 0 }),
      execute: { Do: () => Done({}) },
      apply: (state) => {
        if (broken) throw new TypeError('cannot fold')
        return { n: state.n + 1 }
      },
    })
    const fragile = router('fragile', (r) => r.identify(Fragile, { by: 'id' }).dispatch(Do, { to: Fragile }))
    const app = await started({ router: fragile, cache: { aggregates: 1 } })
    await app.dispatch(Do({ id: 'a' }))
    await app.dispatch(Do({ id: 'b' }))
    broken = true
    await expect(app.dispatch(Do({ id: 'a' }))).rejects.toMatchObject({
      code: 'unreadable_event',
      outcome: 'not-executed',
    })
    await expect(app.aggregateState(Fragile, 'a')).rejects.toMatchObject({ code: 'unreadable_event' })
  })

  it('is not harmed by a logger that throws', async () => {
    const fail = (): never => {
      throw new Error('no disk for logs')
    }
    const app = await started({ router: counterRouter, logger: { debug: fail, info: fail, warn: fail, error: fail } })
    const { command, shape } = await import('edict')
    const Unknown = command('Unknown', shape<object>())
    await expect(app.dispatch(Unknown({}) as never)).rejects.toMatchObject({ code: 'unregistered_command' })
  })

  it('cannot run beside another of the same name', async () => {
    await started({ name: 'unique', router: counterRouter })
    const other = application(definition('unique'))
    await expect(other.start()).rejects.toMatchObject({ code: 'invalid_definition' })
  })

  it.each<[string, object]>([
    ['without a name', { name: '' }],
    ['without a router', { router: undefined }],
    ['with something else for a router', { router: {} }],
    ['without an event store', { eventStore: undefined }],
    ['with an unknown option', { eventstore: inMemoryEventStore() }],
    ['with an unknown default', { defaults: { timeOut: 5 } }],
    ['with a default timeout that is none', { defaults: { timeout: -5 } }],
    ['with a list as its default consistency', { defaults: { consistency: ['a'] } }],
    ['with a handler that is none', { handlers: [{}] }],
    ['with a mailbox for nobody', { mailboxLimit: 0 }],
    ['with something else for its cache', { cache: 5 }],
    ['with an unknown option of its cache', { cache: { aggregate: 5 } }],
    ['with something else for its defaults', { defaults: 5 }],
    ['with something else for its snapshots', { snapshots: 5 }],
    ['with nothing for a policy of snapshots', { snapshots: { Counter: null } }],
    ['with something else for its upcasters', { upcasters: 5 }],
    ['with an upcaster that is none', { upcasters: [{}] }],
    ['with a serializer that only writes', { serializer: { encode: () => '' } }],
    ['with a clock that does not go', { clock: {} }],
    ['with ids that give none', { ids: {} }],
    ['with randomness that gives none', { random: {} }],
    ['with a logger that logs nothing', { logger: 5 }],
    ['with a cache for nobody', { cache: { aggregates: 0 } }],
    ['with a lease that runs out at once', { subscriptions: { lease: 10 } }],
    ['with no pause between its looks', { subscriptions: { claimInterval: 0 } }],
    ['with an unknown option of its subscriptions', { subscriptions: { leases: 5_000 } }],
  ])('cannot be made %s', (_what, change) => {
    expect(() => application({ ...definition('x'), ...change })).toThrow(
      expect.objectContaining({ code: 'invalid_definition' }),
    )
  })

  it('cannot have two handlers of one name', () => {
    const handler = () => eventHandler('same', { events: [Added], handle: { Added: () => undefined } })
    expect(() => application({ ...definition('x'), handlers: [handler(), handler()] })).toThrow(
      /two handlers named same/,
    )
  })
})

describe('a router', () => {
  it('dispatches to the one running application that holds it, itself or inside a composite', async () => {
    const app = await started({ router: compositeRouter(counterRouter) })
    await counterRouter.dispatch(add)
    expect(await app.aggregateVersion(Counter, 'a')).toBe(1)
  })

  it('says what to do where no running application holds it', async () => {
    await expect(counterRouter.dispatch(add)).rejects.toMatchObject({ code: 'no_application', outcome: 'not-executed' })
    const app = await started({ router: counterRouter })
    await app.stop()
    await expect(counterRouter.dispatch(add)).rejects.toMatchObject({ code: 'no_application' })
  })

  it('asks which one where several do, and takes its value or its name', async () => {
    const one = await started({ router: counterRouter, name: 'one' })
    const two = await started({ router: counterRouter, name: 'two' })
    await expect(counterRouter.dispatch(add)).rejects.toMatchObject({ code: 'ambiguous_application' })
    await counterRouter.dispatch(add, { application: 'one' })
    await counterRouter.dispatch(add, { application: two })
    await counterRouter.dispatch(add, { application: two })
    expect([await one.aggregateVersion(Counter, 'a'), await two.aggregateVersion(Counter, 'a')]).toEqual([1, 2])
    await expect(counterRouter.dispatch(add, { application: 'three' })).rejects.toMatchObject({
      code: 'no_application',
    })
  })
})

describe('tryDispatch', () => {
  it('gives the result of a command that succeeded', async () => {
    const app = await started({ router: counterRouter })
    await expect(app.tryDispatch(add)).resolves.toMatchObject({ ok: true, value: { aggregateVersion: 1 } })
  })

  it('gives a rejection with its code and its details', async () => {
    const app = await started({ router: counterRouter })
    const outcome = await app.tryDispatch(Add({ id: 'a', by: -1 }))
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'negative', details: { by: -1 }, outcome: 'not-executed' },
    })
  })

  it('gives a timeout and a conflict', async () => {
    const stuck = router('stuck', (r) =>
      r
        .identify(Counter, { by: 'id' })
        .dispatch(Noop, { to: Counter })
        .dispatch(Add, { aggregate: Counter, to: () => new Promise<undefined>(() => undefined) }),
    )
    const app = await started({ router: stuck })
    await expect(app.tryDispatch(add, { timeout: 10 })).resolves.toMatchObject({ error: { code: 'command_timeout' } })
    await expect(app.tryDispatch(Noop({ id: 'b' }), { expectedVersion: 5 })).resolves.toMatchObject({
      error: { code: 'version_conflict' },
    })
  })

  it('rejects where the program is wrong', async () => {
    const app = await started({ router: counterRouter })
    await expect(app.tryDispatch(add, { timeout: -1 })).rejects.toMatchObject({ code: 'invalid_option' })
  })
})

describe('strong consistency', () => {
  const slowHandler = (gate: Promise<unknown>, seen: number[], name = 'slow') =>
    eventHandler(name, {
      events: [Added],
      consistency: 'strong',
      handle: {
        Added: async ({ by }) => {
          await gate
          seen.push(by)
        },
      },
    })

  it('waits until strong handlers have handled the command’s events', async () => {
    const seen: number[] = []
    const app = await started({ router: counterRouter, handlers: [slowHandler(Promise.resolve(), seen)] })
    await app.dispatch(Add({ id: 'a', by: 7 }), { consistency: 'strong' })
    expect(seen).toEqual([7])
  })

  it('is not waited for where the call is eventual, and is where the route or the application says so', async () => {
    const gate = deferred()
    const app = await started({ router: counterRouter, handlers: [slowHandler(gate.promise, [])] })
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1 })
    gate.resolve()
    const seen: number[] = []
    const strong = router('strong', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch(Add, { to: Counter, consistency: 'strong' }),
    )
    const routed = await started({ router: strong, handlers: [slowHandler(Promise.resolve(), seen)] })
    await routed.dispatch(add)
    expect(seen).toEqual([1])
    const byDefault = await started({
      router: counterRouter,
      handlers: [eventHandler('unsaid', { events: [Added], handle: () => void seen.push(9) })],
      defaults: { consistency: 'strong' },
    })
    await byDefault.dispatch(add)
    expect(seen).toEqual([1, 9])
  })

  it('that is not reached in time is an error that carries the result and names the laggards', async () => {
    const gate = deferred()
    const clock = testClock()
    const app = await started({
      router: counterRouter,
      handlers: [slowHandler(gate.promise, [], 'late'), slowHandler(Promise.resolve(), [], 'prompt')],
      clock,
    })
    const asked = app.tryDispatch(add, { consistency: 'strong', consistencyTimeout: 30 })
    await until(async () => (await app.handler('prompt').status()).position === 1, 'the prompt one')
    await clock.advance(30)
    const outcome = await asked
    expect(outcome).toMatchObject({
      ok: false,
      error: {
        code: 'consistency_timeout',
        outcome: 'executed',
        laggards: ['late'],
        executionResult: { aggregateVersion: 1 },
      },
    })
    gate.resolve()
  })

  it('of a list waits for just those, by name or by value', async () => {
    const gate = deferred()
    const seen: number[] = []
    const prompt = slowHandler(Promise.resolve(), seen, 'prompt')
    const app = await started({ router: counterRouter, handlers: [slowHandler(gate.promise, [], 'late'), prompt] })
    await app.dispatch(Add({ id: 'a', by: 1 }), { consistency: ['prompt'] })
    await app.dispatch(Add({ id: 'a', by: 2 }), { consistency: [prompt] })
    expect(seen).toEqual([1, 2])
    gate.resolve()
  })

  it('of an eventual handler is an error before anything runs', async () => {
    const app = await started({
      router: counterRouter,
      handlers: [eventHandler('lazy', { events: [Added], consistency: 'eventual', handle: () => undefined })],
    })
    await expect(app.dispatch(add, { consistency: ['lazy'] })).rejects.toMatchObject({ code: 'invalid_option' })
    expect(await app.aggregateVersion(Counter, 'a')).toBe(0)
  })

  it('does not wait for the handler that dispatches', async () => {
    const totals: number[] = []
    const doubling = eventHandler('doubling', {
      events: [Added],
      consistency: 'strong',
      handle: {
        Added: async ({ by }, recorded, { dispatch }) => {
          if (recorded.streamId !== 'counter-a') return
          const { events } = await dispatch(Add({ id: 'b', by: by * 2 }), { consistency: 'strong' })
          totals.push(events.length)
          expect(events[0]).toMatchObject({ causationId: recorded.eventId, correlationId: recorded.correlationId })
        },
      },
    })
    const app = await started({ router: counterRouter, handlers: [doubling] })
    await app.dispatch(Add({ id: 'a', by: 3 }), { consistency: 'strong' })
    expect(totals).toEqual([1])
    expect(await app.aggregateState(Counter, 'b')).toEqual({ total: 6 })
  })
})

describe('a serializer and upcasters', () => {
  const secret: Serializer = {
    contentType: 'text/x-rot',
    encode: (data) => Promise.resolve(JSON.stringify(data).split('').reverse().join('')),
    decode: (encoded) => Promise.resolve(JSON.parse(String(encoded).split('').reverse().join('')) as unknown),
  }

  it('stand between the store and everyone who reads', async () => {
    const eventStore = inMemoryEventStore()
    const seen: unknown[] = []
    const handler = eventHandler('reader', {
      events: [Added],
      consistency: 'strong',
      handle: (data) => void seen.push(data),
    })
    const app = await started({
      router: counterRouter,
      eventStore,
      serializer: secret,
      handlers: [handler],
      upcasters: [upcaster('Added', { upcast: ({ data }) => ({ data: { by: (data as { by: number }).by * 10 } }) })],
    })
    await app.dispatch(Add({ id: 'a', by: 2 }), { consistency: 'strong' })
    const stored = await eventStore.readStream('counter-a')
    expect(stored.events[0]).toMatchObject({ contentType: 'text/x-rot', data: '}2:"yb"{' })
    expect(seen).toEqual([{ by: 20 }])
    await app.stop()
    const restarted = await started({
      router: counterRouter,
      eventStore,
      serializer: secret,
      upcasters: [upcaster('Added', { upcast: () => [{ data: { by: 1 } }, { data: { by: 2 } }] })],
    })
    expect(await restarted.aggregateState(Counter, 'a')).toEqual({ total: 3 })
    expect(await restarted.aggregateVersion(Counter, 'a')).toBe(1)
  })

  it('that cannot read an event say which one', async () => {
    const eventStore = inMemoryEventStore()
    const app = await started({ router: counterRouter, eventStore, serializer: secret })
    await app.dispatch(add)
    await app.stop()
    const other = await started({ router: counterRouter, eventStore })
    await expect(other.dispatch(add)).rejects.toMatchObject({ code: 'unreadable_event', outcome: 'not-executed' })
    await expect(other.dispatch(add)).rejects.toThrow(/Added, version 1 of counter-a/)
  })
})

describe('live aggregates', () => {
  it('give way when there are too many, and come back from their streams', async () => {
    const app = await started({ router: counterRouter, cache: { aggregates: 2 } })
    for (const round of [1, 2, 3]) {
      for (const id of ['a', 'b', 'c', 'd']) {
        await expect(app.dispatch(Add({ id, by: 1 }))).resolves.toMatchObject({
          aggregateVersion: round,
          aggregateState: { total: round },
        })
      }
    }
  })

  it('of two aggregates whose prefixes meet in one stream id are told apart', async () => {
    const { aggregate, command, event, shape } = await import('edict')
    const Visit = command('Visit', shape<{ id: string }>())
    const Visited = event('Visited', shape<object>())
    const Visitor = aggregate('Visitor', {
      commands: [Visit],
      events: [Visited],
      initialState: () => ({}),
      execute: { Visit: () => Visited({}) },
      apply: { Visited: () => undefined },
    })
    const both = router('both', (r) =>
      r
        .identify(Counter, { by: 'id', prefix: 'user-' })
        .dispatch(Add, { to: Counter })
        .identify(Visitor, { by: 'id', prefix: 'user-preference-' })
        .dispatch(Visit, { to: Visitor }),
    )
    const app = await started({ router: both })
    await app.dispatch(Visit({ id: '1' }))
    await expect(app.dispatch(Add({ id: 'preference-1', by: 1 }))).rejects.toMatchObject({
      code: 'category_mismatch',
      outcome: 'not-executed',
    })
  })
})
