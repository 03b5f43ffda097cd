import { afterEach, describe, expect, it } from '@jest/globals'
import {
  aggregate,
  asynchronously,
  command,
  event,
  eventHandler,
  multi,
  park,
  processManager,
  readAllEvents,
  reply,
  router,
  shape,
  stop,
  synchronously,
  type AroundMiddleware,
  type Event,
} from 'edict'
import { projection } from 'edict/projections'
import { deferred, started, stopAll, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { projectedDatabase, storeKinds } from '../subscribers/projection-harness.ts'

afterEach(stopAll)

type Mark = 'sync' | 'async' | 'none'
const Write = command('Write', shape<{ id: string; as: readonly Mark[] }>())
const WriteInSteps = command('WriteInSteps', shape<{ id: string; as: readonly Mark[] }>())
const Tell = command('Tell', shape<{ id: string; as: readonly Mark[] }>())
const Written = event('Written', shape<{ id: string; ink?: Uint8Array }>())
const Told = event('Told', shape<{ id: string }>())

function marked<Given extends Event>(as: Mark, given: Given): Given {
  if (as === 'none') return given
  return as === 'sync' ? synchronously(given) : asynchronously(given)
}

const Page = aggregate('Page', {
  commands: [Write, WriteInSteps, Tell],
  events: [Written, Told],
  initialState: () => ({ count: 0 }),
  execute: {
    Write: (_page, { id, as }) => as.map((one) => marked(one, Written({ id }))),
    WriteInSteps: (page, { id, as }) =>
      multi(page).reduce(as, (_now, one) => marked(one, Written({ id, ink: new Uint8Array([1]) }))),
    Tell: () => undefined,
  },
  apply: (page) => ({ count: page.count + 1 }),
})

const pages = router('pages', (to) =>
  to
    .identify(Page, { by: 'id' })
    .dispatch([Write, WriteInSteps], { to: Page })
    .dispatch(Tell, {
      aggregate: Page,
      to: async (_page, { id, as }) => {
        await Promise.resolve()
        return reply(
          'told',
          as.map((one) => marked(one, Told({ id }))),
        )
      },
    }),
)

const write = (...as: readonly Mark[]) => Write({ id: 'a', as })

/** An eventual handler that ends no event before it is let go. */
function held(name = 'held', events: readonly (typeof Written | typeof Told)[] = [Written, Told]) {
  const gate = deferred()
  const begun: number[] = []
  const handled: number[] = []
  const handler = eventHandler(name, {
    events,
    handle: async (_data, { streamVersion }) => {
      begun.push(streamVersion)
      await gate.promise
      handled.push(streamVersion)
    },
  })
  return { handler, begun, handled, gate }
}

/** Whether a dispatch is not answered, as its handler has the event in hand. */
async function waits(answer: Promise<unknown>, { begun }: ReturnType<typeof held>): Promise<boolean> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  answer.then(over, over)
  await until(() => begun.length > 0, 'the handler having the event')
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
  return !isOver
}

