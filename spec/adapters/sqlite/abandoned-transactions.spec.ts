import { describe, expect, it } from '@jest/globals'
import { existsSync, renameSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { projectionsOf } from '../../../lib/event-store/checked-projection-store.ts'
import { OpenStores } from './open-stores.ts'
import { encodedAppend, statusOf } from './sample-event.ts'
import { inTransaction } from './transactions.ts'

const stores = new OpenStores()
const never = new Promise<never>(() => undefined)
const tookTooLong = {
  code: 'store_failed',
  outcome: 'not-executed',
  message: expect.stringContaining('longer than transactionTimeout (60 ms), and was rolled back'),
}

describe('a transaction on sqliteEventStore whose work never ends', () => {
  it('is rolled back after transactionTimeout, and those who waited go on, also in other processes', async () => {
    const { path } = stores.file()
    const store = await stores.open(path, { transactionTimeout: 60 })
    const other = await stores.open(path)
    const hanging = inTransaction(store, (tx) => {
      tx.exec('CREATE TABLE balances (amount INTEGER)')
      return never
    })
    const waiting = [statusOf(store.append([encodedAppend('a-1')])), statusOf(other.append([encodedAppend('a-2')]))]
    await expect(hanging).rejects.toMatchObject(tookTooLong)
    expect(await Promise.all(waiting)).toEqual(['appended', 'appended'])
    expect(await inTransaction(store, (tx) => tx.pragma('table_info(balances)'))).toEqual([])
    expect(await store.headPosition()).toBe(2)
  })

  it('leaves the store as good as before, and as often as it happens', async () => {
    const { path } = stores.file()
    const store = await stores.open(path, { transactionTimeout: 60, synchronous: 'normal' })
    const settings = (tx: Database.Database) =>
      ['synchronous', 'journal_mode', 'journal_size_limit'].map((name) => tx.pragma(name, { simple: true }))
    const before = await inTransaction(store, settings)
    for (let time = 1; time <= 3; time++) {
      await expect(inTransaction(store, () => never)).rejects.toMatchObject(tookTooLong)
      expect(await statusOf(store.append([encodedAppend('account-1')]))).toBe('appended')
      await store.writeStreamMetadata('account-1', { time })
      expect(await store.readStreamInfo('account-1')).toMatchObject({ streamVersion: time, metadata: { time } })
    }
    expect(await inTransaction(store, settings)).toEqual(before)
  })

  it('can write nothing any more when it goes on late, neither by itself nor within the next one', async () => {
    const { path } = stores.file()
    const store = await stores.open(path, { transactionTimeout: 60 })
    const projections = projectionsOf(store)
    await inTransaction(store, (tx) => void tx.exec('CREATE TABLE balances (amount INTEGER)'))
    const claim = await store.claimCheckpoint('balances', { owner: 'me', startAfter: 0 })
    const checkpoint = { name: 'balances', position: 5, index: 0, epoch: claim?.epoch ?? 0 }
    let late: Database.Database | undefined
    let insert: Database.Statement | undefined
    await expect(
      inTransaction(store, (tx) => {
        late = tx
        insert = tx.prepare('INSERT INTO balances VALUES (1)')
        insert.run()
        return never
      }),
    ).rejects.toMatchObject(tookTooLong)
    const writeLate = async () => {
      expect(() => insert?.run()).toThrow('not open')
      expect(() => late?.exec('INSERT INTO balances VALUES (2)')).toThrow('not open')
      await expect(async () => projections.saveCheckpoint(late, checkpoint)).rejects.toMatchObject({
        code: 'store_failed',
      })
    }
    await writeLate()
    await inTransaction(store, writeLate)
    expect(await store.readCheckpoint('balances')).toMatchObject({ position: 0 })
    const count = stores.connect(path).prepare('SELECT count(*) FROM balances').pluck()
    expect(count.get()).toBe(0)
  })

  it('can write nothing any more, though a query of its own is read no further', async () => {
    const { path } = stores.file()
    const store = await stores.open(path, { transactionTimeout: 60 })
    await store.append([encodedAppend('account-1', 3)])
    await inTransaction(store, (tx) => void tx.exec('CREATE TABLE balances (amount INTEGER)'))
    let late: Database.Database | undefined
    let reading: IterableIterator<unknown> | undefined
    let insert: Database.Statement | undefined
    await expect(
      inTransaction(store, (tx) => {
        late = tx
        insert = tx.prepare('INSERT INTO balances VALUES (1)')
        reading = tx.prepare('SELECT position FROM edict_events').iterate()
        reading.next()
        return never
      }),
    ).rejects.toMatchObject(tookTooLong)
    expect(await statusOf(store.append([encodedAppend('account-1')]))).toBe('appended')
    expect(() => insert?.run()).toThrow()
    reading?.return?.()
    expect(() => insert?.run()).toThrow('readonly')
    expect(() => late?.exec('INSERT INTO balances VALUES (2)')).toThrow('readonly')
    expect(stores.connect(path).prepare('SELECT count(*) FROM balances').pluck().get()).toBe(0)
  })

  it('does not keep the store from closing', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const failures = Promise.allSettled([inTransaction(store, () => never), inTransaction(store, () => never)])
    const closed = store.close()
    const told = {
      code: 'store_failed',
      outcome: 'not-executed',
      message: expect.stringContaining("the store's close"),
    }
    expect(await failures).toMatchObject([{ reason: told }, { reason: told }])
    await closed
    // All of the log is in the file, and nobody holds it.
    expect(existsSync(`${path}-wal`)).toBe(false)
  })

  it('leaves those after it their turn while the file cannot be opened again', async () => {
    const { path } = stores.file()
    const store = await stores.open(path, { transactionTimeout: 60 })
    const hanging = inTransaction(store, () => {
      renameSync(path, `${path}.away`)
      return never
    })
    await expect(hanging).rejects.toMatchObject(tookTooLong)
    await expect(async () => store.append([encodedAppend('account-1')])).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'not-executed',
    })
    renameSync(`${path}.away`, path)
    expect(await statusOf(store.append([encodedAppend('account-1')]))).toBe('appended')
  })
})
