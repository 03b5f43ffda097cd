import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, retry, upcaster, type EventHandlerDefinition } from 'edict'
import { Add, Added, Counter, counterRouter, started, stopAll, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

type Definition = Partial<EventHandlerDefinition<readonly [typeof Added]>>

describe.each(everyStore)('a handler that wants a part of the events, on the store $kind', ({ share }) => {
  const stores = share()

  async function run(
    definition: Definition,
    work: (
      add: (id: string, by: number) => Promise<unknown>,
      handled: readonly string[],
      restart: () => Promise<void>,
    ) => Promise<void>,
  ): Promise<void> {
    const handled: string[] = []
    const app = await started({
      router: counterRouter,
      eventStore: stores.node(),
      upcasters: [upcaster('Added', { upcast: (added) => added })],
      handlers: [
        eventHandler('part', {
          events: [Added],
          consistency: 'strong',
          handle: ({ by }, { streamId }) => {
            handled.push(`${streamId}:${by}`)
          },
          ...definition,
        }),
      ],
    })
    const restart = async () => {
      await app.stop()
      await app.start()
    }
    await work((id, by) => app.dispatch(Add({ id, by }), { consistency: 'strong' }), handled, restart)
  }

  it.each([1, 3])(
    'gets those of one stream, with %d partitions, and nobody waits for it because of others',
    async (concurrency) => {
      await run({ subscribeTo: { stream: 'counter-a' }, concurrency }, async (add, handled, restart) => {
        for (const [id, by] of [
          ['a', 1],
          ['b', 2],
          ['a', 3],
        ] as const)
          await add(id, by)
        expect(handled).toEqual(['counter-a:1', 'counter-a:3'])
        await restart()
        for (const [id, by] of [
          ['b', 4],
          ['a', 5],
        ] as const)
          await add(id, by)
        expect(handled).toEqual(['counter-a:1', 'counter-a:3', 'counter-a:5'])
      })
    },
    120_000,
  )

  it.each([
    ['an aggregate', Counter],
    ['its name', 'Counter'],
  ])(
    'gets those of a category, given by %s',
    async (_, category) => {
      await run({ subscribeTo: { category } }, async (add, handled) => {
        await add('a', 1)
        expect(handled).toEqual(['counter-a:1'])
      })
    },
    120_000,
  )

  it('is not waited for where the events are of another category', async () => {
    await run({ subscribeTo: { category: 'Other' } }, async (add, handled) => {
      await add('a', 1)
      expect(handled).toEqual([])
    })
  }, 120_000)

  it('gets those that its selector wants', async () => {
    await run({ selector: ({ data }) => data.by > 1 }, async (add, handled) => {
      for (const by of [1, 2, 1, 3]) await add('a', by)
      expect(handled).toEqual(['counter-a:2', 'counter-a:3'])
    })
  }, 120_000)
})

describe('a selector', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no opinion')
      },
    ],
    ['gives no answer', () => undefined],
    ['gives a promise', () => Promise.resolve(true)],
  ])('that %s is a failure of the handler at the event', async (_, selector) => {
    let failing = true
    const told: unknown[] = []
    const handled: number[] = []
    const app = await started({
      router: counterRouter,
      handlers: [
        eventHandler('part', {
          events: [Added],
          selector: (() => (failing ? selector() : true)) as never,
          handle: ({ by }) => void handled.push(by),
          onError: (error, { position }) => {
            told.push([error instanceof Error, position])
            failing = false
            return retry({ after: 1 })
          },
        }),
      ],
    })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await until(() => handled.length === 1)
    expect(told).toEqual([[true, 1]])
  })

  it.each([[{}], [{ stream: '' }], [{ stream: 'a', category: 'b' }], [{ category: 1 }], ['everything'], [null]])(
    'belongs to no subscription that is none: %j',
    (subscribeTo) => {
      expect(() => eventHandler('part', { events: [Added], handle: () => undefined, subscribeTo } as never)).toThrow(
        expect.objectContaining({ code: 'invalid_definition' }),
      )
    },
  )
})

describe('the state of a handler', () => {
  it('is fresh at each start, and is what the handler made of it until then', async () => {
    const seen: number[] = []
    const app = await started({
      router: counterRouter,
      handlers: [
        eventHandler('counting', {
          events: [Added],
          consistency: 'strong',
          initialState: () => ({ total: 0 }),
          handle: ({ by }, _recorded, context) => {
            context.state.total += by
            seen.push(context.state.total)
            if (by === 10) context.state = { total: 100 }
          },
        }),
      ],
    })
    const add = (by: number) => app.dispatch(Add({ id: 'a', by }), { consistency: 'strong' })
    for (const by of [1, 10, 2]) await add(by)
    await app.stop()
    await app.start()
    await add(5)
    expect(seen).toEqual([1, 11, 102, 5])
  })

  it('that cannot be made stops the handler, and nobody else', async () => {
    const app = await started({
      router: counterRouter,
      handlers: [
        eventHandler('counting', {
          events: [Added],
          handle: () => undefined,
          initialState: () => {
            throw new Error('no state')
          },
        }),
      ],
    })
    expect(await app.handler('counting').status()).toMatchObject({
      state: 'failed',
      lastError: { message: 'no state' },
    })
  })
})
