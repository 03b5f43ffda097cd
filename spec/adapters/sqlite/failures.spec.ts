import { describe, expect, it } from '@jest/globals'
import { copyFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isEdictError } from '../../../lib/errors.ts'
import { until } from '../../support/counter.ts'
import { OpenStores } from './open-stores.ts'
import { encodedAppend, encodedEvent, statusOf } from './sample-event.ts'
import { inTransaction } from './transactions.ts'
import type { EventStore } from '../../../lib/event-store/event-store.ts'

const stores = new OpenStores()

/** What became of appends that were made at once: a status, or the code and the outcome of the error. */
async function outcomes(store: EventStore, appends: readonly ReturnType<typeof encodedAppend>[]): Promise<string[]> {
  return Promise.all(
    appends.map((append) =>
      statusOf(store.append([append])).catch((thrown: unknown) => {
        if (!isEdictError(thrown)) throw thrown
        return `${thrown.code} ${thrown.outcome}`
      }),
    ),
  )
}

const withData = (streamId: string, data: string) => encodedAppend(streamId, 1, { events: [encodedEvent({ data })] })

/** Lets SQLite refuse every event with this data, within the transaction of the append. */
async function openWithPoison(path: string): Promise<EventStore> {
  const store = await stores.open(path)
  stores.connect(path).exec(
    `CREATE TRIGGER poison BEFORE INSERT ON edict_events WHEN new.data = 'poison'
      BEGIN SELECT RAISE(ABORT, 'this cannot be stored'); END`,
  )
  return store
}

describe('sqliteEventStore, when a write fails,', () => {
  it('fails no neighbour in the same commit', async () => {
    const store = await openWithPoison(stores.file().path)
    const appends = Array.from({ length: 30 }, (_, number) =>
      withData(`a-${number}`, number === 13 ? 'poison' : 'good'),
    )
    const expected = appends.map((_, number) => (number === 13 ? 'store_failed not-executed' : 'appended'))
    expect(await outcomes(store, appends)).toEqual(expected)
    const { events } = await store.readAll()
    expect(events.map((event) => event.position)).toEqual(Array.from({ length: 29 }, (_, index) => index + 1))
    expect(events.some((event) => event.data === 'poison')).toBe(false)
  })

  it('stores nothing of an append of which one event fails', async () => {
    const store = await openWithPoison(stores.file().path)
    const { commandId } = encodedEvent()
    const events = ['good', 'good', 'poison'].map((data) => encodedEvent({ commandId, data }))
    const failed = encodedAppend('account-1', 1, { events })
    expect(await outcomes(store, [failed, withData('account-2', 'good')])).toEqual([
      'store_failed not-executed',
      'appended',
    ])
    expect(await store.readStream('account-1')).toMatchObject({ events: [], streamVersion: 0 })
    expect(await outcomes(store, [withData('account-1', 'good')])).toEqual(['appended'])
    expect(await store.readStream('account-1')).toMatchObject({ streamVersion: 1 })
  })

  it('goes on where it was before: versions, positions and new kinds of events', async () => {
    const store = await openWithPoison(stores.file().path)
    await outcomes(store, [withData('account-1', 'good')])
    const odd = encodedAppend('account-2', 1, {
      category: 'Odd',
      events: [encodedEvent({ type: 'Odd', data: 'poison' })],
    })
    expect(await outcomes(store, [odd])).toEqual(['store_failed not-executed'])
    const events = [encodedEvent({ type: 'Odd', data: 'good' })]
    const answer = await store.append([{ ...odd, events, expectedVersion: 'none' }])
    expect(answer).toEqual([{ status: 'appended', streamVersion: 1, firstPosition: 2 }])
    expect((await store.readStream('account-2')).events[0]).toMatchObject({ type: 'Odd', category: 'Odd' })
  })

  it('keeps what it acknowledged when the disk is full, and goes on when there is room again', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    await store.append([encodedAppend('account-1', 3)])
    await inTransaction(store, (tx) => {
      const pages = Number(tx.pragma('page_count', { simple: true }))
      tx.pragma(`max_page_count = ${pages + 2}`)
    })
    const large = Array.from({ length: 5 }, (_, number) => withData(`large-${number}`, 'x'.repeat(20_000)))
    expect(await outcomes(store, large)).toEqual(large.map(() => 'store_failed not-executed'))
    await expect(store.append([large[0]!])).rejects.toMatchObject({
      message: expect.stringContaining('database or disk is full'),
      cause: expect.objectContaining({ code: 'SQLITE_FULL' }),
    })
    expect((await store.readAll()).events).toHaveLength(3)
    await inTransaction(store, (tx) => tx.pragma('max_page_count = 1000000'))
    expect(await outcomes(store, large)).toEqual(large.map(() => 'appended'))
    expect((await store.readAll()).events.map((event) => event.position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('waits for another writer, and lets the event loop turn meanwhile', async () => {
    const { path } = stores.file()
    const store = await stores.open(path, { busyTimeout: 60_000 })
    const other = stores.connect(path)
    other.exec('BEGIN IMMEDIATE')
    const appended = statusOf(store.append([encodedAppend('account-1')]))
    let turns = 0
    const turned = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (++turns < 20) return
        clearInterval(timer)
        resolve()
      }, 1)
    })
    await turned
    other.exec('COMMIT')
    expect(await appended).toBe('appended')
  })

  it('gives up after busyTimeout, with nothing stored', async () => {
    const { path } = stores.file()
    const store = await stores.open(path, { busyTimeout: 50 })
    const other = stores.connect(path)
    other.exec('BEGIN IMMEDIATE')
    await expect(store.append([encodedAppend('account-1')])).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'not-executed',
      message: expect.stringContaining('busyTimeout'),
    })
    await expect(inTransaction(store, () => undefined)).rejects.toMatchObject({ code: 'store_failed' })
    other.exec('COMMIT')
    expect(await store.headPosition()).toBe(0)
    expect(await outcomes(store, [encodedAppend('account-1')])).toEqual(['appended'])
  })
})

