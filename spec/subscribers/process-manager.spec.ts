import { afterEach, describe, expect, it } from '@jest/globals'
import {
  eventHandler,
  inMemoryEventStore,
  readAllEvents,
  type EventStore,
  type ProcessInterest,
  type StoredEvent,
} from 'edict'
import {
  Add,
  Added,
  Counter,
  counterRouter,
  Noop,
  recordingLogger,
  started,
  stopAll,
  until,
} from '../support/counter.ts'
import { add, copier, sourceOf, type CounterApplication, type Sum } from './process-harness.ts'

afterEach(stopAll)

const totalOf = async (app: CounterApplication, id: string) => (await app.aggregateState(Counter, id)).total
const seen = async (app: CounterApplication, manager: ReturnType<typeof copier>, id: string) =>
  (await app.processState(manager, id))?.seen

async function eventsOf(eventStore: EventStore): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for await (const event of readAllEvents(eventStore)) events.push(event)
  return events
}

describe('a process manager', () => {
  it('dispatches the commands of its events, and keeps a state for each instance', async () => {
    const manager = copier()
    const app = await started({ router: counterRouter, handlers: [manager] })
    await add(app, 'a', 1, 2)
    await add(app, 'b', 10)
    await until(async () => (await totalOf(app, 'to-a')) === 3 && (await totalOf(app, 'to-b')) === 10, 'the copies')
    await until(async () => (await seen(app, manager, 'a'))?.length === 2, 'the state of a')
    expect(await seen(app, manager, 'a')).toEqual([1, 2])
    expect(await seen(app, manager, 'b')).toEqual([10])
    expect(await seen(app, manager, 'c')).toBeUndefined()
  })

  it('handles, dispatches one command after another, applies and stores, in this order', async () => {
    const log: string[] = []
    const manager = copier({
      handle: (state, { by }) => {
        log.push(`handle ${by} in [${state.seen.join()}]`)
        return [1, 2].map((step) => Add({ id: `to-${step}`, by: by * step }))
      },
      apply: (state, { data }) => {
        log.push(`apply ${data.by}`)
        return { seen: [...state.seen, data.by] }
      },
      afterCommand: (state, command) => {
        log.push(`after ${command.type} in [${state.seen.join()}]`)
      },
    })
    const copies = eventHandler('copies', { events: [Added], handle: () => undefined })
    const eventStore = inMemoryEventStore()
    const app = await started({ router: counterRouter, eventStore, handlers: [manager, copies] })
    await add(app, 'a', 5, 7)
    await until(async () => (await seen(app, manager, 'a'))?.length === 2, 'both')
    expect(log).toEqual([
      ...['handle 5 in []', 'apply 5', 'after Add in [5]', 'after Add in [5]'],
      ...['handle 7 in [5]', 'apply 7', 'after Add in [5,7]', 'after Add in [5,7]'],
    ])
    const copied = (await eventsOf(eventStore)).filter(({ streamId }) => streamId.startsWith('counter-to'))
    expect(copied.map(({ streamId, data }) => [streamId, (data as { by: number }).by])).toEqual([
      ...[
        ['counter-to-1', 5],
        ['counter-to-2', 10],
      ],
      ...[
        ['counter-to-1', 7],
        ['counter-to-2', 14],
      ],
    ])
  })

  it('carries on where an event came from: causation, correlation and metadata', async () => {
    const eventStore = inMemoryEventStore()
    const app = await started({ router: counterRouter, eventStore, handlers: [copier()] })
    await app.dispatch(Add({ id: 'from-a', by: 1 }), { correlationId: 'the-request', metadata: { user: 'Åse' } })
    await until(async () => (await totalOf(app, 'to-a')) === 1, 'the copy')
    const [cause, effect] = await eventsOf(eventStore)
    expect(effect).toMatchObject({
      causationId: cause?.eventId,
      correlationId: 'the-request',
      metadata: { user: 'Åse' },
      commandId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8/),
    })
  })

  it('is waited for by a strong dispatch, with all commands of its events', async () => {
    const app = await started({
      router: counterRouter,
      handlers: [copier({ consistency: 'strong' })],
      defaults: { consistency: 'strong' },
    })
    for (let round = 1; round <= 20; round++) {
      await add(app, 'a', 1)
      expect(await totalOf(app, 'to-a')).toBe(round)
    }
  })

  it('does not wait for itself, whoever else its commands wait for', async () => {
    const app = await started({
      router: counterRouter,
      handlers: [copier({ consistency: 'strong' }), copier({ consistency: 'strong' }, 'another')],
      defaults: { consistency: 'strong', consistencyTimeout: 2_000 },
    })
    await Promise.all(['a', 'b', 'c'].map((id) => add(app, id, 1, 2)))
    expect(await totalOf(app, 'to-b')).toBe(6)
  })

  it.each<[what: string, interest: ProcessInterest, started: boolean]>([
    ['starts with start', { start: 'x' }, true],
    ['starts with start, strictly', { start: 'x', strict: true }, true],
    ['starts with continue', { continue: 'x' }, true],
    ['is not touched by a stop', { stop: 'x' }, false],
    ['is none where a list is empty', { start: [] }, false],
  ])('has an instance that %s', async (_, interest, isStarted) => {
    const manager = copier({ interested: () => interest, handle: () => undefined, consistency: 'strong' })
    const app = await started({ router: counterRouter, handlers: [manager], defaults: { consistency: 'strong' } })
    await app.dispatch(Add({ id: 'from-a', by: 1 }))
    expect(await seen(app, manager, 'x')).toEqual(isStarted ? [1] : undefined)
  })

  it('gives an event to several instances, each once, and takes numbers and bigints for ids', async () => {
    const manager = copier({
      interested: () => ({ start: ['x', 5, 7n, 'x'] }),
      handle: () => undefined,
      consistency: 'strong',
    })
    const app = await started({ router: counterRouter, handlers: [manager], defaults: { consistency: 'strong' } })
    await add(app, 'a', 1)
    expect([
      await seen(app, manager, 'x'),
      await app.processState(manager, 5),
      await app.processState(manager, 7n),
    ]).toEqual([[1], { seen: [1] }, { seen: [1] }])
  })

  it('forgets an instance that is stopped, and begins anew where it is started again', async () => {
    const manager = copier({
      interested: ({ by }, { streamId }) => {
        const id = sourceOf(streamId)
        if (id === undefined) return undefined
        return by === 0 ? { stop: id } : { start: id, strict: true }
      },
      consistency: 'strong',
    })
    const eventStore = inMemoryEventStore()
    const app = await started({
      router: counterRouter,
      eventStore,
      handlers: [manager],
      defaults: { consistency: 'strong' },
    })
    await add(app, 'a', 1)
    expect(await seen(app, manager, 'a')).toEqual([1])
    await add(app, 'a', 0)
    expect(await seen(app, manager, 'a')).toBeUndefined()
    await until(async () => (await eventStore.readSnapshot('edict.process-copier#a')) === undefined, 'the deletion')
    await add(app, 'a', 2)
    expect(await seen(app, manager, 'a')).toEqual([2])
    expect(await totalOf(app, 'to-a')).toBe(3)
  })

  it('deletes the state of an instance that is not in memory when it stops', async () => {
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    const manager = copier({
      interested: ({ by }, { streamId }) =>
        sourceOf(streamId) === 'a' ? (by === 0 ? { stop: 'a' } : { start: 'a' }) : undefined,
      consistency: 'strong',
    })
    const definition = {
      router: counterRouter,
      eventStore,
      handlers: [manager],
      defaults: { consistency: 'strong' },
    } as const
    const before = await started(definition)
    await add(before, 'a', 1)
    await before.stop()
    expect(await eventStore.readSnapshot('edict.process-copier#a')).toBeDefined()
    const after = await started(definition)
    await add(after, 'a', 0)
    await after.stop()
    expect(await eventStore.readSnapshot('edict.process-copier#a')).toBeUndefined()
  })

  it('stops an instance after a command where afterCommand says so', async () => {
    const manager = copier({
      afterCommand: ({ seen: all }) => (all.length === 2 ? 'stop' : undefined),
      consistency: 'strong',
    })
    const app = await started({ router: counterRouter, handlers: [manager], defaults: { consistency: 'strong' } })
    await add(app, 'a', 1)
    expect(await seen(app, manager, 'a')).toEqual([1])
    await add(app, 'a', 2)
    expect(await seen(app, manager, 'a')).toBeUndefined()
    await add(app, 'a', 3)
    expect(await seen(app, manager, 'a')).toEqual([3])
  })

  it('handles events of different instances side by side, and those of one in order', async () => {
    const order: string[] = []
    const open = new Map<string, () => void>()
    const manager = copier({
      handle: async (_state, { by }, _recorded, { instanceId }) => {
        order.push(`${instanceId} ${by}`)
        if (instanceId === 'slow') await new Promise<void>((resolve) => void open.set(`${by}`, resolve))
        return Add({ id: `to-${instanceId}`, by })
      },
    })
    const app = await started({ router: counterRouter, handlers: [manager] })
    await add(app, 'slow', 1, 2)
    await add(app, 'a', 1, 2, 3)
    await until(async () => (await totalOf(app, 'to-a')) === 6, 'the quick one')
    expect(order).toEqual(['slow 1', 'a 1', 'a 2', 'a 3'])
    open.get('1')?.()
    await until(() => Promise.resolve(open.has('2')), 'the second of the slow one')
    open.get('2')?.()
    await until(async () => (await totalOf(app, 'to-slow')) === 3, 'the slow one')
  })

  it('is at work on no more instances at once than it may be', async () => {
    let atWork = 0
    let most = 0
    const manager = copier({
      concurrency: 3,
      handle: async () => {
        most = Math.max(most, ++atWork)
        await new Promise((resolve) => setImmediate(resolve))
        atWork--
      },
      consistency: 'strong',
    })
    const app = await started({ router: counterRouter, handlers: [manager] })
    await Promise.all(Array.from({ length: 40 }, (_, id) => add(app, String(id), 1, 2)))
    await app.dispatch(Add({ id: 'from-last', by: 1 }), { consistency: 'strong' })
    expect(most).toBe(3)
  })

  it('keeps all instances, however few of them are in memory', async () => {
    const manager = copier({ cachedInstances: 2, consistency: 'strong' })
    const app = await started({ router: counterRouter, handlers: [manager], defaults: { consistency: 'strong' } })
    for (const by of [1, 2, 3]) await Promise.all(Array.from({ length: 20 }, (_, id) => add(app, String(id), by)))
    for (let id = 0; id < 20; id++) expect(await seen(app, manager, String(id))).toEqual([1, 2, 3])
  })

  it('takes more events than may wait, and loses none', async () => {
    const manager = copier({ concurrency: 2, cachedInstances: 50, handle: () => undefined })
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    const writer = await started({ router: counterRouter, eventStore })
    for (let index = 0; index < 2_400; index++) await writer.dispatch(Add({ id: `from-${index % 1_200}`, by: 1 }))
    await writer.stop()
    const app = await started({ router: counterRouter, eventStore, handlers: [manager] })
    await until(async () => (await eventStore.readCheckpoint('copier'))?.position === 2_400, 'the end')
    for (const id of ['0', '777', '1199']) expect(await seen(app, manager, id)).toEqual([1, 1])
  })

  it('keeps the types of its state', async () => {
    interface Rich {
      readonly seen: number[]
      readonly when: Date
      readonly big: bigint
      readonly names: Map<string, Set<string>>
      readonly none: undefined
    }
    const rich: Rich = {
      seen: [1],
      when: new Date(5),
      big: 7n,
      names: new Map([['a', new Set(['b'])]]),
      none: undefined,
    }
    const manager = copier({ apply: () => rich, handle: () => undefined, consistency: 'strong' })
    const app = await started({ router: counterRouter, handlers: [manager], defaults: { consistency: 'strong' } })
    await add(app, 'a', 1)
    expect(await app.processState(manager, 'a')).toEqual(rich)
  })

  it('gives a frozen state to whoever looks', async () => {
    const states: Readonly<Sum>[] = []
    const manager = copier({ handle: (state) => void states.push(state), consistency: 'strong' })
    const app = await started({ router: counterRouter, handlers: [manager], defaults: { consistency: 'strong' } })
    await add(app, 'a', 1, 2)
    expect(states.map((state) => Object.isFrozen(state) && Object.isFrozen(state.seen))).toEqual([true, true])
    expect(Object.isFrozen((await app.processState(manager, 'a'))?.seen)).toBe(true)
  })

  it('is one handler among others: their names are one set', async () => {
    const handler = eventHandler('copier', { events: [Added], handle: () => undefined })
    await expect(started({ router: counterRouter, handlers: [copier(), handler] })).rejects.toThrow(
      'has two handlers named copier',
    )
  })

  it('is looked at only in an application that runs it', async () => {
    const app = await started({ router: counterRouter, handlers: [copier()] })
    await expect(app.processState(copier({}, 'stranger'), 'a')).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(app.processState({} as never, 'a')).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(app.processState(copier(), '')).rejects.toMatchObject({ code: 'invalid_option' })
    await app.stop()
    await expect(app.processState(copier(), 'a')).rejects.toMatchObject({ code: 'not_running' })
  })

  it('warns of nothing when all goes well, and says nothing of commands that change nothing', async () => {
    const logger = recordingLogger()
    const manager = copier({ handle: () => [Noop({ id: 'to-a' }), Noop({ id: 'to-a' })], consistency: 'strong' })
    const app = await started({
      router: counterRouter,
      handlers: [manager],
      logger,
      defaults: { consistency: 'strong' },
    })
    await add(app, 'a', 1)
    expect(await seen(app, manager, 'a')).toEqual([1])
    expect(logger.entries).toEqual([])
  })
})
