import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, reject, router, type EventStore } from 'edict'
import { Add, Added, Counter, Noop, counterRouter, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

const closed = (state: 'archived' | 'deleted') => ({
  code: 'stream_closed',
  outcome: 'not-executed',
  streamId: 'counter-a',
  state,
})

async function countedTo(total: number, eventStore: EventStore = inMemoryEventStore()) {
  const app = await started({ router: counterRouter, eventStore })
  const commandId = '0190b6e5-0000-7000-8000-000000000001'
  await app.dispatch(Add({ id: 'a', by: total }), { commandId })
  return { app, eventStore, commandId }
}

describe('a command to an archived stream', () => {
  it('ends with stream_closed, whether its aggregate is in memory or not, and stores nothing', async () => {
    const { app, eventStore } = await countedTo(1)
    await eventStore.archiveStream('counter-a')
    const other = await started({ router: counterRouter, eventStore })
    for (const each of [app, other]) {
      await expect(each.dispatch(Add({ id: 'a', by: 2 }))).rejects.toMatchObject(closed('archived'))
    }
    expect(await eventStore.headPosition()).toBe(1)
  })

  it('is rejected by tryDispatch, as what a right program need not reckon with', async () => {
    const { app, eventStore } = await countedTo(1)
    await eventStore.archiveStream('counter-a')
    await expect(app.tryDispatch(Add({ id: 'a', by: 2 }))).rejects.toMatchObject(closed('archived'))
  })

  it('is answered as the first time where it is repeated', async () => {
    const { app, eventStore, commandId } = await countedTo(5)
    await eventStore.archiveStream('counter-a')
    const other = await started({ router: counterRouter, eventStore })
    for (const each of [app, other]) {
      const again = await each.dispatch(Add({ id: 'a', by: 5 }), { commandId })
      expect(again).toMatchObject({ aggregateVersion: 1, aggregateState: { total: 5 } })
    }
  })

  it('goes through where it appends nothing, as the state is what it was', async () => {
    const { app, eventStore } = await countedTo(5)
    await eventStore.archiveStream('counter-a')
    await expect(app.dispatch(Noop({ id: 'a' }))).resolves.toMatchObject({ aggregateState: { total: 5 } })
  })

  it('goes through again once the stream is restored', async () => {
    const { app, eventStore } = await countedTo(5)
    await eventStore.archiveStream('counter-a')
    await expect(app.dispatch(Add({ id: 'a', by: 2 }))).rejects.toMatchObject(closed('archived'))
    await eventStore.restoreStream('counter-a')
    const result = await app.dispatch(Add({ id: 'a', by: 2 }))
    expect(result).toMatchObject({ aggregateVersion: 2, aggregateState: { total: 7 } })
  })
})

describe('a command to a deleted stream', () => {
  it('ends with stream_closed, whether its aggregate is in memory or not, and stores nothing', async () => {
    const { app, eventStore } = await countedTo(1)
    await eventStore.deleteStream('counter-a')
    const other = await started({ router: counterRouter, eventStore })
    for (const each of [app, other, app]) {
      await expect(each.dispatch(Add({ id: 'a', by: 2 }))).rejects.toMatchObject(closed('deleted'))
    }
    expect(await eventStore.headPosition()).toBe(1)
  })

  it('ends so where it is repeated, too: it took effect, and nobody can tell any more what it said', async () => {
    const { app, eventStore, commandId } = await countedTo(5)
    await eventStore.deleteStream('counter-a')
    const other = await started({ router: counterRouter, eventStore })
    for (const each of [app, other]) {
      await expect(each.dispatch(Add({ id: 'a', by: 5 }), { commandId })).rejects.toMatchObject({
        ...closed('deleted'),
        outcome: 'executed',
      })
    }
  })

  it('ends so where it would append nothing or be rejected: what it would be decided on is gone', async () => {
    const { app, eventStore } = await countedTo(5)
    const guarded = router('guarded', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: (counter, { by }) => (counter.total > 0 ? reject('enough') : Added({ by })),
      }),
    )
    const other = await started({ router: guarded, eventStore })
    await expect(other.dispatch(Add({ id: 'a', by: 1 }))).rejects.toMatchObject({ code: 'enough' })
    await eventStore.deleteStream('counter-a')
    await expect(app.dispatch(Noop({ id: 'a' }))).rejects.toMatchObject(closed('deleted'))
    await expect(other.dispatch(Add({ id: 'a', by: 1 }))).rejects.toMatchObject(closed('deleted'))
  })

  it('leaves other streams alone', async () => {
    const { app, eventStore } = await countedTo(5)
    await eventStore.deleteStream('counter-a')
    await expect(app.dispatch(Add({ id: 'a', by: 2 }))).rejects.toMatchObject(closed('deleted'))
    await expect(app.dispatch(Add({ id: 'b', by: 2 }))).resolves.toMatchObject({ aggregateState: { total: 2 } })
  })

  it('finds no state of it in memory any more', async () => {
    const { app, eventStore } = await countedTo(5)
    await eventStore.deleteStream('counter-a')
    await expect(app.dispatch(Add({ id: 'a', by: 2 }))).rejects.toMatchObject(closed('deleted'))
    await expect(app.aggregateState(Counter, 'a')).rejects.toMatchObject(closed('deleted'))
  })
})
