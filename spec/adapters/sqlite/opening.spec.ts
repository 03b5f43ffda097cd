import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { sqliteEventStore, type SqliteEventStoreOptions } from 'edict/sqlite'
import type Database from 'better-sqlite3'
import { projectionsOf } from '../../../lib/event-store/checked-projection-store.ts'
import type { EventStore } from '../../../lib/event-store/event-store.ts'
import { OpenStores } from './open-stores.ts'
import { encodedAppend, statusOf } from './sample-event.ts'

const stores = new OpenStores()

async function pragmas(store: EventStore, names: readonly string[]): Promise<Record<string, unknown>> {
  return projectionsOf(store).transaction((tx) => {
    // The transaction of a SQLite store is its driver's database.
    const database = tx as Database.Database
    return Object.fromEntries(names.map((name) => [name, database.pragma(name, { simple: true })]))
  })
}

describe('sqliteEventStore, when it is opened,', () => {
  it('writes ahead, and brings each commit to disk', async () => {
    const store = await stores.open()
    const found = await pragmas(store, ['journal_mode', 'synchronous', 'fullfsync', 'checkpoint_fullfsync'])
    expect(found).toEqual({ journal_mode: 'wal', synchronous: 2, fullfsync: 1, checkpoint_fullfsync: 1 })
  })

  it('leaves the moment of that to the system where it is asked to', async () => {
    const store = await stores.open(undefined, { synchronous: 'normal' })
    expect(await pragmas(store, ['journal_mode', 'synchronous'])).toEqual({ journal_mode: 'wal', synchronous: 1 })
  })

  it('refuses a file that is no database, and leaves it as it is', async () => {
    const { path } = stores.file()
    writeFileSync(path, 'a letter to the bank, which is long enough to be looked at as a database file\n'.repeat(50))
    const before = readFileSync(path)
    await expect(sqliteEventStore(path).open()).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'not-executed',
      message: expect.stringContaining('this is not a SQLite file'),
    })
    expect(readFileSync(path)).toEqual(before)
  })

  it("refuses another application's database, and leaves it as it is", async () => {
    const { path, directory } = stores.file()
    const other = stores.connect(path)
    other.exec('CREATE TABLE letters (id INTEGER)')
    other.close()
    const before = readFileSync(path)
    await expect(sqliteEventStore(path).open()).rejects.toMatchObject({
      code: 'store_failed',
      message: expect.stringContaining('of another application'),
    })
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(directory)).toEqual(['events.db'])
  })

  it("refuses an empty database that carries another application's mark", async () => {
    const { path } = stores.file()
    stores.connect(path).pragma('application_id = 77')
    await expect(sqliteEventStore(path).open()).rejects.toMatchObject({ code: 'store_failed' })
  })

  it('takes an empty file', async () => {
    const { path } = stores.file()
    writeFileSync(path, '')
    const store = await stores.open(path)
    expect(await statusOf(store.append([encodedAppend('account-1')]))).toBe('appended')
  })

  it('refuses a file that a newer version has migrated', async () => {
    const { path } = stores.file()
    await (await stores.open(path)).close()
    const current = stores.connect(path).pragma('user_version', { simple: true })
    stores.connect(path).pragma('user_version = 99')
    await expect(sqliteEventStore(path).open()).rejects.toMatchObject({
      code: 'schema_mismatch',
      found: 99,
      expected: current,
      message: expect.stringContaining('newer'),
    })
  })

  it('says so where the directory is not there', async () => {
    const { directory } = stores.file()
    await expect(sqliteEventStore(join(directory, 'missing', 'events.db')).open()).rejects.toMatchObject({
      code: 'store_failed',
      message: expect.stringContaining('directory'),
    })
  })

  it('can be opened after it could not', async () => {
    const { path } = stores.file()
    writeFileSync(path, 'x'.repeat(5_000))
    const store = sqliteEventStore(path)
    await expect(store.open()).rejects.toMatchObject({ code: 'store_failed' })
    writeFileSync(path, '')
    await store.open()
    expect(await store.headPosition()).toBe(0)
    await store.close()
  })

  it('is made once by many that open a new file at the same time', async () => {
    const { path } = stores.file()
    const opened = await Promise.all(Array.from({ length: 8 }, () => stores.open(path)))
    const answers = await Promise.all(opened.map((store) => statusOf(store.append([encodedAppend('account-1')]))))
    expect(answers).toEqual(Array.from({ length: 8 }, () => 'appended'))
    expect(await opened[0]!.headPosition()).toBe(8)
  })

  it('leaves one whole file behind when all have closed it', async () => {
    const { path, directory } = stores.file()
    const store = await stores.open(path)
    const other = await stores.open(path)
    await store.append([encodedAppend('account-1', 3)])
    await store.close()
    expect(await other.headPosition()).toBe(3)
    await other.close()
    expect(readdirSync(directory)).toEqual(['events.db'])
  })

  it('finishes the appends that it was given before it closes', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const answers = Array.from({ length: 20 }, (_, number) =>
      statusOf(store.append([encodedAppend(`account-${number}`)])),
    )
    await store.close()
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['appended']))
    expect(await (await stores.open(path)).headPosition()).toBe(20)
  })
})

describe('sqliteEventStore, opened only to read,', () => {
  it('reads, and refuses to write', async () => {
    const { path } = stores.file()
    await (await stores.open(path)).append([encodedAppend('account-1', 2)])
    const reader = await stores.open(path, { readOnly: true })
    expect(await reader.headPosition()).toBe(2)
    expect((await reader.readStream('account-1')).events).toHaveLength(2)
    const writes = [
      () => reader.append([encodedAppend('account-1')]),
      () => reader.archiveStream('account-1'),
      () => reader.deleteSnapshot('account-1'),
      () => reader.claimCheckpoint('balances', { owner: 'one', startAfter: 0 }),
    ]
    for (const write of writes) {
      await expect(async () => write()).rejects.toMatchObject({
        code: 'store_failed',
        outcome: 'not-executed',
        message: expect.stringContaining('readOnly'),
      })
    }
    // No failure of the store's, which might pass: who runs projections gives up at once.
    await expect(projectionsOf(reader).transaction(() => undefined)).rejects.toMatchObject({
      code: 'invalid_option',
      outcome: 'not-executed',
      message: expect.stringContaining('readOnly'),
    })
  })

  it('sees what others append, and is told of it', async () => {
    const { path } = stores.file()
    const writer = await stores.open(path)
    const reader = await stores.open(path, { readOnly: true })
    const told = new Promise((resolve) => reader.watch(resolve))
    await writer.append([encodedAppend('account-1', 2)])
    expect(await told).toBe(2)
  })

  it('refuses a file that is not there, and makes none', async () => {
    const { path } = stores.file()
    await expect(sqliteEventStore(path, { readOnly: true }).open()).rejects.toMatchObject({ code: 'store_failed' })
    expect(existsSync(path)).toBe(false)
  })
})

describe('sqliteEventStore refuses', () => {
  it.each([':memory:', '', ' ', 'file:events.db', 'a\0b', 7, undefined])('%j for a path', (path) => {
    expect(() => sqliteEventStore(path as string)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })

  it.each([
    { synchronous: 'off' },
    { busyTimeout: -1 },
    { busyTimeout: '5' },
    { transactionTimeout: 0 },
    { transactionTimeout: 5e9 },
    { readOnly: 1 },
    { journal: 'wal' },
    null,
  ])('%j for options', (options) => {
    expect(() => sqliteEventStore('events.db', options as unknown as SqliteEventStoreOptions)).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
  })
})
