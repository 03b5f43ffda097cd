import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, router } from 'edict'
import type { EventStore, Lifespan } from 'edict'
import { Add, Counter, Noop, recordingLogger, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

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
