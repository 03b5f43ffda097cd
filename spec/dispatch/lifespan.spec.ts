import { afterEach, describe, expect, it } from '@jest/globals'
import { application, inMemoryEventStore, router, systemClock } from 'edict'
import type { Clock, EventStore, Lifespan } from 'edict'
import { Add, Counter, Noop, recordingLogger, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

const HOUR = 3_600_000

/** A store that counts how often a stream is read: a live instance is not read again. */
function countingStore(): { readonly eventStore: EventStore; readonly reads: () => number } {
  const inner = inMemoryEventStore()
  let reads = 0
  const eventStore = new Proxy(inner, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target)
      if (typeof member !== 'function') return member
      if (key === 'readStream') reads++
      return member.bind(target) as unknown
    },
  })
  return { eventStore, reads: () => reads }
}

const counters = (lifespan: Lifespan) =>
  router('counters', (r) => r.identify(Counter, { by: 'id' }).dispatch([Add, Noop], { to: Counter, lifespan }))

describe('a lifespan', () => {
  it('of stop takes the instance out of memory at once, after an event, a command without events, or an error', async () => {
    const { eventStore, reads } = countingStore()
    const lifespan: Lifespan = { afterEvent: () => 'stop', afterCommand: () => 'stop', afterError: () => 'stop' }
    const app = await started({ router: counters(lifespan), eventStore })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await app.dispatch(Noop({ id: 'a' }))
    await app.dispatch(Add({ id: 'a', by: -1 })).catch(() => undefined)
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(reads()).toBe(4)
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 2 })
  })

  it('of infinity keeps it', async () => {
    const { eventStore, reads } = countingStore()
    const app = await started({ router: counters({ afterEvent: () => 'infinity' }), eventStore })
    for (let round = 0; round < 3; round++) await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(reads()).toBe(1)
  })

  it('of milliseconds takes it out when it has been idle for so long', async () => {
    const { eventStore, reads } = countingStore()
    const app = await started({ router: counters({ afterEvent: () => 5 }), eventStore })
    await until(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      await app.dispatch(Add({ id: 'a', by: 1 }))
      return reads() >= 2
    }, 'a second reading')
  })

  it.each<[string, unknown, string]>([
    ['a negative number', -1, '-1'],
    ['NaN', Number.NaN, 'NaN'],
    ['another word', 'hibernate', "'hibernate'"],
    ['nothing', undefined, 'a value of type undefined'],
    ['a promise', Promise.resolve(5), 'a promise'],
  ])('that gives %s is logged as an error, and the instance stays', async (_what, life, shown) => {
    const logger = recordingLogger()
    const { eventStore, reads } = countingStore()
    const app = await started({ router: counters({ afterEvent: () => life as never }), eventStore, logger })
    for (let round = 0; round < 3; round++) await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(reads()).toBe(1)
    expect(logger.entries[0]).toMatchObject({
      level: 'error',
      message: `the lifespan's afterEvent for a gave ${shown}, and not milliseconds, 'infinity' or 'stop'`,
    })
  })

  it('of the application holds for the routes that do not say theirs', async () => {
    const { eventStore, reads } = countingStore()
    const mixed = router('mixed', (r) =>
      r
        .identify(Counter, { by: 'id' })
        .dispatch(Add, { to: Counter })
        .dispatch(Noop, { to: Counter, lifespan: { afterCommand: () => 'infinity' } }),
    )
    const lifespan: Lifespan = { afterEvent: () => 'stop', afterCommand: () => 'stop' }
    const app = await started({ router: mixed, eventStore, lifespan })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await app.dispatch(Noop({ id: 'a' }))
    await app.dispatch(Noop({ id: 'a' }))
    // Read for the first Add and the first Noop; the second Noop looks at the store once, as it appends nothing.
    expect(reads()).toBe(3)
  })

  it('of the application that is none is refused when it is defined', () => {
    const define = (lifespan: unknown) =>
      application({
        name: 'wrong',
        router: counters({}),
        eventStore: inMemoryEventStore(),
        lifespan: lifespan as Lifespan,
      })
    expect(() => define(5)).toThrow('the application wrong: lifespan must be an object of callbacks')
    expect(() => define({ afterAll: () => 'stop' })).toThrow('lifespan has the functions afterEvent, afterCommand')
  })

  it('leaves no timer behind: not of an instance that left memory earlier, and not of an application that has stopped', async () => {
    const timers = new Map<unknown, number>()
    const clock: Clock = {
      ...systemClock,
      setTimeout: (call, milliseconds) => {
        const handle = systemClock.setTimeout(call, milliseconds)
        if (milliseconds === HOUR) timers.set(handle, milliseconds)
        return handle
      },
      clearTimeout: (handle) => {
        timers.delete(handle)
        systemClock.clearTimeout(handle)
      },
    }
    const app = await started({
      router: counters({ afterEvent: () => HOUR }),
      cache: { aggregates: 10 },
      clock,
    })
    for (let id = 0; id < 100; id++) await app.dispatch(Add({ id: `${id}`, by: 1 }))
    expect(timers.size).toBe(10)
    await app.evict(Counter, '99')
    expect(timers.size).toBe(9)
    await app.stop()
    expect(timers.size).toBe(0)
  })

  it('whose callback throws is logged, and changes nothing for the caller', async () => {
    const logger = recordingLogger()
    const app = await started({
      logger,
      router: counters({
        afterEvent: () => {
          throw new Error('broken')
        },
      }),
    })
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).resolves.toMatchObject({ aggregateVersion: 1 })
    expect(logger.entries).toHaveLength(1)
  })
})
