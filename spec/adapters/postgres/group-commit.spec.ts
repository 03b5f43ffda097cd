import { describe, expect, it } from '@jest/globals'
import type { EventStore } from '../../../lib/event-store/event-store.ts'
import { append, positionsOf, testDatabase, textAppend, textEvent } from './test-database.ts'

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('postgresEventStore, appending much at once,', () => {
  const database = testDatabase()

  /** Which transaction wrote each event: as many as there were commits. */
  const commits = async () =>
    Number((await database.sql('SELECT count(DISTINCT xmin::text) AS commits FROM edict.events'))[0]?.['commits'])

  it('commits what comes while another append is under way together', async () => {
    const store = await database.open()
    const answers = await Promise.all(range(100).map((stream) => append(store, [textAppend(`account-${stream}`)])))
    expect(new Set(answers.flat().map(({ status }) => status))).toEqual(new Set(['appended']))
    expect(await positionsOf(store)).toEqual(range(100).map((index) => index + 1))
    expect(await commits()).toBe(2)
  })

  it('commits what those who are answered append next together, though some of them give way to others first', async () => {
    const store = await database.open()
    await Promise.all(
      range(9).map(async (stream) => {
        await append(store, [textAppend(`account-${stream}`)])
        if (stream % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
        await append(store, [textAppend(`account-${stream}`)])
      }),
    )
    // The first one alone, the other eight, and then all that are left: the first one's second goes with either.
    expect(await commits()).toBe(3)
  })

  it('commits appends that come one after another one by one', async () => {
    const store = await database.open()
    for (const stream of range(5)) await append(store, [textAppend(`account-${stream}`)])
    expect(await commits()).toBe(5)
  })

  it('answers each by itself, where neighbours fail in every way', async () => {
    const store = await database.open()
    await append(store, [textAppend('closed'), textAppend('other', 1, { category: 'Transfer' }), textAppend('used', 2)])
    await store.archiveStream('closed')
    const known = textAppend('known')
    await append(store, [known])
    const [event] = known.events
    const differing = { ...known, events: [textEvent({ commandId: event?.commandId ?? '', data: '{"amount":6}' })] }
    const calls = [
      [textAppend('account-1', 2)],
      [textAppend('closed')],
      [textAppend('other')],
      [textAppend('used', 1, { expectedVersion: 1 })],
      [textAppend('account-2', 1, { expectedVersion: 'exists' })],
      [known],
      [{ ...differing, streamId: 'known' }],
      [textAppend('account-3', 3), textAppend('account-4')],
    ]
    const answers = await Promise.all(calls.map((streams) => append(store, streams)))
    expect(answers.map((results) => results.map(({ status }) => status))).toEqual([
      ['appended'],
      ['stream_closed'],
      ['category_mismatch'],
      ['version_conflict'],
      ['version_conflict'],
      ['repeated'],
      // The same stream again, so that it goes with the next batch.
      ['duplicate_command'],
      ['appended', 'appended'],
    ])
    expect(answers[7]).toEqual([
      { status: 'appended', streamVersion: 3, firstPosition: 8 },
      { status: 'appended', streamVersion: 1, firstPosition: 11 },
    ])
    expect(await positionsOf(store)).toEqual(range(11).map((index) => index + 1))
    expect((await store.readStream('account-2')).state).toBeUndefined()
    expect(await store.readStreamInfo('used')).toMatchObject({ streamVersion: 2 })
  })

  it('abandons only the atomic call that fails, and leaves its neighbours their places', async () => {
    const store = await database.open()
    await append(store, [textAppend('used')])
    const failing = [textAppend('account-1', 2), textAppend('used', 1, { expectedVersion: 9 })]
    const [first, failed, last] = await Promise.all([
      append(store, [textAppend('account-0')]),
      append(store, failing, { atomic: true }),
      append(store, [textAppend('account-2', 2), textAppend('account-3')], { atomic: true }),
    ])
    expect(first).toEqual([{ status: 'appended', streamVersion: 1, firstPosition: 2 }])
    expect(failed).toEqual([{ status: 'abandoned' }, { status: 'version_conflict', actual: 1 }])
    expect(last).toEqual([
      { status: 'appended', streamVersion: 2, firstPosition: 3 },
      { status: 'appended', streamVersion: 1, firstPosition: 5 },
    ])
    expect(await store.readStreamInfo('account-1')).toBeUndefined()
  })

  it('keeps the order of calls for one stream', async () => {
    const store = await database.open()
    const answers = await Promise.all(
      range(10).map((version) => append(store, [textAppend('account-1', 1, { expectedVersion: version })])),
    )
    expect(answers.flat().map((answer) => (answer.status === 'appended' ? answer.streamVersion : answer))).toEqual(
      range(10).map((index) => index + 1),
    )
  })

  it('tells the one whose value the database refuses, and appends its neighbours', async () => {
    const store = await database.open()
    await database.sql("ALTER TABLE edict.events ADD CONSTRAINT no_refused CHECK (type <> 'Refused')")
    const refused = { ...textAppend('account-1'), events: [textEvent({ type: 'Refused' })] }
    const answers = await Promise.allSettled([
      append(store, [textAppend('account-0')]),
      append(store, [textAppend('account-2')]),
      append(store, [refused]),
      append(store, [textAppend('account-3')]),
    ])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(answers[2]).toMatchObject({ reason: { code: 'store_failed', outcome: 'not-executed' } })
    expect(await positionsOf(store)).toEqual([1, 2, 3])
  })

  it('numbers the appends of many connections without a gap, and a reader that follows misses none', async () => {
    const stores = await Promise.all(range(4).map(() => database.open()))
    const reader = await database.open({ listen: false })
    let writing = true
    const written = Promise.all(
      stores.map(async (store, node) => {
        for (const turn of range(30)) {
          const streams = [`account-${(node + turn) % 7}`, `account-${(turn * 3) % 7}`, `own-${node}`]
          await Promise.all([...new Set(streams)].map((stream) => append(store, [textAppend(stream, 1 + (turn % 3))])))
        }
      }),
    ).finally(() => (writing = false))
    const seen: number[] = []
    for (let lastPosition = 0, more = true; more;) {
      more = writing
      const slice = await reader.readAll({ fromPosition: lastPosition + 1, maxCount: 13 })
      seen.push(...slice.events.map((event) => event.position))
      lastPosition = slice.lastPosition
      more ||= lastPosition < slice.headPosition
    }
    await written
    const head = await reader.headPosition()
    expect(head).toBeGreaterThan(600)
    expect(seen).toEqual(range(head).map((index) => index + 1))
  })

  it('gives a new stream that many connections want to one of them, and the others a conflict', async () => {
    const stores = await Promise.all(range(4).map(() => database.open()))
    for (const turn of range(15)) {
      const answers = await Promise.all(
        stores.map((store) => append(store, [textAppend(`account-${turn}`, 1, { expectedVersion: 'none' })])),
      )
      const statuses = answers.flat().map(({ status }) => status)
      expect(statuses.sort()).toEqual(['appended', 'version_conflict', 'version_conflict', 'version_conflict'])
    }
  })

  it('lets calls over the same streams in any order through, from many connections', async () => {
    const stores = await Promise.all(range(3).map(() => database.open()))
    const names = range(8).map((index) => `account-${index}`)
    await Promise.all(
      stores.flatMap((store, node) =>
        range(20).map(async (turn) => {
          const from = (node * 3 + turn) % 8
          const streams = [...names.slice(from), ...names.slice(0, from)]
          const ordered = turn % 2 === 0 ? streams : streams.reverse()
          const answers = await append(
            store,
            ordered.map((stream) => textAppend(stream)),
            { atomic: turn % 3 === 0 },
          )
          expect(answers.every(({ status }) => status === 'appended')).toBe(true)
        }),
      ),
    )
    expect((await (stores[0] as EventStore).readStream('account-3', { maxCount: 1 })).streamVersion).toBe(60)
  })
})
