import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { eventHandler, router } from 'edict'
import { Add, Added, Counter, Noop, counterRouter, deferred, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

const slow = (gate: Promise<unknown>) =>
  router('counters', (r) =>
    r
      .identify(Counter, { by: 'id' })
      .dispatch(Noop, { to: Counter })
      .dispatch(Add, {
        aggregate: Counter,
        to: async (counter, { by }) => {
          await gate
          return counter.total + by > 1_000 ? undefined : Added({ by })
        },
      }),
  )

describe('commands for one aggregate', () => {
  it('never interleave: each sees what the ones before it did', async () => {
    const app = await started({ router: slow(Promise.resolve()) })
    const results = await Promise.all(Array.from({ length: 100 }, (_, by) => app.dispatch(Add({ id: 'a', by }))))
    expect(results.map(({ aggregateVersion }) => aggregateVersion)).toEqual(
      results.map((_, index) => Math.min(index + 1, results.filter(({ events }) => events.length).length)),
    )
    const versions = results.flatMap(({ events }) => events.map(({ streamVersion }) => streamVersion))
    expect(versions).toEqual(versions.map((_, index) => index + 1))
  })

  it('take effect in the order of their dispatch, whether they wait or not', async () => {
    const gate = deferred()
    const app = await started({ router: slow(gate.promise) })
    const dispatched = [
      app.dispatch(Add({ id: 'a', by: 1 })),
      app.dispatch(Noop({ id: 'a' })),
      app.dispatch(Add({ id: 'a', by: 2 })),
      app.dispatch(Noop({ id: 'a' })),
    ]
    gate.resolve()
    const totals = (await Promise.all(dispatched)).map(({ aggregateState }) => aggregateState.total)
    expect(totals).toEqual([1, 1, 3, 3])
  })

  it('do not hold up those of another aggregate', async () => {
    const gate = deferred()
    const app = await started({ router: slow(gate.promise) })
    const held = app.dispatch(Add({ id: 'a', by: 1 }))
    await expect(app.dispatch(Noop({ id: 'b' }))).resolves.toMatchObject({ events: [] })
    gate.resolve()
    await held
  })

  it('go on after one of them failed', async () => {
    const app = await started({ router: counterRouter })
    const outcomes = await Promise.allSettled([
      app.dispatch(Add({ id: 'a', by: 1 })),
      app.dispatch(Add({ id: 'a', by: -1 })),
      app.dispatch(Add({ id: 'a', by: 2 })),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 3 })
  })

  it('are refused at once when too many of them wait', async () => {
    const gate = deferred()
    const app = await started({ router: slow(gate.promise), mailboxLimit: 2 })
    const first = [1, 2, 3].map((by) => app.dispatch(Add({ id: 'a', by })))
    await expect(app.dispatch(Noop({ id: 'a' }))).rejects.toMatchObject({
      code: 'mailbox_full',
      outcome: 'not-executed',
    })
    gate.resolve()
    await expect(Promise.all(first)).resolves.toHaveLength(3)
    await expect(app.dispatch(Noop({ id: 'a' }))).resolves.toMatchObject({ aggregateVersion: 3 })
  })

  it('make room again when those who waited gave up', async () => {
    const gate = deferred()
    const app = await started({ router: slow(gate.promise), mailboxLimit: 1 })
    const held = app.dispatch(Add({ id: 'a', by: 1 }))
    await expect(app.dispatch(Noop({ id: 'a' }), { timeout: 10 })).rejects.toMatchObject({ code: 'command_timeout' })
    const waiting = app.dispatch(Noop({ id: 'a' }))
    gate.resolve()
    await expect(Promise.all([held, waiting])).resolves.toHaveLength(2)
  })
})

describe('many who gave up', () => {
  it('are passed over without a deep stack, and the aggregate goes on', async () => {
    const gate = deferred()
    const app = await started({ router: slow(gate.promise) })
    const held = app.dispatch(Add({ id: 'a', by: 1 }), { timeout: 60_000 })
    const gaveUp = Array.from({ length: 9_000 }, () => app.dispatch(Noop({ id: 'a' }), { timeout: 20 }))
    const outcomes = await Promise.allSettled(gaveUp)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    gate.resolve()
    await held
    await expect(app.dispatch(Noop({ id: 'a' }))).resolves.toMatchObject({ aggregateVersion: 1 })
    // Nine thousand errors with their stacks take a busy machine a while.
  }, 120_000)

  it('by a timeout and then by an abort are counted once, and leave no listener behind', async () => {
    const gate = deferred()
    const app = await started({ router: slow(gate.promise), mailboxLimit: 5 })
    const held = app.dispatch(Add({ id: 'a', by: 1 }))
    const controller = new AbortController()
    const { signal } = controller
    const gaveUp = Array.from({ length: 5 }, () => app.dispatch(Noop({ id: 'a' }), { timeout: 10, signal }))
    await Promise.allSettled(gaveUp)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    controller.abort()
    const waiting = Array.from({ length: 8 }, () => app.dispatch(Noop({ id: 'a' })))
    const full = (await Promise.allSettled([...waiting.slice(5)])).map((outcome) => outcome.status)
    expect(full).toEqual(['rejected', 'rejected', 'rejected'])
    gate.resolve()
    await held
    await expect(Promise.all(waiting.slice(0, 5))).resolves.toHaveLength(5)
  })
})

describe('commands that wait for one aggregate', () => {
  it('run in the asynchronous context of their own callers', async () => {
    const context = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const traced = router('traced', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          seen.push(context.getStore())
          await new Promise(setImmediate)
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: traced })
    await Promise.all(
      ['one', 'two', 'three'].map((name) => context.run(name, () => app.dispatch(Add({ id: 'a', by: 1 })))),
    )
    expect(seen).toEqual(['one', 'two', 'three'])
  })
})