describe('sqliteEventStore, when the file is damaged,', () => {
  it.each([
    ['its metadata is no JSON', `UPDATE edict_events SET metadata = '{"a":' WHERE position = 2`],
    ['its metadata is no object', `UPDATE edict_events SET metadata = '[1]' WHERE position = 2`],
    ['its data is a number', 'UPDATE edict_events SET data = 5 WHERE position = 2'],
  ])('names the event where %s', async (_what, damage) => {
    const { path } = stores.file()
    const store = await stores.open(path)
    await store.append([encodedAppend('account-1', 3)])
    stores.connect(path).exec(damage)
    const named = { code: 'store_failed', message: expect.stringMatching(/version 2 of account-1 at position 2/) }
    await expect(async () => store.readStream('account-1')).rejects.toMatchObject(named)
    await expect(async () => store.readAll()).rejects.toMatchObject(named)
    expect((await store.readStream('account-1', { maxCount: 1 })).events).toHaveLength(1)
  })

  it.each([2, 3])('never passes over an event that is gone, at position %d', async (gone) => {
    const { path } = stores.file()
    const store = await stores.open(path)
    await store.append([encodedAppend('account-1', 3)])
    await store.append([encodedAppend('account-2', 1)])
    stores.connect(path).exec(`DELETE FROM edict_events WHERE position = ${gone}`)
    const all = { code: 'store_failed', message: expect.stringContaining(`position ${gone}`) }
    await expect(async () => store.readAll()).rejects.toMatchObject(all)
    await expect(async () => store.readAll({ direction: 'backward' })).rejects.toMatchObject(all)
    if (gone < 3)
      await expect(async () => store.readStream('account-1')).rejects.toMatchObject({ code: 'store_failed' })
  })

  it('says so where the kind of an event is gone', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    await store.append([encodedAppend('account-1')])
    stores.connect(path).exec('PRAGMA foreign_keys = OFF; DELETE FROM edict_kinds')
    await expect(async () => store.readStream('account-1')).rejects.toMatchObject({ code: 'store_failed' })
  })

  it.each([
    ['the file is gone', ''],
    ['its log is gone', '-wal'],
  ])('acknowledges nothing once %s, as it would be lost', async (_what, suffix) => {
    const { path } = stores.file()
    const store = await stores.open(path)
    await store.append([encodedAppend('account-1')])
    rmSync(`${path}${suffix}`)
    // It looks from time to time.
    const refused = async () => (await outcomes(store, [withData('account-2', 'late')]))[0] !== 'appended'
    await until(refused)
    await expect(store.append([encodedAppend('account-3')])).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'not-executed',
      message: expect.stringContaining('removed or replaced'),
    })
  })

  it('acknowledges nothing once another file is in the place of its own', async () => {
    const { path, directory } = stores.file()
    const link = join(directory, 'link.db')
    symlinkSync(path, link)
    const store = await stores.open(link)
    await store.append([encodedAppend('account-1')])
    rmSync(link)
    copyFileSync(path, link)
    await until(async () => (await outcomes(store, [withData('account-2', 'late')]))[0] !== 'appended')
    expect(await outcomes(store, [withData('account-3', 'later')])).toEqual(['store_failed not-executed'])
  })
})
