import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { application, eventHandler, type EventStore } from 'edict'
import { countAppend } from './count-append.ts'
import { recordingLogger, until } from '../support/counter.ts'
import { rawDatabases } from './raw-database.ts'
import { Count, Counted, Tally, tallyRouter } from './tally.ts'

/** A reader that takes what it cannot read for something that is not there. */
function passingOver(store: EventStore): EventStore {
  return new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      if (key !== 'readAll') return value.bind(target) as unknown
      return async (...given: Parameters<EventStore['readAll']>) => {
        try {
          return await target.readAll(...given)
        } catch {
          const headPosition = await target.headPosition()
          return { events: [], lastPosition: headPosition, headPosition }
        }
      }
    },
  })
}

describe.each(rawDatabases)('A stored event in %s', (_name, makeDatabase) => {
  /** Six events, of which one is damaged before a handler first sees them, and then repaired. */
  async function handledOverDamage(damage: string, repair: string, plant = (store: EventStore) => store) {
    await using database = await makeDatabase()
    const handled: number[] = []
    const logger = recordingLogger()
    const app = application({ name: randomUUID(), router: tallyRouter, eventStore: database.store(), logger })
    await app.start()
    for (const id of ['a', 'b', 'a', 'b', 'c', 'c']) await app.dispatch(Count({ id, by: 1, times: 1 }))
    await app.stop()
    await database.execute(damage)
    await using again = application({
      name: randomUUID(),
      router: tallyRouter,
      eventStore: plant(database.store()),
      logger,
      handlers: [
        eventHandler('reader', {
          events: [Counted],
          handle: (_data, { position }) => {
            handled.push(position)
          },
        }),
      ],
    })
    await again.start()
    // Whoever does not need the damaged event goes on.
    const elsewhere = await again.dispatch(Count({ id: 'c', by: 1, times: 1 }))
    const isLoud = () => logger.entries.some(({ fields }) => /position 3/.test(String(Reflect.get(fields, 'error'))))
    await until(() => isLoud() || handled.includes(7), 'that it says something, or passes over it')
    const needed = await again.tryDispatch(Count({ id: 'a', by: 1, times: 1 })).then(
      () => 'executed',
      (error: unknown) => error,
    )
    await database.execute(repair)
    await until(() => handled.includes(7), 'the event after the repair').catch(() => undefined)
    return { handled, elsewhere, needed }
  }

  const CORRUPT = `UPDATE events SET metadata = '{"a":' WHERE position = 3`
  const REPAIR = `UPDATE events SET metadata = '{}' WHERE position = 3`

  it('that is damaged is passed over by no handler, and stands in nobody else’s way', async () => {
    const { handled, elsewhere, needed } = await handledOverDamage(CORRUPT, REPAIR)
    expect(elsewhere.aggregateVersion).toBe(3)
    expect(needed).toMatchObject({ outcome: 'not-executed', message: expect.stringMatching(/tally-a|version 2/) })
    expect(handled).toEqual([1, 2, 3, 4, 5, 6, 7])
  }, 180_000)

  it('that is damaged would be seen to be passed over', async () => {
    const { handled } = await handledOverDamage(CORRUPT, REPAIR, passingOver)
    expect(handled).not.toContain(3)
  }, 180_000)

  it('that is gone is missed, and not passed over', async () => {
    await using database = await makeDatabase()
    const store = database.store()
    await store.open()
    await store.append([countAppend('writer.0.2')])
    await database.execute('DELETE FROM events WHERE position = 2')
    await expect(async () => store.readAll()).rejects.toMatchObject({ message: expect.stringMatching(/position 2/) })
    await expect(async () => store.readStream(countAppend('writer.0.2').streamId)).rejects.toMatchObject({
      message: expect.stringMatching(/version 2/),
    })
    await store.close()
  }, 180_000)

  it('of a type that nobody knows concerns no handler, and is told of where an aggregate would need it', async () => {
    await using database = await makeDatabase()
    const store = database.store()
    await store.open()
    const event = { eventId: 'e1', schemaVersion: 1, contentType: 'application/json', data: '{}', metadata: {} }
    const ids = { commandId: 'c1', causationId: 'c1', correlationId: 'c1', createdAt: 1 }
    await store.append([
      {
        streamId: 'tally-x',
        category: 'Tally',
        expectedVersion: 'none',
        events: [{ ...event, ...ids, type: 'FromTheFuture' }],
      },
    ])
    await store.close()
    const handled: number[] = []
    const reader = eventHandler('reader', {
      events: [Counted],
      handle: (_data, { position }) => {
        handled.push(position)
      },
    })
    await using app = application({
      name: randomUUID(),
      router: tallyRouter,
      eventStore: store,
      handlers: [reader],
      logger: recordingLogger(),
    })
    await app.start()
    await app.dispatch(Count({ id: 'y', by: 1, times: 1 }))
    await until(() => handled.length === 1)
    await expect(app.dispatch(Count({ id: 'x', by: 1, times: 1 }))).rejects.toMatchObject({
      outcome: 'not-executed',
      message: expect.stringContaining('FromTheFuture'),
    })
    expect(await app.aggregateVersion(Tally, 'y')).toBe(1)
    expect(handled).toEqual([2])
  }, 180_000)
})
