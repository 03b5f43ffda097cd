import { describe, expect, it } from '@jest/globals'
import { application, eventHandler, inMemoryEventStore, router } from 'edict'
import type { EventHandler, EventStore, HookMiddleware } from 'edict'
import { testClock } from 'edict/testing'
import { Add, Added, Counter, counterRouter, deferred, recordingLogger, until } from '../support/counter.ts'

const add = Add({ id: 'a', by: 1 })
const forever = new Promise<never>(() => undefined)
/** Longer than a stop waits for anything. */
const LONG = 60_000

type Operation = 'open' | 'close' | 'append' | 'readStream'

/** A store in memory, one operation of which waits until it is let go. */
function gatedStore(operation: Operation) {
  const store = inMemoryEventStore()
  const gate = deferred()
  let begun = 0
  const gated = new Proxy(store, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target)
      if (typeof member !== 'function') return member
      const call = (...given: unknown[]): unknown => Reflect.apply(member, target, given)
      if (key !== operation) return call
      return (...given: unknown[]) => {
        begun++
        return gate.promise.then(() => call(...given))
      }
    },
  })
  return { store: gated, gate, isThere: () => begun > 0 }
}

let made = 0

function shop(options: {
  eventStore?: EventStore
  handlers?: readonly EventHandler[]
  clock?: ReturnType<typeof testClock>
}) {
  const eventStore = options.eventStore ?? inMemoryEventStore()
  const name = `stopping-${++made}`
  return application({ name, router: counterRouter, logger: recordingLogger(), ...options, eventStore })
}

describe('middleware that is to stop', () => {
  const withMiddleware = (middleware: HookMiddleware, clock = testClock()) => {
    const logger = recordingLogger()
    const watched = router('watched', (all) => all.middleware(middleware).router(counterRouter))
    const name = `stopping-${++made}`
    return {
      app: application({ name, router: watched, eventStore: inMemoryEventStore(), clock, logger }),
      clock,
      logger,
    }
  }

  /** Lets time pass until it is stopped. */
  const stoppedIn = async (clock: ReturnType<typeof testClock>, stopping: Promise<void>) => {
    let isStopped = false
    const over = () => {
      isStopped = true
    }
    stopping.then(over, over)
    await until(async () => {
      await clock.advance(LONG)
      return isStopped
    })
    await stopping
  }

  it('fails by what it threw, once all is stopped; the application may start again', async () => {
    const cause = new Error('no goodbye')
    const { app } = withMiddleware({
      stopped: () => {
        throw cause
      },
    })
    await app.start()
    await expect(app.stop()).rejects.toMatchObject({
      code: 'command_failed',
      message: "a middleware's stopped failed: no goodbye",
      cause,
    })
    await app.start()
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1 })
    await expect(app.stop()).rejects.toMatchObject({ cause })
  })

  it('keeps nobody from stopping where it never ends, and the log says so', async () => {
    let isTold = false
    const { app, clock, logger } = withMiddleware({
      stopped: () => {
        isTold = true
        return forever
      },
    })
    await app.start()
    await stoppedIn(clock, app.stop())
    expect(isTold).toBe(true)
    expect(logger.entries).toMatchObject([
      { level: 'error', message: 'a middleware did not stop within 5000 ms; it is stopped without it' },
    ])
  })

  it('keeps nobody from stopping where it never starts', async () => {
    const told: string[] = []
    const { app, clock } = withMiddleware({
      started: () => {
        told.push('started')
        return forever
      },
      stopped: () => void told.push('stopped'),
    })
    const starting = app.start().catch((error: unknown) => error)
    await until(() => told.length === 1)
    await stoppedIn(clock, app.stop())
    expect(await starting).toMatchObject({ code: 'not_running' })
    expect(told).toEqual(['started', 'stopped'])
  })
})

