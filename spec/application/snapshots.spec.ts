import { afterEach, describe, expect, it } from '@jest/globals'
import {
  aggregate,
  application,
  command,
  event,
  inMemoryEventStore,
  jsonSerializer,
  router,
  shape,
  systemClock,
  type EventStore,
  type Serializer,
} from 'edict'
import { Add, Counter, counterRouter, recordingLogger, started, stopAll, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

const STREAM = 'counter-a'

/** A store that counts the events that are read from it. */
function counting(eventStore: EventStore): { readonly eventStore: EventStore; readonly read: () => number } {
  let read = 0
  const readStream: EventStore['readStream'] = async (streamId, options) => {
    const slice = await eventStore.readStream(streamId, options)
    read += slice.events.length
    return slice
  }
  const counted = new Proxy(eventStore, {
    get(target, key) {
      if (key === 'readStream') return readStream
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  return { eventStore: counted, read: () => read }
}

const snapshots = { Counter: { every: 10 } }

async function kept(eventStore: EventStore, streamVersion: number): Promise<void> {
  await until(async () => (await eventStore.readSnapshot(STREAM))?.streamVersion === streamVersion, 'the snapshot')
}

async function counted(eventStore: EventStore, adds: number, every = snapshots): Promise<void> {
  const app = await started({ router: counterRouter, eventStore, snapshots: every })
  for (let add = 0; add < adds; add++) await app.dispatch(Add({ id: 'a', by: 1 }))
  await app.stop()
}

describe.each(everyStore)('snapshots on $kind', ({ share }) => {
  const stores = share()

  it('are kept after every so many events, and the events before them are not read again', async () => {
    const store = stores.node()
    await store.open()
    await counted(store, 25)
    await kept(store, 20)
    const { eventStore, read } = counting(store)
    const app = await started({ router: counterRouter, eventStore, snapshots })
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).resolves.toMatchObject({
      aggregateVersion: 26,
      aggregateState: { total: 26 },
    })
    expect(read()).toBe(5)
  })

  it('are counted on from where they were: a restart does not put the next one off', async () => {
    const store = stores.node()
    await store.open()
    await counted(store, 15)
    await kept(store, 10)
    await counted(store, 5)
    await kept(store, 20)
  })

  it('serve aggregateState and a repeated command, and never give a state of after it', async () => {
    const store = stores.node()
    await store.open()
    const app = await started({ router: counterRouter, eventStore: store, snapshots })
    for (let add = 0; add < 12; add++) await app.dispatch(Add({ id: 'a', by: 1 }), { commandId: `add-${add}` })
    await app.stop()
    const again = await started({ router: counterRouter, eventStore: store, snapshots })
    await expect(again.aggregateState(Counter, 'a')).resolves.toEqual({ total: 12 })
    await expect(again.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'add-4' })).resolves.toMatchObject({
      aggregateVersion: 5,
      aggregateState: { total: 5 },
    })
  })

  it('of another version of the state are passed over before they are decoded', async () => {
    const store = stores.node()
    await store.open()
    await counted(store, 10)
    await kept(store, 10)
    const found = await store.readSnapshot(STREAM)
    await store.saveSnapshot({ ...(found as NonNullable<typeof found>), contentType: 'text/x-unknown', data: '…' })
    const next = { Counter: { every: 10, version: 2 } }
    const logger = recordingLogger()
    const app = await started({ router: counterRouter, eventStore: store, snapshots: next, logger })
    await expect(app.aggregateState(Counter, 'a')).resolves.toEqual({ total: 10 })
    expect(logger.entries).toEqual([])
  })

  it('that cannot be decoded cost a warning: the state is rebuilt from its events', async () => {
    const store = stores.node()
    await store.open()
    await counted(store, 10)
    await kept(store, 10)
    const found = await store.readSnapshot(STREAM)
    const unknown = { contentType: 'text/x-unknown', data: '…' }
    await store.saveSnapshot({ ...(found as NonNullable<typeof found>), ...unknown })
    const logger = recordingLogger()
    const app = await started({ router: counterRouter, eventStore: store, snapshots, logger })
    await expect(app.aggregateState(Counter, 'a')).resolves.toEqual({ total: 10 })
    expect(logger.entries).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining(`the snapshot of ${STREAM} cannot be read`) as unknown,
      }),
    )
  })

  it('from a past that the store no longer has give way to what the store has', async () => {
    const store = stores.node()
    await store.open()
    await counted(store, 3, { Counter: { every: 10 } })
    const data = '{"total":50}'
    const contentType = 'application/json'
    const head = { streamId: STREAM, category: 'Counter', streamVersion: 50, snapshotVersion: 1, createdAt: 0 }
    await store.saveSnapshot({ ...head, contentType, data })
    const app = await started({ router: counterRouter, eventStore: store, snapshots })
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).resolves.toMatchObject({
      aggregateVersion: 4,
      aggregateState: { total: 4 },
    })
  })

  it('keep Dates, Maps and Sets of the state, frozen', async () => {
    const Note = command('Note', shape<{ id: string; at: Date }>())
    const Noted = event('Noted', shape<{ at: Date }>())
    const Diary = aggregate('Diary', {
      commands: [Note],
      events: [Noted],
      initialState: () => ({ days: new Map<string, Date>(), tags: new Set<string>() }),
      execute: { Note: (_diary, { at }) => Noted({ at }) },
      apply: {
        Noted: (diary, { at }) => {
          diary.days.set(at.toISOString(), at)
          diary.tags.add('noted')
        },
      },
    })
    const diaries = router('diaries', (r) =>
      r.identify(Diary, { by: 'id', prefix: 'diary-' }).dispatch(Note, { to: Diary }),
    )
    const store = stores.node()
    await store.open()
    const definition = { router: diaries, eventStore: store, snapshots: { Diary: { every: 1 } } }
    const at = new Date('2024-02-29T12:00:00Z')
    const one = await started(definition)
    await one.dispatch(Note({ id: 'd', at }))
    await one.stop()
    expect(await store.readSnapshot('diary-d')).toBeDefined()
    const other = await started(definition)
    const state = await other.aggregateState(Diary, 'd')
    expect([...state.days]).toEqual([[at.toISOString(), at]])
    expect([...state.tags]).toEqual(['noted'])
    expect(() => state.days.clear()).toThrow(TypeError)
  })
})