describe('a handler that dispatches to its own aggregate while it runs', () => {
  it('is refused at once when it is synchronous', async () => {
    let inner: Promise<unknown> | undefined
    const own = router('own', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch([Add, Noop], {
        aggregate: Counter,
        to: {
          Add: (_counter, { id, by }) => {
            inner = app.dispatch(Noop({ id }))
            return Added({ by })
          },
          Noop: () => undefined,
        },
      }),
    )
    const app = await started({ router: own })
    // On a machine that stands still in between, the inner one gives way to others, and begins when the outer one is over.
    const standing = jest.spyOn(Date, 'now').mockReturnValue(Date.now())
    try {
      await app.dispatch(Add({ id: 'a', by: 1 }))
      await expect(inner).rejects.toMatchObject({ code: 'reentrant_dispatch', outcome: 'not-executed' })
    } finally {
      standing.mockRestore()
    }
  })

  it('is refused at once when it is asynchronous, and by way of another aggregate too', async () => {
    const own = router('own', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch([Add, Noop], {
        aggregate: Counter,
        to: {
          Add: async (_counter, { id, by }): Promise<undefined> => {
            await Promise.resolve()
            await app.dispatch(Add({ id: id === 'a' ? 'b' : 'a', by }))
          },
          Noop: () => undefined,
        },
      }),
    )
    const app = await started({ router: own })
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).rejects.toMatchObject({
      code: 'command_failed',
      cause: { code: 'command_failed', cause: { code: 'reentrant_dispatch' } },
    })
  })
})

