import { describe, expect, it } from '@jest/globals'
import { projectionsOf } from '../../../lib/event-store/checked-projection-store.ts'
import { OpenStores } from './open-stores.ts'
import { encodedAppend, statusOf } from './sample-event.ts'
import { inTransaction } from './transactions.ts'

const stores = new OpenStores()

/** Something that a test lets happen. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

describe('a transaction on sqliteEventStore', () => {
  it('may wait, and nobody sees what it has not committed', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const [wrote, goOn] = [gate(), gate()]
    const done = inTransaction(store, async (tx) => {
      tx.exec('CREATE TABLE balances (amount INTEGER)')
      tx.exec(`UPDATE edict_epochs SET last_epoch = 70`)
      tx.exec(
        `INSERT INTO edict_checkpoints (name, position, event_index, epoch, lease, expires_at) VALUES ('seen', 5, 0, 1, 1, 1)`,
      )
      wrote.open()
      await goOn.opened
    })
    await wrote.opened
    expect(await store.readCheckpoint('seen')).toBeUndefined()
    expect(await store.headPosition()).toBe(0)
    goOn.open()
    await done
    expect(await store.readCheckpoint('seen')).toMatchObject({ position: 5 })
  })

  it('keeps the appends of its store waiting, which are committed after it', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const goOn = gate()
    const order: string[] = []
    const done = inTransaction(store, async () => {
      await goOn.opened
    }).then(() => order.push('transaction'))
    const appended = Promise.all(
      Array.from({ length: 5 }, async (_, number) => {
        await statusOf(store.append([encodedAppend(`a-${number}`)]))
        order.push('append')
      }),
    )
    goOn.open()
    await Promise.all([done, appended])
    expect(order[0]).toBe('transaction')
    expect(await store.headPosition()).toBe(5)
  })

  it('takes turns with appends that never end', async () => {
    const store = await stores.open()
    const appends = { end: false }
    const appending = (async () => {
      while (!appends.end) await store.append([encodedAppend('account-1')])
    })()
    for (let turn = 0; turn < 5; turn++) await inTransaction(store, () => undefined)
    appends.end = true
    await appending
  })

  it('refuses an append to its own store, which would wait for itself', async () => {
    const store = await stores.open()
    const refused = {
      code: 'store_failed',
      outcome: 'not-executed',
      message: expect.stringContaining('wait for itself'),
    }
    await expect(
      inTransaction(store, async () => {
        await Promise.resolve()
        await store.append([encodedAppend('account-1')])
      }),
    ).rejects.toMatchObject(refused)
    await expect(inTransaction(store, () => inTransaction(store, () => undefined))).rejects.toMatchObject(refused)
    expect(await statusOf(store.append([encodedAppend('account-1')]))).toBe('appended')
  })

  it('fails a wait for another write of its own store, rather than to wait for ever', async () => {
    const { path } = stores.file()
    const store = await stores.open(path, { busyTimeout: 30 })
    await expect(inTransaction(store, async () => store.deleteCheckpoint('balances'))).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'not-executed',
      message: expect.stringContaining('wait for itself'),
    })
    await store.deleteCheckpoint('balances')
  })

  it('does not stand in the way of what its work began and left behind', async () => {
    const store = await stores.open()
    const goOn = gate()
    let later: Promise<string> | undefined
    await inTransaction(store, () => {
      later = goOn.opened.then(() => statusOf(store.append([encodedAppend('account-1')])))
    })
    goOn.open()
    expect(await later).toBe('appended')
  })

  it('tells of work that ended it by itself, and of the store being as good as before', async () => {
    const store = await stores.open()
    await expect(inTransaction(store, (tx) => void tx.exec('COMMIT'))).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'unknown',
    })
    expect(await statusOf(store.append([encodedAppend('account-1')]))).toBe('appended')
  })

  it('tells of work that left it busy, and of the store being as good as before', async () => {
    const store = await stores.open()
    await store.append([encodedAppend('account-1', 3)])
    let leftOpen: IterableIterator<unknown> | undefined
    await expect(
      inTransaction(store, (tx) => {
        tx.exec('CREATE TABLE balances (amount INTEGER)')
        leftOpen = tx.prepare('SELECT position FROM edict_events').iterate()
        leftOpen.next()
      }),
    ).rejects.toMatchObject({ code: 'store_failed', message: expect.stringContaining('busy') })
    leftOpen?.return?.()
    expect(await statusOf(store.append([encodedAppend('account-1')]))).toBe('appended')
    const tables = await inTransaction(store, (tx) => tx.pragma('table_info(balances)'))
    expect(tables).toEqual([])
  })

  it('is finished before the store closes', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const goOn = gate()
    const done = inTransaction(store, async (tx) => {
      await goOn.opened
      tx.exec('CREATE TABLE balances (amount INTEGER)')
    })
    const closed = store.close()
    goOn.open()
    await Promise.all([done, closed])
    expect(stores.connect(path).prepare('SELECT count(*) FROM balances').pluck().get()).toBe(0)
  })
})

describe('a publication on sqliteEventStore', () => {
  const publication = (tables: Record<string, string>) => ({ name: 'balances', version: 1, generation: 1, tables })

  it.each(['edict_events', 'EDICT_x', 'sqlite_x'])('leaves %j to the store', async (name) => {
    const store = await stores.open()
    const projections = projectionsOf(store)
    const refused = { code: 'invalid_option' }
    const publish = (tables: Record<string, string>) =>
      projections.transaction(async (tx) => projections.publish(tx, publication(tables)))
    await expect(publish({ [name]: 'balances_1' })).rejects.toMatchObject(refused)
    await expect(publish({ balances: name })).rejects.toMatchObject(refused)
    await expect(projections.transaction(async (tx) => projections.dropTables(tx, [name]))).rejects.toMatchObject(
      refused,
    )
  })

  it('takes any other name to the letter, whatever stands in it', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const projections = projectionsOf(store)
    const table = 'a" ; DROP TABLE edict_events; --'
    await inTransaction(store, (tx) => void tx.exec(`CREATE TABLE "${table.replace('"', '""')}" (a)`))
    await projections.transaction(async (tx) => projections.publish(tx, publication({ 'x"y': table })))
    expect(stores.connect(path).prepare('SELECT count(*) FROM "x""y"').pluck().get()).toBe(0)
    await projections.transaction(async (tx) => {
      await projections.publish(tx, publication({}))
      await projections.dropTables(tx, [table])
    })
    const left = stores
      .connect(path)
      .prepare(`SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '%edict%' AND name <> 'sqlite_sequence'`)
      .pluck()
    expect(left.get()).toBe(0)
    expect(await statusOf(store.append([encodedAppend('account-1')]))).toBe('appended')
  })

  it("leaves a table of the user's own alone", async () => {
    const store = await stores.open()
    const projections = projectionsOf(store)
    await inTransaction(store, (tx) => void tx.exec('CREATE TABLE Balances (a); CREATE TABLE balances_1 (a)'))
    await expect(
      projections.transaction(async (tx) => projections.publish(tx, publication({ balances: 'balances_1' }))),
    ).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining('a table named balances is there'),
    })
  })
})
