import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, router, type Middleware, type Pipeline } from 'edict'
import { testClock } from 'edict/testing'
import { Add, Added, Counter, Noop, deferred, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

const add = Add({ id: 'a', by: 1 })

type Change = (pipeline: Pipeline) => void

/** The same change by each form of middleware. */
const forms: readonly (readonly [name: string, make: (change: Change) => Middleware])[] = [
  ['a hook', (change) => ({ beforeDispatch: change })],
  [
    'a hook that takes its time',
    (change) => ({
      beforeDispatch: async (pipeline) => {
        await Promise.resolve()
        change(pipeline)
      },
    }),
  ],
  [
    'a function around',
    (change) => async (pipeline, next) => {
      change(pipeline)
      await next()
    },
  ],
]

function counters(middleware: Middleware, gate: Promise<unknown> = Promise.resolve()) {
  return router('counters', (r) =>
    r
      .middleware(middleware)
      .identify(Counter, { by: 'id', prefix: 'counter-' })
      .dispatch(Noop, { to: Counter })
      .dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          await gate
          return Added({ by })
        },
      }),
  )
}

describe.each(forms)('%s', (_name, make) => {
  it('may shorten the timeout, and wins over the call', async () => {
    const change = (pipeline: Pipeline) => {
      expect(pipeline.timeout).toBe(60_000)
      pipeline.timeout = 20
    }
    const app = await started({ router: counters(make(change), new Promise(() => undefined)) })
    await expect(app.dispatch(add, { timeout: 60_000 })).rejects.toMatchObject({ code: 'command_timeout', timeout: 20 })
  })

  it('may lengthen the timeout', async () => {
    const gate = deferred()
    const change = (pipeline: Pipeline) => {
      pipeline.timeout = Infinity
      setTimeout(gate.resolve, 30)
    }
    const app = await started({ router: counters(make(change), gate.promise) })
    await expect(app.dispatch(add, { timeout: 5 })).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('may ask for strong consistency, of all handlers or of some, and take it back', async () => {
    const gate = deferred()
    const seen: string[] = []
    const slow = eventHandler('slow', {
      events: [Added],
      consistency: 'strong',
      handle: () => gate.promise,
    })
    const prompt = eventHandler('prompt', {
      events: [Added],
      consistency: 'strong',
      handle: async () => {
        await Promise.resolve()
        seen.push('prompt')
      },
    })
    let consistency: Pipeline['consistency'] = [prompt]
    const change = (pipeline: Pipeline) => {
      pipeline.consistency = consistency
      expect(pipeline.consistency).toBe(consistency)
    }
    const clock = testClock()
    const app = await started({ router: counters(make(change)), handlers: [slow, prompt], clock })
    await app.dispatch(add)
    expect(seen).toEqual(['prompt'])
    consistency = 'eventual'
    await app.dispatch(add, { consistency: 'strong' })
    consistency = 'strong'
    const late = app.dispatch(add, { consistencyTimeout: 20 }).catch((error: unknown) => error)
    await until(async () => (await app.handler(prompt).status()).position === 3, 'the prompt one')
    await clock.advance(20)
    expect(await late).toMatchObject({ code: 'consistency_timeout', laggards: ['slow'] })
    gate.resolve()
  })

  it.each<[string, Change]>([
    ['a timeout of zero', (pipeline) => void (pipeline.timeout = 0)],
    ['a timeout that is no number', (pipeline) => void (pipeline.timeout = '5' as never)],
    ['an unknown consistency', (pipeline) => void (pipeline.consistency = 'strongest' as never)],
    ['a handler that nobody knows', (pipeline) => void (pipeline.consistency = ['nobody'])],
    ['an empty tenant', (pipeline) => void (pipeline.tenant = '')],
    ['a tenant with a slash', (pipeline) => void (pipeline.tenant = 'a/b')],
  ])('that asks for %s fails the command before it runs', async (_what, change) => {
    const app = await started({ router: counters(make(change)) })
    await expect(app.dispatch(add)).rejects.toMatchObject({
      code: 'command_failed',
      outcome: 'not-executed',
      cause: { code: 'invalid_option' },
    })
    expect(await app.aggregateVersion(Counter, 'a')).toBe(0)
  })
})

describe('a timeout, or a tenant, that is changed after the command began', () => {
  it.each<[string, Change]>([
    ['timeout', (pipeline) => void (pipeline.timeout = 5)],
    ['tenant', (pipeline) => void (pipeline.tenant = 'acme')],
  ])('is a misuse of the %s', async (_what, change) => {
    const app = await started({ router: counters({ afterDispatch: change }) })
    await expect(app.dispatch(Noop({ id: 'a' }))).rejects.toMatchObject({
      code: 'command_failed',
      outcome: 'executed',
      cause: { code: 'middleware_misuse' },
    })
  })
})