describe.each(everyStore)('a synchronous event on $kind', ({ share }) => {
  const stores = share()

  it('is handled by all whom it interests before its command is answered, by eventual ones too', async () => {
    const slow = held('slow', [Written])
    const bored = held('bored', [Told])
    const seen: string[] = []
    const strong = eventHandler('strong', {
      events: [Written],
      consistency: 'strong',
      handle: () => void seen.push('strong'),
    })
    const process = processManager('process', {
      events: [Written],
      initialState: () => ({}),
      interested: { Written: ({ id }) => ({ start: id }) },
      handle: { Written: () => Tell({ id: 'told', as: ['none'] }) },
    })
    const handlers = [slow.handler, bored.handler, strong, process]
    const app = await started({ router: pages, eventStore: stores.node(), handlers })
    const answer = app.dispatch(write('sync'))
    expect(await waits(answer, slow)).toBe(true)
    slow.gate.resolve()
    await answer
    expect({ handled: slow.handled, seen, told: await app.aggregateVersion(Page, 'told') }).toEqual({
      handled: [1],
      seen: ['strong'],
      told: 1,
    })
    bored.gate.resolve()
  })

  it.each([
    ['a list', write('none', 'sync', 'async')],
    ['a multi', WriteInSteps({ id: 'a', as: ['none', 'sync', 'async'] })],
    ['the reply of a command handler', Tell({ id: 'a', as: ['none', 'sync', 'async'] })],
  ] as const)('is known by its mark in %s', async (_where, asked) => {
    const first = held('first')
    const passed: number[] = []
    const onlyTwo = eventHandler('only-two', {
      events: [Written, Told],
      handle: async (_data, { streamVersion }) => {
        if (streamVersion === 3) await first.gate.promise
        else passed.push(streamVersion)
      },
    })
    const app = await started({ router: pages, eventStore: stores.node(), handlers: [onlyTwo] })
    const { events } = await app.dispatch(asked)
    // Up to the last one that is marked: what comes after it is still in hand.
    expect([events.length, passed]).toEqual([3, [1, 2]])
    first.gate.resolve()
  })

  it('is waited for where another node has the handler', async () => {
    const here = held()
    const eventStore = stores.node()
    const one = await started({ router: pages, eventStore, handlers: [here.handler] })
    await until(
      () =>
        one
          .handler('held')
          .status()
          .then(({ state }) => state === 'live'),
      'the first node having it',
    )
    const other = await started({ router: pages, eventStore: stores.node(), handlers: [held().handler] })
    const answer = other.dispatch(write('sync'))
    expect(await waits(answer, here)).toBe(true)
    here.gate.resolve()
    await answer
    expect(here.handled).toEqual([1])
  })

  it('is waited for as long as consistency may take: then the command is executed, and who is behind is named', async () => {
    const slow = held()
    const handlers = [slow.handler, held('bored', [Told]).handler]
    const app = await started({ router: pages, eventStore: stores.node(), handlers })
    await expect(app.dispatch(write('sync'), { consistencyTimeout: 20 })).rejects.toMatchObject({
      code: 'consistency_timeout',
      outcome: 'executed',
      laggards: ['held'],
      executionResult: { aggregateVersion: 1 },
    })
    slow.gate.resolve()
  })

  it('is waited for with no handler that has stopped: that one is named at once', async () => {
    const failing = eventHandler('failing', {
      events: [Written],
      handle: () => Promise.reject(new Error('no')),
      onError: () => stop(),
    })
    const app = await started({ router: pages, eventStore: stores.node(), handlers: [failing] })
    for (const version of [1, 2]) {
      await expect(app.dispatch(write('sync'), { consistencyTimeout: Infinity })).rejects.toMatchObject({
        code: 'consistency_timeout',
        laggards: ['failing'],
        message: expect.stringContaining('failing (which has stopped)'),
        executionResult: { aggregateVersion: version },
      })
    }
  })

  it('of a tenant is waited for as any other is', async () => {
    const slow = held()
    const app = await started({ router: pages, eventStore: stores.node(), handlers: [slow.handler] })
    const answer = app.dispatch(write('sync'), { tenant: 'acme' })
    expect(await waits(answer, slow)).toBe(true)
    slow.gate.resolve()
    expect((await answer).streamId).toBe('acme/a')
    expect(slow.handled).toEqual([1])
  })

  it('is stored as if it had no mark', async () => {
    const eventStore = stores.node()
    const app = await started({ router: pages, eventStore })
    await app.dispatch(write('none', 'sync', 'async'))
    const stored: string[] = []
    for await (const { type, schemaVersion, contentType, metadata, data } of readAllEvents(eventStore)) {
      stored.push(JSON.stringify({ type, schemaVersion, contentType, metadata, data }))
    }
    expect(stored).toHaveLength(3)
    expect(new Set(stored).size).toBe(1)
  })
})

describe.each(storeKinds)('a projection on %s', (_kind, kind) => {
  const database = projectedDatabase(kind)

  it('has committed a synchronous event when its command is answered', async () => {
    const pageList = projection('page-list', {
      version: 1,
      tables: { page_list: 'id VARCHAR(50) PRIMARY KEY' },
      events: [Written],
      project: async ({ id }, _recorded, tx: unknown, { tables }) => {
        await kind.write(tx, `INSERT INTO ${tables.page_list} VALUES (?1)`, [id])
      },
    })
    const app = await started({ router: pages, eventStore: database.store(), handlers: [pageList] })
    await app.dispatch(write('sync'))
    expect(await database.read('SELECT id FROM page_list')).toEqual([{ id: 'a' }])
  })
})

