import { afterEach, describe, expect, it } from '@jest/globals'
import { aggregate, command, event, inMemoryEventStore, multi, reply, router, shape } from 'edict'
import type { DispatchOptions } from 'edict'
import { Add, Added, Counter, Explode, Noop, counterRouter, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

const Unregistered = command('Unregistered', shape<{ id: string }>())

async function refusal(work: (store: ReturnType<typeof inMemoryEventStore>) => Promise<unknown>): Promise<unknown> {
  const store = inMemoryEventStore()
  const outcome = await work(store).then(
    () => 'it was accepted',
    (error: unknown) => error,
  )
  await store.open()
  expect(await store.headPosition()).toBe(0)
  return outcome
}

describe('a dispatch stores nothing and says why', () => {
  const registered = { type: 'Add', data: { id: 'a', by: 1 } }

  it.each<[string, unknown, string]>([
    ['a command that nobody registered', Unregistered({ id: 'a' }), 'unregistered_command'],
    ['another definition of a registered type', command('Add', shape<object>())({}), 'unregistered_command'],
    ['a plain object that only looks like a command', registered, 'invalid_message'],
    ['a copy of a command', { ...Add({ id: 'a', by: 1 }) }, 'invalid_message'],
    ['an event', Added({ by: 1 }), 'invalid_message'],
    ['a definition', Add, 'invalid_message'],
    ['null', null, 'invalid_message'],
    ['undefined', undefined, 'invalid_message'],
    ['a text', 'Add', 'invalid_message'],
  ])('for %s', async (_what, given, code) => {
    const error = await refusal(async (eventStore) => {
      const app = await started({ router: counterRouter, eventStore })
      await app.dispatch(given as never)
    })
    expect(error).toMatchObject({ code, outcome: 'not-executed' })
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['an empty text', ''],
    ['NaN', Number.NaN],
    ['an infinity', Infinity],
    ['a boolean', true],
    ['a Date', new Date()],
    ['a plain object', { id: 'a' }],
    ['an array', ['a']],
    ['binary', Uint8Array.of(1)],
    ['a text with NUL', 'a\0b'],
    ['a text that is too long', 'a'.repeat(2_000)],
    [
      'a toString that throws',
      new (class {
        toString(): string {
          throw new Error('no')
        }
      })(),
    ],
    [
      'a plain object with a toString that throws',
      {
        toString(): string {
          throw new Error('no')
        },
      },
    ],
    ['a plain object with a toString that gives an empty text', { toString: () => '' }],
    [
      'a toString that gives an empty text',
      new (class {
        toString(): string {
          return ''
        }
      })(),
    ],
    [
      'a toString that gives no text',
      new (class {
        toString(): string {
          return {} as string
        }
      })(),
    ],
  ])('for an identity that is %s', async (_what, id) => {
    const error = await refusal(async (eventStore) => {
      const app = await started({ router: counterRouter, eventStore })
      await app.dispatch(Add({ id, by: 1 } as never))
    })
    expect(error).toMatchObject({ code: 'invalid_identity', outcome: 'not-executed' })
  })

  it('for an identity function that throws', async () => {
    const throwing = router('r', (r) =>
      r
        .identify(Counter, {
          by: (): string => {
            throw new Error('no identity')
          },
        })
        .dispatch(Add, { to: Counter }),
    )
    const app = await started({ router: throwing })
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).rejects.toMatchObject({ code: 'invalid_identity' })
  })

  it.each<[string, unknown]>([
    ['an unknown option', { returning: 'events' }],
    ['a negative timeout', { timeout: -1 }],
    ['a timeout of zero', { timeout: 0 }],
    ['a timeout that is no number', { timeout: '5000' }],
    ['a timeout of NaN', { timeout: Number.NaN }],
    ['a negative consistency timeout', { consistencyTimeout: -1 }],
    ['an unknown consistency', { consistency: 'strongest' }],
    ['an unknown handler in a list', { consistency: ['nobody'] }],
    ['something else in a list of handlers', { consistency: [5] }],
    ['negative retry attempts', { retryAttempts: -1 }],
    ['broken retry attempts', { retryAttempts: 1.5 }],
    ['a negative expected version', { expectedVersion: -1 }],
    ['an empty command id', { commandId: '' }],
    ['a command id that is no text', { commandId: 5 }],
    ['an empty causation id', { causationId: '' }],
    ['an empty correlation id', { correlationId: '' }],
    ['metadata that is no object', { metadata: [] }],
    ['metadata that is no JSON', { metadata: { at: new Date() } }],
    ['metadata that is not finite', { metadata: { n: Number.NaN } }],
    ['metadata under a reserved key', { metadata: { 'edict.x': 1 } }],
    ['metadata with __proto__', { metadata: JSON.parse('{"__proto__":1}') as object }],
    ['a signal that is none', { signal: {} }],
    ['options that are no object', 'strong'],
    ['options that are null', null],
  ])('for %s', async (_what, options) => {
    const error = await refusal(async (eventStore) => {
      const app = await started({ router: counterRouter, eventStore })
      await app.dispatch(Add({ id: 'a', by: 1 }), options as DispatchOptions)
    })
    expect(error).toMatchObject({ code: 'invalid_option', outcome: 'not-executed' })
  })

  it('takes an option that is undefined for one that is not given', async () => {
    const app = await started({ router: counterRouter })
    const options = { timeout: undefined, commandId: undefined } as unknown as DispatchOptions
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), options)).resolves.toMatchObject({ aggregateVersion: 1 })
  })
})