describe('a dispatch that is not from within a running handler', () => {
  it('is let through when an event handler makes it, though a command handler of the aggregate is running', async () => {
    const gate = deferred()
    const through: number[] = []
    const both = router('both', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch([Add, Noop], {
        aggregate: Counter,
        to: {
          Add: async (_counter, { id, by }) => {
            if (id === 'a') {
              await app.dispatch(Add({ id: 'b', by }))
              await gate.promise
            }
            return Added({ by })
          },
          Noop: () => undefined,
        },
      }),
    )
    const echo = eventHandler('echo', {
      events: [Added],
      handle: {
        Added: (_data, { streamId }) => {
          if (streamId !== 'b') return
          void app.dispatch(Noop({ id: 'a' })).then(({ aggregateVersion }) => through.push(aggregateVersion))
          gate.resolve()
        },
      },
    })
    const app = await started({ router: both, handlers: [echo] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await until(() => through.length === 1, 'the command of the event handler')
    expect(through).toEqual([1])
  })

  it('is let through when a command handler left it running', async () => {
    const gate = deferred()
    const secondHasBegun = deferred()
    let late: Promise<unknown> | undefined
    const leaving = router('leaving', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch([Add, Noop], {
        aggregate: Counter,
        to: {
          Add: async (_counter, { by }) => {
            if (by === 1) {
              void secondHasBegun.promise.then(() => {
                late = app.dispatch(Noop({ id: 'a' }))
              })
            } else {
              secondHasBegun.resolve()
              await gate.promise
            }
            return Added({ by })
          },
          Noop: () => undefined,
        },
      }),
    )
    const app = await started({ router: leaving })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    const second = app.dispatch(Add({ id: 'a', by: 2 }))
    await until(() => late !== undefined, 'the late dispatch')
    gate.resolve()
    await second
    await expect(late).resolves.toMatchObject({ aggregateVersion: 2 })
  })
})

describe('many dispatches at once', () => {
  /** A clock of which each command that begins takes some milliseconds. */
  const heldClock = (eachTakes: number) => {
    let now = Date.now()
    jest.spyOn(Date, 'now').mockImplementation(() => now)
    const open = { now: 0, most: 0 }
    const begin = (): void => {
      now += eachTakes
      open.most = Math.max(open.most, ++open.now)
    }
    const end = (): void => {
      open.now--
    }
    return { open, begin, end }
  }
  const ids = Array.from({ length: 60 }, (_, index) => `a${index}`)
  const unhurried = { timeout: Infinity }
  afterEach(() => {
    jest.restoreAllMocks()
  })

  it('do not stand before what a command that has begun dispatches', async () => {
    const clock = heldClock(4)
    const nesting = router('nesting', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch([Add, Noop], {
        aggregate: Counter,
        to: {
          Add: async (_counter, { id, by }) => {
            clock.begin()
            await app.dispatch(Noop({ id: `within-${id}` }), unhurried)
            clock.end()
            return Added({ by })
          },
          Noop: () => undefined,
        },
      }),
    )
    const app = await started({ router: nesting })
    await Promise.all(ids.map((id) => app.dispatch(Add({ id, by: 1 }), unhurried)))
    expect(clock.open.most).toBeLessThan(20)
  })

  it('do not stand before a command that is through its middleware', async () => {
    const clock = heldClock(4)
    const surrounded = router('surrounded', (r) =>
      r
        .middleware(async (_pipeline, next) => {
          clock.begin()
          await Promise.resolve()
          await next()
          clock.end()
        })
        .router(counterRouter),
    )
    const app = await started({ router: surrounded })
    await Promise.all(ids.map((id) => app.dispatch(Add({ id, by: 1 }), unhurried)))
    expect(clock.open.most).toBeLessThan(20)
  })

  it('have their time from their turn on, with hooks around them too', async () => {
    const clock = heldClock(400)
    const slowly = router('slowly', (r) =>
      r
        .middleware({ beforeDispatch: () => undefined })
        .identify(Counter, { by: 'id' })
        .dispatch(Add, {
          aggregate: Counter,
          to: (_counter, { by }) => {
            clock.begin()
            return Added({ by })
          },
        }),
    )
    const app = await started({ router: slowly })
    const all = await Promise.all(ids.map((id) => app.dispatch(Add({ id, by: 1 }), unhurried)))
    const times = all.map(({ events }) => Number(events[0]?.createdAt))
    expect(times.map((time) => time - times[0]!)).toEqual(ids.map((_, index) => 400 * index))
  })

  it('take effect in their order, over many turns of the event loop', async () => {
    const app = await started({ router: counterRouter })
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const order = Array.from({ length: 3_000 }, (_, by) => by)
    const results = await Promise.all(order.map((by) => app.dispatch(Add({ id: 'a', by }), { timeout: Infinity })))
    clearInterval(timer)
    expect(turns).toBeGreaterThan(1)
    expect(results.map(({ aggregateVersion }) => aggregateVersion - 1)).toEqual(order)
  })

  it('let timers have their turn between them', async () => {
    const busy = router('busy', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch(Add, {
        aggregate: Counter,
        to: (_counter, { by }) => {
          const end = performance.now() + 3
          while (performance.now() < end);
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: busy })
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await Promise.all(Array.from({ length: 100 }, (_, index) => app.dispatch(Add({ id: `a${index}`, by: 1 }))))
    clearInterval(timer)
    expect(turns).toBeGreaterThan(10)
  })
})

describe('a loop of dispatches', () => {
  it('lets timers have their turn', async () => {
    const app = await started({ router: counterRouter })
    const timer = { fired: false }
    const handle = setTimeout(() => {
      timer.fired = true
    }, 50)
    const end = Date.now() + 20_000
    for (let count = 0; !timer.fired && Date.now() < end; count++) {
      await app.dispatch(Add({ id: `a${count % 10}`, by: 1 }))
    }
    clearTimeout(handle)
    expect(timer.fired).toBe(true)
  })
})
