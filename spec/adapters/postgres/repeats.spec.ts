import { describe, expect, it } from '@jest/globals'
import { projectionsOf } from '../../../lib/event-store/checked-projection-store.ts'
import { append, testDatabase, textAppend } from './test-database.ts'

describe('postgresEventStore, where what is repeated cannot be read,', () => {
  const database = testDatabase()
  it('tells only those who repeat, and answers the others of their batch', async () => {
    const store = await database.open()
    const [alone, beside, mixed] = [textAppend('alone'), textAppend('beside'), textAppend('mixed')]
    await append(store, [alone, beside, mixed])
    await database.sql("UPDATE edict.events SET metadata = 'damaged'")
    // The first goes at once, so that the others go together.
    const answers = await Promise.allSettled([
      append(store, [textAppend('account-0')]),
      append(store, [alone]),
      append(store, [textAppend('account-1')]),
      append(store, [textAppend('account-2'), beside]),
      append(store, [textAppend('account-3', 1, { expectedVersion: 4 }), mixed]),
    ])
    const unread = { code: 'store_failed', message: expect.stringContaining('those events are stored') }
    expect(answers).toMatchObject([
      { value: [{ status: 'appended', firstPosition: 4 }] },
      { reason: { ...unread, outcome: 'executed' } },
      { value: [{ status: 'appended', firstPosition: 5 }] },
      { reason: { ...unread, outcome: 'executed' } },
      // One of its streams was refused.
      { reason: { ...unread, outcome: 'unknown' } },
    ])
    expect(await store.headPosition()).toBe(6)
  })

  it('tells so where there is no connection to read by', async () => {
    const store = await database.open({ maxConnections: 1, connectionTimeoutMillis: 1_500, listen: false })
    const known = textAppend('known')
    await append(store, [known])
    // The append has the only connection, and gives it to the transaction, which waits for it, before it could read.
    const repeat = append(store, [known])
    let end = (): void => undefined
    const hog = projectionsOf(store).transaction(() => new Promise<void>((resolve) => (end = resolve)))
    try {
      await expect(repeat).rejects.toMatchObject({ code: 'store_failed', outcome: 'executed' })
    } finally {
      end()
      await hog
    }
    expect(await append(store, [known])).toMatchObject([{ status: 'repeated', events: [{ position: 1 }] }])
  })

  it('answers a repeat before it closes', async () => {
    const store = await database.open()
    const known = textAppend('known')
    await append(store, [known])
    const repeat = append(store, [known])
    await store.close()
    expect(await repeat).toMatchObject([{ status: 'repeated', events: [{ position: 1 }] }])
  })
})

describe('postgresEventStore, where several streams are repeated in one call,', () => {
  const database = testDatabase()

  it('holds each against its own events, wherever they stand in the call', async () => {
    const store = await database.open()
    const streams = [textAppend('third', 2), textAppend('first', 3), textAppend('second', 1)]
    await append(store, streams, { atomic: true })
    const again = await append(store, [textAppend('new', 2), ...streams], { atomic: true })
    expect(again.map(({ status }) => status)).toEqual(['appended', 'repeated', 'repeated', 'repeated'])
    const changed = streams.map((stream) => ({
      ...stream,
      events: stream.events.map((event, index) => (index === 2 ? { ...event, data: '{"amount":6}' } : event)),
    }))
    const refused = await append(store, changed, { atomic: true })
    expect(refused.map(({ status }) => status)).toEqual(['abandoned', 'duplicate_command', 'abandoned'])
    const shorter = streams.map((stream) => ({ ...stream, events: stream.events.slice(0, 2) }))
    const others = await append(store, shorter)
    expect(others.map(({ status }) => status)).toEqual(['repeated', 'duplicate_command', 'repeated'])
    expect(await store.headPosition()).toBe(8)
  })
})
