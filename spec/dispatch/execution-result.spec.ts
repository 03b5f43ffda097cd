import { afterEach, describe, expect, it } from '@jest/globals'
import { aggregate, command, event, inMemoryEventStore, reply, router, shape } from 'edict'
import { Add, Counter, Noop, counterRouter, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

describe('the result of a dispatch', () => {
  it('says which aggregate, at which version, with which state', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 2 }))
    const result = await app.dispatch(Add({ id: 'a', by: 3 }))
    expect(result).toMatchObject({
      aggregateId: 'a',
      streamId: 'counter-a',
      aggregateVersion: 2,
      aggregateState: { total: 5 },
      metadata: {},
      reply: undefined,
    })
  })

  it('holds the events as they were recorded', async () => {
    const app = await started({ router: counterRouter })
    const { events } = await app.dispatch(Add({ id: 'a', by: 2 }), {
      commandId: 'c1',
      correlationId: 'r1',
      metadata: { user: 'ada' },
    })
    expect(events).toEqual([
      {
        type: 'Added',
        data: { by: 2 },
        eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        streamId: 'counter-a',
        category: 'Counter',
        streamVersion: 1,
        position: 1,
        index: 0,
        schemaVersion: 1,
        contentType: expect.any(String),
        metadata: { user: 'ada' },
        commandId: 'c1',
        causationId: 'c1',
        correlationId: 'r1',
        createdAt: expect.any(Date),
      },
    ])
  })

  it('holds nothing that could be changed: neither state, metadata nor the data of events', async () => {
    const app = await started({ router: counterRouter })
    const result = await app.dispatch(Add({ id: 'a', by: 2 }), { metadata: { deep: { list: [1] } } })
    for (const part of [result.events[0]!.data, result.aggregateState, result.metadata, result.metadata['deep']]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('has no events, and the version as it was, where the command had nothing to say', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 2 }))
    const result = await app.dispatch(Noop({ id: 'a' }))
    expect(result).toMatchObject({ events: [], aggregateVersion: 1, aggregateState: { total: 2 } })
  })

  it('carries the reply of a command handler', async () => {
    const Ask = command('Ask', shape<{ id: string }>())
    const Asked = event('Asked', shape<{ id: string }>())
    const Oracle = aggregate('Oracle', {
      commands: [Ask],
      events: [Asked],
      initialState: () => ({ asked: 0 }),
      execute: { Ask: () => undefined },
      apply: {
        Asked: (oracle) => {
          oracle.asked++
        },
      },
    })
    const oracles = router('oracles', (r) =>
      r.identify(Oracle, { by: 'id' }).dispatch(Ask, {
        aggregate: Oracle,
        to: async (_oracle, { id }) => Promise.resolve(reply({ answer: 42 }, Asked({ id }))),
      }),
    )
    const app = await started({ router: oracles })
    const { reply: answered, events } = await app.dispatch(Ask({ id: 'a' }))
    const answer: number = answered.answer
    expect([answer, events.length]).toEqual([42, 1])
  })
})

describe('ids and metadata', () => {
  it('are made anew for each command, with the command as its own cause', async () => {
    const app = await started({ router: counterRouter })
    const [one, two] = [await app.dispatch(Add({ id: 'a', by: 1 })), await app.dispatch(Add({ id: 'a', by: 1 }))]
    const [first, second] = [one.events[0]!, two.events[0]!]
    expect(first.causationId).toBe(first.commandId)
    expect(new Set([first.commandId, first.eventId, second.commandId, second.eventId]).size).toBe(4)
  })

  it('begin a correlation that bears the id of the command that began it', async () => {
    const app = await started({ router: counterRouter })
    const { events } = await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(events[0]!.correlationId).toBe(events[0]!.commandId)
  })

  it('come from the application’s door for ids, and time from its clock', async () => {
    let next = 0
    const now = Date.UTC(2020, 0, 1)
    const clock = { now: () => now, setTimeout: () => 0, clearTimeout: () => undefined }
    const app = await started({ router: counterRouter, clock, ids: { next: () => `id-${++next}` } })
    const { events } = await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(events[0]).toMatchObject({ commandId: 'id-1', correlationId: 'id-1', createdAt: new Date(now) })
  })

  it('make the same event ids for the same command in the same stream of another store', async () => {
    const ids = []
    for (let run = 0; run < 2; run++) {
      const app = await started({ router: counterRouter, eventStore: inMemoryEventStore() })
      const { events } = await app.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'c' })
      ids.push(events[0]!.eventId)
      await stopAll()
    }
    expect(ids[0]).toBe(ids[1])
  })

  it('put the metadata of the call over that of the registration', async () => {
    const routed = router('counters', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch(Add, { to: Counter, metadata: { a: 1, b: 1 } }),
    )
    const app = await started({ router: routed })
    const { events } = await app.dispatch(Add({ id: 'a', by: 1 }), { metadata: { b: 2 } })
    expect(events[0]!.metadata).toEqual({ a: 1, b: 2 })
  })
})