describe('an application that is stopped', () => {
  it.each<[string, Operation]>([
    ['its aggregate is being read', 'readStream'],
    ['its events are being appended', 'append'],
  ])('lets a command end though %s', async (_what, operation) => {
    const { store, gate, isThere } = gatedStore(operation)
    const app = shop({ eventStore: store })
    await app.start()
    const dispatched = app.dispatch(add)
    await until(isThere)
    const stopped = app.stop()
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'not_running', outcome: 'not-executed' })
    gate.resolve()
    await expect(dispatched).resolves.toMatchObject({ aggregateVersion: 1 })
    await stopped
  })

  it('lets all commands end that wait for one aggregate', async () => {
    const { store, gate, isThere } = gatedStore('append')
    const app = shop({ eventStore: store })
    await app.start()
    const dispatched = Array.from({ length: 5 }, () => app.dispatch(add))
    await until(isThere)
    const stopped = app.stop()
    gate.resolve()
    expect((await Promise.all(dispatched)).map(({ aggregateVersion }) => aggregateVersion)).toEqual([1, 2, 3, 4, 5])
    await stopped
  })

  it('lets a command end that waits for a handler, which ends its event', async () => {
    const gate = deferred()
    let begun = false
    const slow = eventHandler('slow', {
      events: [Added],
      consistency: 'strong',
      handle: () => {
        begun = true
        return gate.promise
      },
    })
    const app = shop({ handlers: [slow] })
    await app.start()
    const dispatched = app.dispatch(add, { consistency: 'strong' })
    await until(() => begun)
    const stopped = app.stop()
    gate.resolve()
    await expect(dispatched).resolves.toMatchObject({ aggregateVersion: 1 })
    await stopped
  })

  it('does not wait for ever for a handler that hangs: who waits for it is answered with what is stored', async () => {
    const clock = testClock()
    let begun = false
    const hanging = eventHandler('hanging', {
      events: [Added],
      consistency: 'strong',
      handle: () => {
        begun = true
        return forever
      },
    })
    const app = shop({ handlers: [hanging], clock })
    await app.start()
    const dispatched = app.dispatch(add, { consistency: 'strong', consistencyTimeout: Infinity })
    const answer = dispatched.catch((error: unknown) => error)
    await until(() => begun)
    const stopped = app.stop()
    await clock.advance(LONG)
    expect(await answer).toMatchObject({
      code: 'consistency_timeout',
      outcome: 'executed',
      laggards: ['hanging'],
      executionResult: { aggregateVersion: 1 },
    })
    await stopped
  })

  it('does not wait for ever for a command that hangs, and stores nothing of it later', async () => {
    const clock = testClock()
    const gate = deferred()
    let begun = false
    const hanging = router('hanging', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch(Add, {
        aggregate: Counter,
        to: async () => {
          begun = true
          await gate.promise
          return Added({ by: 1 })
        },
      }),
    )
    const eventStore = inMemoryEventStore()
    const app = application({ name: 'hanging-command', router: hanging, eventStore, clock, logger: recordingLogger() })
    await app.start()
    const answer = app.dispatch(add, { timeout: Infinity }).catch((error: unknown) => error)
    await until(() => begun)
    const stopped = app.stop()
    await clock.advance(LONG)
    await stopped
    gate.resolve()
    expect(await answer).toMatchObject({ code: 'not_running', outcome: 'not-executed' })
    await eventStore.open()
    expect(await eventStore.headPosition()).toBe(0)
  })

  it('lets a handler dispatch to its end, and goes on with the next event when it is started again', async () => {
    const handled: number[] = []
    let begun = false
    let holds = true
    const echo = eventHandler('echo', {
      events: [Added],
      handle: async (_data, { position, streamId }, { dispatch, signal }) => {
        if (streamId !== 'counter-a') return
        begun = true
        if (holds) await new Promise((resolve) => signal.addEventListener('abort', resolve))
        await dispatch(Add({ id: 'b', by: 1 }))
        handled.push(position)
      },
    })
    const app = shop({ handlers: [echo] })
    await app.start()
    await app.dispatch(add)
    await app.dispatch(add)
    await until(() => begun)
    await app.stop()
    expect(handled).toEqual([1])
    holds = false
    await app.start()
    await until(() => handled.length === 2)
    expect(handled).toEqual([1, 2])
    expect(await app.aggregateVersion(Counter, 'b')).toBeGreaterThan(0)
    await app.stop()
  })

  it('cannot be asked any more, neither for a command nor for a state', async () => {
    const { store, gate, isThere } = gatedStore('close')
    const app = shop({ eventStore: store })
    await app.start()
    const stopped = app.stop()
    await until(isThere)
    for (const ask of [
      () => app.dispatch(add),
      () => app.tryDispatch(add),
      () => app.aggregateState(Counter, 'a'),
      () => app.aggregateVersion(Counter, 'a'),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: 'not_running' })
    }
    await expect(counterRouter.dispatch(add)).rejects.toMatchObject({ code: 'no_application' })
    gate.resolve()
    await stopped
  })

  it('says so where its store cannot be closed, and may be started again', async () => {
    const store = inMemoryEventStore()
    let broken = true
    const eventStore = new Proxy(store, {
      // As an adapter of its own, so that what it throws is looked at.
      getPrototypeOf: () => Object.prototype,
      get(target, key) {
        const member: unknown = Reflect.get(target, key, target)
        if (typeof member !== 'function') return member
        return (...given: unknown[]): unknown => {
          if (key === 'close' && broken) throw new Error('the disk is gone')
          return Reflect.apply(member, target, given)
        }
      },
    })
    const app = shop({ eventStore })
    await app.start()
    await expect(app.stop()).rejects.toMatchObject({ code: 'store_failed' })
    await app.stop()
    broken = false
    await app.start()
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1 })
    await app.stop()
  })
})

describe('a second stop', () => {
  it('while the first one is under way ends with it, and closes the store once', async () => {
    const { store, gate, isThere } = gatedStore('append')
    let closes = 0
    const counted = new Proxy(store, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key, target)
        if (typeof member !== 'function') return member
        return (...given: unknown[]): unknown => {
          if (key === 'close') closes++
          return Reflect.apply(member, target, given)
        }
      },
    })
    const app = shop({ eventStore: counted })
    await app.start()
    const dispatched = app.dispatch(add)
    await until(isThere)
    const stops = [app.stop(), app.stop(), app[Symbol.asyncDispose]()]
    gate.resolve()
    await Promise.all([...stops, dispatched])
    expect(closes).toBe(1)
  })

  it('lets a start between the two have its turn', async () => {
    const app = shop({})
    await app.start()
    const [, started] = await Promise.all([app.stop(), app.start()])
    expect(started).toBe(app)
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1 })
    await Promise.all([app.stop(), app.start(), app.stop()])
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'not_running' })
  })
})

describe('a stop while the application is being started', () => {
  it('waits for the store, and then ends the start', async () => {
    const { store, gate, isThere } = gatedStore('open')
    const app = shop({ eventStore: store })
    const starting = app.start().catch((error: unknown) => error)
    await until(isThere)
    const stops = [app.stop(), app.stop()]
    gate.resolve()
    expect(await starting).toMatchObject({ code: 'not_running' })
    await Promise.all(stops)
    await app.start()
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1 })
    await app.stop()
  })

  it('before it has been started at all does nothing', async () => {
    const app = shop({})
    await app.stop()
    await app.start()
    await app.stop()
  })
})
