import { describe, expect, it } from '@jest/globals'
import { commitsInLog } from './commits.ts'
import { OpenStores } from './open-stores.ts'
import { encodedAppend, encodedEvent, statusOf } from './sample-event.ts'

const stores = new OpenStores()

/** A transaction takes 16 appends at least, however slow the machine is, before the event loop has its turn. */
const MOST_COMMITS = 64 / 16

describe('the group commit of sqliteEventStore', () => {
  it('commits what is appended in one turn together', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const before = commitsInLog(path)
    await Promise.all(Array.from({ length: 64 }, (_, number) => statusOf(store.append([encodedAppend(`a-${number}`)]))))
    expect(commitsInLog(path) - before).toBeLessThanOrEqual(MOST_COMMITS)
  })

  it('commits together for all those who append again when they have their answer, by however many steps', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const before = commitsInLog(path)
    const clients = Array.from({ length: 64 }, async (_, number) => {
      for (let turn = 0; turn < 5; turn++) {
        await statusOf(store.append([encodedAppend(`a-${number}`)]))
        for (let step = 0; step < number % 7; step++) await Promise.resolve()
      }
    })
    await Promise.all(clients)
    expect(commitsInLog(path) - before).toBeLessThanOrEqual(6 * MOST_COMMITS)
    expect(await store.headPosition()).toBe(64 * 5)
  })

  it('commits each append that comes alone', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const before = commitsInLog(path)
    for (let number = 0; number < 5; number++) await store.append([encodedAppend('account-1')])
    expect(commitsInLog(path) - before).toBe(5)
  })

  it('commits checkpoints and snapshots along with appends', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const claim = await store.claimCheckpoint('balances', { owner: 'one', startAfter: 0 })
    const before = commitsInLog(path)
    const { data, contentType } = encodedEvent()
    const snapshot = {
      streamId: 'a',
      category: 'A',
      streamVersion: 1,
      snapshotVersion: 1,
      createdAt: 0,
      data,
      contentType,
    }
    await Promise.all([
      store.append([encodedAppend('account-1')]),
      store.saveCheckpoint({ ...claim!, position: 1 }),
      store.saveSnapshot(snapshot),
    ])
    expect(commitsInLog(path) - before).toBe(1)
  })

  it('bounds a commit to about 1,000 events', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const before = commitsInLog(path)
    await Promise.all(
      Array.from({ length: 10 }, (_, number) => statusOf(store.append([encodedAppend(`a-${number}`, 500)]))),
    )
    expect(commitsInLog(path) - before).toBeGreaterThanOrEqual(5)
    expect(await store.headPosition()).toBe(5_000)
  })

  it('acknowledges only what another process could read already', async () => {
    const { path } = stores.file()
    const store = await stores.open(path)
    const look = stores
      .connect(path)
      .prepare('SELECT stream_id FROM edict_events JOIN edict_streams ON edict_streams.id = stream')
      .pluck()
    await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        const streamId = `a-${number}`
        await store.append([encodedAppend(streamId)])
        expect(look.all()).toContain(streamId)
      }),
    )
  })

  it('lets the event loop turn while appends follow each other', async () => {
    const store = await stores.open()
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    // Where none turns, no timer ends this either: the appends are counted.
    for (let appends = 0; turns <= 5 && appends < 5_000; appends++) await store.append([encodedAppend('account-1')])
    clearInterval(timer)
    expect(turns).toBeGreaterThan(5)
  })
})