describe('what execute returns', () => {
  const Foreign = event('Foreign', shape<object>())
  const Same = event('Added', shape<object>())

  const cases: [string, (state: { total: number }) => unknown, string][] = [
    ['a promise', () => Promise.resolve(Added({ by: 1 })), 'invalid_outcome'],
    ['a promise that rejects', () => Promise.reject(new Error('late')), 'invalid_outcome'],
    ['a foreign event', () => Foreign({}), 'invalid_outcome'],
    ['another definition’s event of the same type', () => Same({}), 'invalid_outcome'],
    ['a foreign event in a list', () => [Added({ by: 1 }), Foreign({})], 'invalid_outcome'],
    ['a hole in a list', () => [Added({ by: 1 }), undefined], 'invalid_outcome'],
    ['a foreign event in a multi', (state) => multi(state).execute(() => Foreign({})), 'invalid_outcome'],
    ['a multi on another state', () => multi({ total: 9 }).execute(() => Added({ by: 1 })), 'invalid_outcome'],
    ['a command', () => Noop({ id: 'a' }), 'invalid_outcome'],
    ['a look-alike event', () => ({ type: 'Added', data: { by: 1 } }), 'invalid_outcome'],
    ['a reply', () => reply(1, Added({ by: 1 })), 'invalid_outcome'],
    ['null', () => null, 'invalid_outcome'],
    ['a number', () => 5, 'invalid_outcome'],
    ['an event whose data is no JSON', () => Added({ by: (() => 1) as never }), 'command_failed'],
  ]

  it.each(cases)('is refused where it is %s', async (_what, execute, code) => {
    const Careless = aggregate('Counter', {
      commands: [Add],
      events: [Added],
      initialState: () => ({ total: 0 }),
      execute: { Add: execute as never },
      apply: { Added: () => undefined },
    })
    const careless = router('careless', (r) => r.identify(Careless, { by: 'id' }).dispatch(Add, { to: Careless }))
    const error = await refusal(async (eventStore) => {
      const app = await started({ router: careless, eventStore })
      await app.dispatch(Add({ id: 'a', by: 1 }))
    })
    expect(error).toMatchObject({ code, outcome: 'not-executed' })
  })
})

describe('what execute throws', () => {
  it.each<[string, unknown]>([
    ['an error', new Error('broken')],
    ['a text', 'broken'],
    ['undefined', undefined],
    ['null', null],
    ['an object without a prototype', Object.create(null)],
    [
      'an object that throws when it is looked at',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('do not look')
          },
          getPrototypeOf: () => {
            throw new Error('do not look')
          },
        },
      ),
    ],
  ])('comes back as the cause of command_failed: %s', async (_what, thrown) => {
    const throwing = router('r', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch(Add, {
        aggregate: Counter,
        to: (): undefined => {
          throw thrown
        },
      }),
    )
    const app = await started({ router: throwing })
    const error = await app.dispatch(Add({ id: 'a', by: 1 })).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'command_failed', outcome: 'not-executed' })
    expect(Object.is((error as Error).cause, thrown)).toBe(true)
  })

  it('has its message in that of the error, and leaves the aggregate as it was', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await expect(app.dispatch(Explode({ id: 'a', with: 'the fuse' }))).rejects.toThrow(/the fuse/)
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).resolves.toMatchObject({ aggregateState: { total: 2 } })
  })

  it('changes nothing of a state that it tried to change', async () => {
    const changing = router('r', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch(Add, {
        aggregate: Counter,
        to: (counter): undefined => {
          ;(counter as { total: number }).total = 99
        },
      }),
    )
    const app = await started({ router: changing })
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).rejects.toMatchObject({
      code: 'command_failed',
      cause: expect.any(TypeError),
    })
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 0 })
  })
})
