import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, inMemoryEventStore, router } from 'edict'
import { testClock } from 'edict/testing'
import { Add, Added, Counter, counterRouter, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

const add = Add({ id: 'a', by: 1 })

/** Who says an option, and who of them is heard. A route has no timeout for consistency. */
const levels = ['call', 'route', 'application', 'built-in'] as const
type Level = (typeof levels)[number]

function combinations(among: readonly Level[]): [string, Level, ReadonlySet<Level>][] {
  const optional = among.filter((level) => level !== 'built-in')
  return Array.from({ length: 2 ** optional.length }, (_, bits) => {
    const said = optional.filter((_level, index) => (bits & (1 << index)) !== 0)
    const heard = among.find((level) => level === 'built-in' || said.includes(level)) ?? 'built-in'
    return [said.join(', ') || 'nobody', heard, new Set(said)]
  })
}

/** The option with the value of a level, where that level says it. */
const saying = (said: ReadonlySet<Level>, level: Level, option: string, values: Partial<Record<Level, unknown>>) =>
  said.has(level) ? { [option]: values[level] } : {}

/** A router whose one registration has options, and a middleware that notes what they came to. */
function noting(options: object, seen: { timeout?: number; consistency?: unknown }) {
  return router('noting', (r) =>
    r
      .middleware({
        beforeDispatch: ({ timeout, consistency }) => {
          Object.assign(seen, { timeout, consistency })
        },
      })
      .identify(Counter, { by: 'id' })
      .dispatch(Add, { to: Counter, ...options }),
  )
}

describe('where an option is said by', () => {
  it.each(combinations(levels))('%s, the timeout is that of the %s', async (_who, heard, said) => {
    const values = { call: 1_000, route: 2_000, application: 3_000, 'built-in': 5_000 }
    const seen: { timeout?: number } = {}
    const app = await started({
      // With a clock of its own nobody has more patience than an application has.
      clock: testClock(),
      router: noting(saying(said, 'route', 'timeout', values), seen),
      defaults: saying(said, 'application', 'timeout', values),
    })
    await app.dispatch(add, saying(said, 'call', 'timeout', values))
    expect(seen.timeout).toBe(values[heard])
  })

  it.each(combinations(levels))('%s, the consistency is that of the %s', async (_who, heard, said) => {
    const values = { call: [], route: ['follower'], application: 'strong', 'built-in': 'eventual' } as const
    const follower = eventHandler('follower', { events: [Added], consistency: 'strong', handle: () => undefined })
    const seen: { consistency?: unknown } = {}
    const app = await started({
      router: noting(saying(said, 'route', 'consistency', values), seen),
      defaults: saying(said, 'application', 'consistency', values),
      handlers: [follower],
    })
    await app.dispatch(add, saying(said, 'call', 'consistency', values))
    expect(seen.consistency).toEqual(values[heard])
  })

  it.each(combinations(levels))('%s, the attempts after a conflict are those of the %s', async (_who, heard, said) => {
    const values = { call: 0, route: 1, application: 2, 'built-in': 10 }
    const eventStore = inMemoryEventStore()
    const faster = await started({ router: counterRouter, eventStore })
    let attempts = 0
    const slower = router('slower', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        ...saying(said, 'route', 'retryAttempts', values),
        to: async (_counter, { by }) => {
          attempts++
          await faster.dispatch(add)
          return Added({ by })
        },
      }),
    )
    const app = await started({
      router: slower,
      eventStore,
      defaults: saying(said, 'application', 'retryAttempts', values),
    })
    const options = saying(said, 'call', 'retryAttempts', values)
    await expect(app.dispatch(add, options)).rejects.toMatchObject({ code: 'version_conflict' })
    expect(attempts).toBe(values[heard] + 1)
  })

  it.each(combinations(['call', 'application', 'built-in']))(
    '%s, the timeout for consistency is that of the %s',
    async (_who, heard, said) => {
      const values = { call: 1_000, application: 3_000, 'built-in': 5_000 }
      const clock = testClock()
      let end = (): void => undefined
      const handled = new Promise<void>((resolve) => {
        end = resolve
      })
      const slow = eventHandler('slow', { events: [Added], consistency: 'strong', handle: () => handled })
      const app = await started({
        router: counterRouter,
        clock,
        handlers: [slow],
        defaults: saying(said, 'application', 'consistencyTimeout', values),
      })
      let answer: unknown
      const options = saying(said, 'call', 'consistencyTimeout', values)
      void app.dispatch(add, { consistency: 'strong', ...options }).catch((error: unknown) => {
        answer = error
      })
      // The key of a level that has one.
      const timeout = values[heard as keyof typeof values]
      await clock.advance(timeout - 1)
      expect(answer).toBeUndefined()
      await clock.advance(1)
      expect(answer).toMatchObject({ code: 'consistency_timeout', laggards: ['slow'] })
      end()
    },
  )
})