describe('snapshots', () => {
  it('of a state that is not plain data are not kept, with a warning, and nothing else fails', async () => {
    class Total {
      readonly value: number
      constructor(value: number) {
        this.value = value
      }
    }
    const Grow = command('Grow', shape<{ id: string }>())
    const Grown = event('Grown', shape<Record<string, never>>())
    const Plant = aggregate('Plant', {
      commands: [Grow],
      events: [Grown],
      initialState: () => ({ size: new Total(0) }),
      execute: { Grow: () => Grown({}) },
      apply: (plant, _event) => ({ size: new Total(plant.size.value + 1) }),
    })
    const plants = router('plants', (r) =>
      r.identify(Plant, { by: 'id', prefix: 'plant-' }).dispatch(Grow, { to: Plant }),
    )
    const logger = recordingLogger()
    const app = await started({ router: plants, snapshots: { Plant: { every: 1 } }, logger })
    await expect(app.dispatch(Grow({ id: 'p' }))).resolves.toMatchObject({ aggregateVersion: 1 })
    await until(() => logger.entries.length > 0, 'the warning')
    expect(logger.entries[0]?.message).toContain('the state of Plant is not plain data')
  })

  it('that are never done do not keep an application from stopping', async () => {
    const store = inMemoryEventStore()
    const stuck: Serializer = {
      ...jsonSerializer,
      encode: (data, context) =>
        context.type === 'Counter' ? new Promise(() => undefined) : jsonSerializer.encode(data, context),
    }
    const hurried = { ...systemClock, setTimeout: (call: () => void) => setTimeout(call, 10) }
    const definition = { router: counterRouter, eventStore: store, serializer: stuck, clock: hurried }
    const app = await started({ ...definition, snapshots: { Counter: { every: 1 } } })
    await app.dispatch(Add({ id: 'a', by: 1 }), { timeout: Infinity })
    await app.stop()
    await expect(app.dispatch(Add({ id: 'a', by: 1 }))).rejects.toMatchObject({ code: 'not_running' })
  })

  it('for an aggregate that no router knows are refused when the application is defined', () => {
    const define = (policies: object) =>
      application({
        ...{ name: 'wrong', router: counterRouter, eventStore: inMemoryEventStore() },
        snapshots: policies as Record<string, { every: number }>,
      })
    expect(() => define({ Conter: { every: 10 } })).toThrow('snapshots names Conter, and its aggregates are Counter')
    expect(() => define({ Counter: { every: 0 } })).toThrow('snapshots.Counter.every must be a whole number from 1')
    expect(() => define({ Counter: { each: 10 } })).toThrow('snapshots.Counter has no each')
  })
})