describe('event processing', () => {
  it('is asynchronous by default: nobody waits for an event without a mark', async () => {
    const slow = held()
    const app = await started({ router: pages, handlers: [slow.handler] })
    await app.dispatch(write('none'))
    expect(slow.handled).toEqual([])
    slow.gate.resolve()
  })

  it('is synchronous for all events of an application that says so, but for those that say otherwise', async () => {
    const slow = held()
    const app = await started({ router: pages, handlers: [slow.handler], eventProcessing: 'sync' })
    await app.dispatch(write('async'))
    expect(slow.handled).toEqual([])
    const answer = app.dispatch(write('none'))
    expect(await waits(answer, slow)).toBe(true)
    slow.gate.resolve()
    await answer
    expect(slow.handled).toEqual([1, 2])
  })

  it('of a command that is repeated is that of the application, as nobody knows its marks any more', async () => {
    const slow = held()
    const app = await started({ router: pages, handlers: [slow.handler], eventProcessing: 'sync' })
    const once = { commandId: 'once', consistencyTimeout: 20 }
    await app.dispatch(write('async'), once)
    await expect(app.dispatch(write('async'), once)).rejects.toMatchObject({ laggards: ['held'], outcome: 'executed' })
    slow.gate.resolve()
  })

  it('is not what a dispatch asks for that wants strong consistency: both are waited for', async () => {
    const strong = held('strong', [Told])
    const slow = held('slow', [Written])
    const consistent = eventHandler('consistent', {
      events: [Told],
      consistency: 'strong',
      handle: () => strong.gate.promise,
    })
    const app = await started({ router: pages, handlers: [consistent, slow.handler] })
    const options = { consistency: 'strong', consistencyTimeout: 20 } as const
    await expect(app.dispatch(Tell({ id: 'a', as: ['async'] }), options)).rejects.toMatchObject({
      laggards: ['consistent'],
    })
    await expect(app.dispatch(write('sync'), options)).rejects.toMatchObject({ laggards: ['slow'] })
    strong.gate.resolve()
    slow.gate.resolve()
  })

  it('comes after the middleware, and within what telemetry tells of a dispatch', async () => {
    const told: string[] = []
    const around: AroundMiddleware = async (_pipeline, next) => {
      await next()
      told.push('middleware')
    }
    const watched = router('watched', (to) => to.middleware(around).router(pages))
    const slow = eventHandler('slow', {
      events: [Written],
      handle: async () => {
        await until(() => told.includes('middleware'), 'the middleware being done')
        told.push('handler')
      },
    })
    const app = await started({ router: watched, handlers: [slow] })
    app.on('dispatch:stop', () => void told.push('telemetry'))
    await app.dispatch(write('sync'))
    expect(told).toEqual(['middleware', 'handler', 'telemetry'])
  })

  it('does not make a handler that dispatches wait for itself, nor two that dispatch wait for each other', async () => {
    const seen: string[] = []
    let inHand = 0
    const leading = (name: string) =>
      eventHandler(name, {
        events: [Written],
        handle: async ({ id }, _recorded, { dispatch }) => {
          seen.push(`${name}: ${id}`)
          if (id !== 'a') return
          inHand++
          await until(() => inHand === 2, 'both having the event')
          await dispatch(Write({ id: name, as: ['sync'] }), { consistencyTimeout: Infinity })
        },
      })
    const app = await started({ router: pages, handlers: [leading('one'), leading('two')] })
    await app.dispatch(write('sync'), { consistencyTimeout: Infinity })
    await until(() => seen.length === 6, 'all being handled')
  })

  it('counts a handler as done that has several partitions, that gathers batches, or that sets the event aside', async () => {
    const seen: string[] = []
    const spread = eventHandler('spread', {
      events: [Written],
      concurrency: 4,
      handle: ({ id }) => void seen.push(`spread: ${id}`),
    })
    const gathering = eventHandler('gathering', {
      events: [Written],
      batchSize: 10,
      batchTimeout: 5,
      // In one batch or in two, as time has it.
      handleBatch: (batch) => void seen.push(...batch.map(({ data }) => `gathering: ${data.id}`)),
    })
    const failing = eventHandler('failing', {
      events: [Written],
      handle: () => Promise.reject(new Error('no')),
      onError: () => park(),
    })
    const app = await started({ router: pages, handlers: [spread, gathering, failing] })
    await app.dispatch(write('none', 'sync'))
    expect([...seen].sort()).toEqual(['gathering: a', 'gathering: a', 'spread: a', 'spread: a'])
    expect((await app.handler(failing).status()).parked).toBe(2)
  })

  it('lets an application stop while a command waits', async () => {
    const slow = held()
    const app = await started({ router: pages, handlers: [slow.handler] })
    const answer = app.dispatch(write('sync'))
    expect(await waits(answer, slow)).toBe(true)
    const stopped = app.stop()
    slow.gate.resolve()
    await stopped
    await answer
    expect(slow.handled).toEqual([1])
  })

  it('is refused where it is neither', async () => {
    const wrong = { router: pages, eventProcessing: 'later' as 'sync' }
    await expect(started(wrong)).rejects.toMatchObject({
      code: 'invalid_definition',
      message: expect.stringContaining(`eventProcessing is 'sync' or 'async'`),
    })
  })
})

describe('a mark', () => {
  it('gives the event anew: the one that was given is as it was, and the last mark counts', async () => {
    const slow = held()
    const plain = Written({ id: 'a' })
    const again = asynchronously(synchronously(plain))
    expect(again).not.toBe(plain)
    expect(again).toEqual(plain)
    expect(Written.is(again)).toBe(true)
    const keeping = aggregate('Keeping', {
      commands: [Write],
      events: [Written],
      initialState: () => ({}),
      execute: { Write: () => (synchronously(plain), [plain, again]) },
      apply: () => ({}),
    })
    const kept = router('kept', (to) => to.identify(keeping, { by: 'id' }).dispatch(Write, { to: keeping }))
    const app = await started({ router: kept, handlers: [slow.handler] })
    expect((await app.dispatch(write())).aggregateVersion).toBe(2)
    expect(slow.handled).toEqual([])
    slow.gate.resolve()
  })

  it.each([undefined, null, 'Written', { type: 'Written', data: {} }, write(), [Written({ id: 'a' })], Written])(
    'is refused on what is no event: %p',
    (given) => {
      for (const mark of [synchronously, asynchronously]) expect(() => mark(given as never)).toThrow(TypeError)
    },
  )
})
