import { describe, expect, it } from '@jest/globals'
import { eventHandler } from 'edict'
import { drainCommands, settled, whenHandled } from 'edict/testing'
import { Add, Added, Counter, counterRouter, started } from '../support/counter.ts'
import { everyQueueStore, readFrom } from './queue-stores.ts'

const follow = eventHandler('follow', {
  events: [Added],
  handle: async (_data, { streamId, eventId }, { enqueue }) => {
    if (streamId === 'counter-a')
      await enqueue(Add({ id: 'b', by: 7 }), { commandId: `follow-${eventId}`, priority: 'low' })
  },
})

describe.each(everyQueueStore)('a command that a handler enqueues, on $kind,', ({ share }) => {
  const stores = share()

  it('carries on what its event says, and is run by a worker', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [follow] })
    const deadline = Date.now() + 60_000
    const { events } = await app.dispatch(Add({ id: 'a', by: 1 }), {
      correlationId: 'visit',
      metadata: { user: 'ada' },
      deadline,
    })
    await settled(app, { timeout: 60_000 })
    const { eventId } = events[0]!
    expect(await app.commands.list()).toMatchObject([
      {
        commandId: `follow-${eventId}`,
        state: 'queued',
        priority: 'low',
        correlationId: 'visit',
        causationId: eventId,
        metadata: { user: 'ada' },
        depth: 1,
        deadline: new Date(deadline),
      },
    ])
    expect(await drainCommands(app)).toBe(1)
    expect(await drainCommands(app)).toBe(0)
    expect(await app.aggregateState(Counter, 'b')).toEqual({ total: 7 })
    const [stored] = await readFrom(stores, (store) => store.readCommand('counter-b', `follow-${eventId}`))
    expect(stored).toMatchObject({ correlationId: 'visit', causationId: eventId, metadata: { 'edict.depth': 1 } })
  })
})

it('is told of by whenHandled, as a command that is dispatched', async () => {
  await whenHandled(follow, [Added({ by: 1 })]).thenDispatches()
  const [enqueued] = await whenHandled(
    eventHandler('plain', {
      events: [Added],
      handle: async (_data, _recorded, { enqueue }) => {
        const receipt = await enqueue(Add({ id: 'b', by: 7 }), { delay: 5 })
        expect(await receipt.completed()).toMatchObject({ events: [] })
      },
    }),
    [Added({ by: 1 })],
  )
  expect(enqueued).toMatchObject({ command: { data: { id: 'b', by: 7 } }, options: { delay: 5 } })
})
