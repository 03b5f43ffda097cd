import { describe, expect, it } from '@jest/globals'
import { eventHandler } from 'edict'
import { recorded, whenHandled } from 'edict/testing'
import { Add, Added } from '../support/counter.ts'
import { thrownBy } from './thrown-by.ts'

const echo = eventHandler('echo', {
  events: [Added],
  handle: async ({ by }, { streamId }, { dispatch }) => {
    if (by === 13) throw new RangeError('bad luck')
    const { aggregateVersion } = await dispatch(Add({ id: streamId, by: by + 1 }))
    if (aggregateVersion > 0) await dispatch(Add({ id: streamId, by: aggregateVersion }), { consistency: 'strong' })
  },
})

describe('an event handler that is given events by a test', () => {
  it('is expected to dispatch just these commands', async () => {
    await whenHandled(echo, [Added({ by: 1 }), recorded(Added({ by: 5 }), { streamId: 'b' })]).thenDispatches(
      Add({ id: 'stream-1', by: 2 }),
      Add({ id: 'b', by: 6 }),
    )
    await whenHandled(echo, []).thenDispatches()
    const error = await thrownBy(() =>
      whenHandled(echo, [Added({ by: 1 })]).thenDispatches(Add({ id: 'stream-1', by: 1 })),
    )
    expect(error?.message).toMatch(/^echo dispatched other commands\n[^]*- +by: 1,\n\+ +by: 2,/)
  })

  it('may be awaited, and gives what it dispatched with what each command takes over from its event', async () => {
    const metadata = { by: 'Ada' }
    const event = recorded(Added({ by: 1 }), { eventId: 'e', correlationId: 'c', metadata })
    const dispatched = await whenHandled(echo, [event], { answer: () => ({ aggregateVersion: 7 }) })
    expect(dispatched.map(({ options }) => options)).toMatchObject([
      { causationId: 'e', correlationId: 'c', metadata },
      { causationId: 'e', correlationId: 'c', metadata, consistency: 'strong' },
    ])
    expect(dispatched[1]?.command).toEqual(Add({ id: 'stream-1', by: 7 }))
  })

  it('is expected to fail, by itself or because its command does', async () => {
    await whenHandled(echo, [Added({ by: 13 })]).thenThrows(RangeError)
    const refusing = () => {
      throw new TypeError('closed')
    }
    await whenHandled(echo, [Added({ by: 1 })], { answer: refusing }).thenThrows('closed')
    expect(await thrownBy(() => whenHandled(echo, [Added({ by: 1 })]).thenThrows())).toMatchObject({
      name: 'AssertionError',
    })
    expect(await thrownBy(() => whenHandled(echo, [Added({ by: 13 })]).thenThrows(TypeError))).toMatchObject({
      name: 'AssertionError',
    })
    expect(await thrownBy(() => whenHandled(echo, [Added({ by: 13 })]).thenDispatches())).toBeInstanceOf(RangeError)
    expect(await thrownBy(async () => whenHandled(echo, [Added({ by: 13 })]))).toBeInstanceOf(RangeError)
  })

  it('must be an event handler, and its events a list', async () => {
    expect(await thrownBy(() => whenHandled(echo, Added({ by: 1 }) as never))).toMatchObject({
      code: 'invalid_definition',
    })
    expect(await thrownBy(() => whenHandled({ name: 'no', events: [] }, []))).toMatchObject({
      code: 'invalid_definition',
    })
  })
})

describe('an event handler with a state, a selector or batches', () => {
  it('is given each event that it wants, with its state', async () => {
    const summing = eventHandler('summing', {
      events: [Added],
      selector: ({ data }) => data.by > 0,
      initialState: () => 100,
      handle: async ({ by }, _recorded, context) => {
        context.state += by
        await context.dispatch(Add({ id: 'sum', by: context.state }))
      },
    })
    await whenHandled(summing, [Added({ by: 1 }), Added({ by: -5 }), Added({ by: 2 })]).thenDispatches(
      Add({ id: 'sum', by: 101 }),
      Add({ id: 'sum', by: 103 }),
    )
  })

  it('is given what is made, and not what was recorded elsewhere than it follows', async () => {
    const following = eventHandler('following', {
      events: [Added],
      subscribeTo: { category: 'Counter' },
      handle: ({ by }, _recorded, { dispatch }) => dispatch(Add({ id: 'sum', by })).then(() => undefined),
    })
    const events = [
      Added({ by: 1 }),
      recorded(Added({ by: 2 }), { category: 'Order' }),
      recorded(Added({ by: 3 }), { category: 'Counter' }),
    ]
    await whenHandled(following, events).thenDispatches(Add({ id: 'sum', by: 1 }), Add({ id: 'sum', by: 3 }))
  })

  it('is given batches of its size, and the rest', async () => {
    const counting = eventHandler('counting', {
      events: [Added],
      batchSize: 2,
      handleBatch: async (events, { dispatch }) => {
        await dispatch(events[0]!, Add({ id: 'batch', by: events.length }))
      },
    })
    const dispatched = await whenHandled(counting, [Added({ by: 1 }), Added({ by: 2 }), Added({ by: 3 })])
    expect(dispatched.map(({ command, options }) => [command.data, options.causationId])).toEqual([
      [{ id: 'batch', by: 2 }, 'event-1'],
      [{ id: 'batch', by: 1 }, 'event-3'],
    ])
  })
})

describe('a recorded event of a test', () => {
  it('has fixed values where the test does not say them', () => {
    expect(recorded(Added({ by: 1 }), { position: 7, metadata: { by: 'Ada' } })).toMatchObject({
      type: 'Added',
      data: { by: 1 },
      eventId: 'event-7',
      streamId: 'stream-1',
      streamVersion: 7,
      position: 7,
      index: 0,
      commandId: 'command-7',
      causationId: 'command-7',
      correlationId: 'command-7',
      metadata: { by: 'Ada' },
      createdAt: new Date(0),
    })
    const createdAt = new Date('2026-01-01')
    expect(recorded(Added({ by: 1 }), { createdAt, streamVersion: 2, tenant: 't' })).toMatchObject({
      createdAt,
      streamVersion: 2,
      tenant: 't',
    })
    expect(() => recorded(Add({ id: 'a', by: 1 }) as never)).toThrow(/an event that its definition made/)
  })
})
