import { afterEach, describe, expect, it } from '@jest/globals'
import { continueWith, inMemoryEventStore, park, retry, skip, type EventStore, type ProcessManagerControl } from 'edict'
import { ParkedStream } from '../../lib/subscribers/parked-stream.ts'
import { Add, Counter, counterRouter, recordingLogger, started, stopAll, until } from '../support/counter.ts'
import { add, copier, sourceOf } from './process-harness.ts'

afterEach(stopAll)

async function run(eventStore: EventStore, handle: NonNullable<Parameters<typeof copier>[0]>['handle']) {
  const manager = copier({ consistency: 'strong', ...(handle && { handle }), onError: () => park() })
  const app = await started({
    router: counterRouter,
    eventStore,
    handlers: [manager],
    logger: recordingLogger(),
    defaults: { consistency: 'strong' },
  })
  const seen = async (id: string) => (await app.processState(manager, id))?.seen
  const total = async (id: string) => (await app.aggregateState(Counter, id)).total
  return { app, seen, total }
}

async function parked(eventStore: EventStore) {
  const stream = new ParkedStream('copier', eventStore, () => 0)
  await stream.open()
  return {
    counts: () => [...stream.keys.all()].map(({ key, size }) => [key, size]),
    replay: (key: string) =>
      stream.append(() => ({ facts: [{ fact: 'edict.ReplayRequested', key }], about: undefined })),
  }
}

describe('a process manager whose event is parked', () => {
  it('parks the later events of the instance behind it, and goes on with the others', async () => {
    const eventStore = inMemoryEventStore()
    const { app, seen, total } = await run(eventStore, (_state, { by }, _recorded, { instanceId }) => {
      if (by === 13) throw new Error('broken')
      return Add({ id: `to-${instanceId}`, by })
    })
    await add(app, 'a', 1, 13, 2)
    await add(app, 'b', 5)
    expect([await seen('a'), await seen('b'), await total('to-a')]).toEqual([[1], [5], 1])
    expect((await parked(eventStore)).counts()).toEqual([['a', 2]])
  })

  it('handles them in order when they are replayed, with no second effect of what was dispatched before', async () => {
    const eventStore = inMemoryEventStore()
    let failing = true
    const { app, seen, total } = await run(eventStore, (_state, { by }, _recorded, { instanceId }) => [
      Add({ id: `to-${instanceId}`, by }),
      Add({ id: `more-${instanceId}`, by: failing && by === 13 ? -1 : 1 }),
    ])
    await add(app, 'a', 1, 13, 2)
    expect([await seen('a'), await total('to-a')]).toEqual([[1], 14])
    await (await parked(eventStore)).replay('a')
    await until(
      async () => (await eventStore.readStream('edict.parked-copier')).streamVersion === 4,
      'the failed replay',
    )
    expect(await seen('a')).toEqual([1])
    failing = false
    await (await parked(eventStore)).replay('a')
    await until(async () => (await seen('a'))?.length === 3, 'the replay')
    expect([await seen('a'), await total('to-a'), await total('more-a')]).toEqual([[1, 13, 2], 16, 3])
    await add(app, 'a', 3)
    expect(await seen('a')).toEqual([1, 13, 2, 3])
  })

  it.each<[what: string, decide: () => ReturnType<typeof park>, releases: (control: ProcessManagerControl) => unknown]>(
    [
      ['discarded', () => park(), (control) => control.discard({ key: 'a' })],
      ['skipped, as the first of its instance,', () => skip(), () => undefined],
    ],
  )(
    'does not handle what was %s when that comes again, since a slower instance has held the place back',
    async (_what, decide, releases) => {
      const eventStore = inMemoryEventStore()
      await eventStore.open()
      let works = false
      const manager = copier({
        handle: (_state, { by }, _recorded, { instanceId }) => {
          if (by === 7 || (by === 13 && !works)) throw new RangeError(String(by))
          return Add({ id: `to-${instanceId}`, by })
        },
        onError: (error) => ((error as Error).message === '7' ? retry({ after: 3_600_000 }) : decide()),
      })
      const node = () => started({ router: counterRouter, eventStore, handlers: [manager] })
      const before = await node()
      await add(before, 'slow', 7)
      const decided: unknown[] = []
      before.on('handler:park', ({ event }) => void decided.push(event))
      before.on('handler:skip', ({ event }) => void decided.push(event))
      await add(before, 'a', 13)
      await until(() => decided.length === 1, 'the decision')
      await releases(before.handler(manager))
      await before.stop()
      works = true
      const after = await node()
      await add(after, 'b', 5)
      await until(async () => (await after.processState(manager, 'b')) !== undefined, 'the event of b')
      expect(await after.processState(manager, 'a')).toBeUndefined()
      await add(after, 'a', 6)
      await until(async () => (await after.processState(manager, 'a')) !== undefined, 'the next event of a')
      expect(await after.processState(manager, 'a')).toEqual({ seen: [6] })
      expect(await after.aggregateVersion(Counter, 'to-a')).toBe(1)
    },
  )

  it.each<[what: string, amounts: readonly number[]]>([
    ['was never begun', []],
    ['is over, since its first event was skipped', [13]],
    ['is over, since it was stopped', [7, 99]],
  ])('keeps what was decided about its commands where the instance %s', async (_what, amounts) => {
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    let works = false
    const manager = copier({
      consistency: 'strong',
      interested: {
        Added: ({ by }, { streamId }) => {
          const id = sourceOf(streamId)
          return id === undefined ? undefined : by === 99 ? { stop: id } : { start: id }
        },
      },
      handle: (_state, { by }) => {
        if (by === 13) throw new RangeError('13')
        return by === 7 ? undefined : Add({ id: 'first', by: works ? by : -1 })
      },
      onError: (_error, failure) => {
        if (failure.during !== 'command') return skip()
        const { id } = failure.command.data as { id: string }
        return id === 'first' ? continueWith([Add({ id: 'instead', by: 1 }), Add({ id: 'last', by: -1 })]) : park()
      },
    })
    const node = () =>
      started({ router: counterRouter, eventStore, handlers: [manager], defaults: { consistency: 'strong' } })
    const before = await node()
    await add(before, 'a', ...amounts, 2)
    const total = async (id: string) => (await before.aggregateState(Counter, id)).total
    expect([await total('first'), await total('instead'), await total('last')]).toEqual([0, 1, 0])
    // The place is written, up to the parked event: what is kept of instances that are over is deleted then.
    await before.stop()
    works = true
    const after = await node()
    await after.handler(manager).replay()
    const totals = ['first', 'instead'].map(async (id) => (await after.aggregateState(Counter, id)).total)
    expect(await Promise.all(totals)).toEqual([0, 1])
  })

  it('remembers what is parked when it is started again', async () => {
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    const handle = () => Promise.reject(new Error('broken'))
    const before = await run(eventStore, handle)
    await add(before.app, 'a', 1)
    await before.app.stop()
    const after = await run(eventStore, undefined)
    await add(after.app, 'a', 2)
    expect(await after.seen('a')).toBeUndefined()
    await (await parked(eventStore)).replay('a')
    await until(async () => (await after.seen('a'))?.length === 2, 'the replay')
    expect(await after.seen('a')).toEqual([1, 2])
  })
})
