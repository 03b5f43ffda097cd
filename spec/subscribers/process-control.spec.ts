import { afterEach, describe, expect, it } from '@jest/globals'
import { application, InvalidOptionError, park, retry, stop } from 'edict'
import { Counter, counterRouter, deferred, recordingLogger, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { add, addTo, copier } from './process-harness.ts'

describe.each(everyStore)('a process manager in the hands of code, on $kind', ({ share }) => {
  const running: { stop(): Promise<void> }[] = []

  // Before the store goes, which is what the hook of `share` does.
  afterEach(async () => {
    for (const app of running.splice(0)) await app.stop()
  }, 120_000)
  const stores = share()

  async function node(definition: Parameters<typeof copier>[0]) {
    const manager = copier({ consistency: 'strong', ...definition })
    const app = application({
      name: `node-${running.length + 1}`,
      router: counterRouter,
      eventStore: stores.node(),
      handlers: [manager],
      defaults: { consistency: 'strong' },
      logger: recordingLogger(),
    })
    running.push(app)
    await app.start()
    return {
      app,
      control: app.handler(manager),
      seen: async (id: string, tenant?: string) =>
        (await app.processState(manager, id, tenant === undefined ? {} : { tenant }))?.seen,
    }
  }

  /** What parks 13 until it is told that it need not. */
  const poisoned = () => {
    const poison = new Set([13])
    const definition: Parameters<typeof copier>[0] = {
      handle: (_state, { by }) => {
        if (poison.has(by)) throw new Error(`cannot bear ${by}`)
        return undefined
      },
      onError: () => park(),
    }
    return { poison, definition }
  }

  it('tells how it does, lists what is parked of which instance, and replays that in order', async () => {
    const { poison, definition } = poisoned()
    const { app, control, seen } = await node(definition)
    await add(app, 'a', 1, 13, 2)
    await add(app, 'b', 5)
    expect(await control.status()).toMatchObject({
      ...{ name: 'copier', state: 'live', failures: 0, parked: 2, liveInstances: 2, partitions: undefined },
      lastError: expect.objectContaining({ message: 'cannot bear 13' }),
    })
    expect(await control.parked()).toMatchObject([
      { key: 'a', event: { data: { by: 13 } }, attempts: 1, error: { message: 'cannot bear 13' } },
      { key: 'a', event: { data: { by: 2 } }, attempts: 0, error: undefined },
    ])
    expect(await control.replay()).toEqual({ replayed: 0, failed: 1, waiting: 1 })
    poison.clear()
    expect(await control.replay({ key: 'a' })).toEqual({ replayed: 2, failed: 0, waiting: 0 })
    expect([await seen('a'), await seen('b')]).toEqual([[1, 13, 2], [5]])
    expect(await control.status()).toMatchObject({ parked: 0 })
  })

  it('discards what is parked of one instance, whose later events are handled again', async () => {
    const { definition } = poisoned()
    const { app, control, seen } = await node(definition)
    await add(app, 'a', 13, 2)
    await add(app, 'b', 13)
    expect(await control.discard({ key: 'a' })).toBe(2)
    await add(app, 'a', 3)
    expect(await seen('a')).toEqual([3])
    expect(await control.parked()).toMatchObject([{ key: 'b' }])
  })

  it('stops, and goes on where it was when it is started', async () => {
    const { app, control, seen } = await node({})
    await add(app, 'a', 1)
    await control.stop()
    expect(await control.status()).toMatchObject({ state: 'stopped' })
    await app.dispatch(addTo('a', 2), { consistency: 'eventual' })
    expect(await seen('a')).toEqual([1])
    await control.start()
    await until(async () => (await seen('a'))?.length === 2, 'the second event')
    await until(async () => (await app.aggregateState(Counter, 'to-a')).total === 3, 'its copy')
  })

  it('tells how often an event has failed while it waits for the next attempt', async () => {
    const { app, control } = await node({
      handle: () => Promise.reject(new Error('not yet')),
      onError: (_error, _failure, { failures }) => retry({ after: failures < 3 ? 1 : 60_000 }),
    })
    await app.dispatch(addTo('a', 1), { consistency: 'eventual' })
    await until(async () => (await control.status()).failures === 3, 'the third failure')
    expect(await control.status()).toMatchObject({ state: 'retrying', lastError: expect.any(Error) })
  })

  it('is started again after it has failed, even while another instance is still at its event', async () => {
    const slow = deferred()
    let failing = true
    const { app, control, seen } = await node({
      handle: async (_state, { by }) => {
        if (by === 7) await slow.promise
        if (by === 13 && failing) throw new Error('broken')
        return undefined
      },
      onError: () => stop(),
    })
    for (const [id, by] of [
      ['a', 7],
      ['b', 13],
    ] as const)
      await app.dispatch(addTo(id, by), { consistency: 'eventual' })
    await until(async () => (await control.status()).state === 'failed', 'the failure')
    expect(await control.status()).toMatchObject({ lastError: expect.objectContaining({ message: 'broken' }) })
    failing = false
    const starting = control.start()
    slow.resolve()
    await starting
    await until(async () => (await seen('b')) !== undefined, 'the event that failed')
    expect([await seen('a'), await seen('b')]).toEqual([[7], [13]])
  })

  it('cannot be reset, and says why', async () => {
    const { app } = await node({})
    const refused = app.handler('copier').reset()
    await expect(refused).rejects.toThrow(InvalidOptionError)
    await expect(refused).rejects.toThrow('copier is a process manager')
  })
})
