import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { auditTrail, eventHandler, inMemoryAuditStore, router } from 'edict'
import type { AuditEntry, AuditStore, AuditTrail } from 'edict'
import { sqliteAuditStore, sqliteEventStore } from 'edict/sqlite'
import { Add, Added, counterRouter, recordingLogger, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

const audited = (trail: AuditTrail) => router('audited', (all) => all.middleware(trail).router(counterRouter))
const add = Add({ id: 'a', by: 1 })
/** Milliseconds: by itself it writes nothing before a spec is over. */
const LATER = 600_000

/** A store that fails as long as it is told to. */
function shakyStore(): AuditStore & { broken: boolean; readonly written: AuditEntry[] } {
  const store = inMemoryAuditStore()
  const written: AuditEntry[] = []
  const shaky = {
    ...{ name: 'shaky', broken: false, written },
    open: () => undefined,
    close: () => undefined,
    write(entries: readonly AuditEntry[]) {
      if (shaky.broken) throw new Error('the disk is full')
      written.push(...entries)
      return store.write(entries)
    },
    find: store.find.bind(store),
  }
  return shaky
}

describe('what an audit trail records', () => {
  it('is nothing of the data, unless a function says what', async () => {
    const trail = auditTrail({
      store: inMemoryAuditStore(),
      data: ({ type, data }) => ({ type, ...(data as object), by: 'hidden', at: new Date(0) }),
      metadata: ({ token, ...rest }) => ({ ...rest, token: token === undefined ? 'none' : 'hidden' }),
    })
    const app = await started({ router: audited(trail) })
    await app.dispatch(add, { metadata: { user: 'ada', token: 'secret' } })
    expect((await trail.find()).entries).toMatchObject([
      { data: { type: 'Add', id: 'a', by: 'hidden', at: new Date(0) }, metadata: { user: 'ada', token: 'hidden' } },
    ])
  })

  it('is all the same complete where such a function throws, and the log says so', async () => {
    const logger = recordingLogger()
    const trail = auditTrail({
      store: inMemoryAuditStore(),
      data: () => {
        throw new Error('no')
      },
    })
    const app = await started({ router: audited(trail), logger })
    await app.dispatch(add)
    expect((await trail.find()).entries).toMatchObject([{ outcome: 'executed', data: undefined }])
    expect(logger.entries[0]?.message).toBe("the audit trail's data failed")
  })

  it('is executed for a command that then waited for a handler in vain, with the code of the wait', async () => {
    const trail = auditTrail({ store: inMemoryAuditStore() })
    const stuck = eventHandler('stuck', {
      events: [Added],
      consistency: 'strong',
      handle: () => new Promise<void>(() => undefined),
    })
    const app = await started({ router: audited(trail), handlers: [stuck] })
    await app.dispatch(add, { consistency: 'strong', consistencyTimeout: 10 }).catch(() => undefined)
    expect((await trail.find()).entries).toMatchObject([
      { outcome: 'executed', code: 'consistency_timeout', aggregateVersion: 1, events: [{ position: 1 }] },
    ])
  }, 180_000)

  it('has the tenant, also of a command that was rejected and left nothing behind', async () => {
    const trail = auditTrail({ store: inMemoryAuditStore() })
    const app = await started({ router: audited(trail) })
    await app.tryDispatch(Add({ id: 'a', by: -1 }), { tenant: 'acme' })
    expect((await trail.find({ tenant: 'acme' })).entries).toMatchObject([
      { tenant: 'acme', outcome: 'rejected', streamId: expect.stringContaining('acme'), events: [] },
    ])
  })

  it('is one entry for each command, on however many routers it stands', async () => {
    const trail = auditTrail({ store: inMemoryAuditStore() })
    const twice = router('twice', (all) => all.middleware(trail).router(audited(trail)))
    const app = await started({ router: twice })
    await app.dispatch(add)
    expect((await trail.find()).entries).toHaveLength(1)
  })

  it('is shared by applications, and closed with the last of them', async () => {
    const trail = auditTrail({ store: inMemoryAuditStore() })
    const one = await started({ router: audited(trail), name: 'one' })
    const two = await started({ router: audited(trail), name: 'two' })
    await one.dispatch(add)
    await one.stop()
    await two.dispatch(add)
    await two.stop()
    const { entries } = await trail.find({ direction: 'forward' })
    expect(entries.map(({ application }) => application)).toEqual(['one', 'two'])
  })

  it('in memory is the latest entries, up to a number', async () => {
    const trail = auditTrail({ store: inMemoryAuditStore({ limit: 2 }) })
    const app = await started({ router: audited(trail) })
    for (const by of [1, 2, 3]) await app.dispatch(Add({ id: 'a', by }))
    expect((await trail.find()).entries.map(({ aggregateVersion }) => aggregateVersion)).toEqual([3, 2])
  })
})

describe('an audit trail whose store fails', () => {
  it('harms no command, and writes everything once the store is well', async () => {
    const store = shakyStore()
    const trail = auditTrail({ store, writeDelay: 0 })
    const logger = recordingLogger()
    const app = await started({ router: audited(trail), logger })
    store.broken = true
    await app.dispatch(add)
    await expect(trail.flush()).rejects.toThrow('the disk is full')
    expect(logger.entries.at(-1)?.message).toMatch(/the audit trail cannot be written, and is tried again/)
    store.broken = false
    await app.dispatch(add)
    await until(() => store.written.length === 2)
    expect(store.written.map(({ aggregateVersion }) => aggregateVersion)).toEqual([1, 2])
  })

  it('lets no command run that it cannot write down first, where it is durable', async () => {
    const store = shakyStore()
    const trail = auditTrail({ store, durable: true })
    const app = await started({ router: audited(trail) })
    store.broken = true
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'command_failed', outcome: 'not-executed' })
    store.broken = false
    expect((await trail.find()).entries).toMatchObject([{ outcome: 'failed', code: 'command_failed' }])
  })

  it('loses the oldest entries rather than all memory, and says so', async () => {
    const store = shakyStore()
    const trail = auditTrail({ store, bufferLimit: 2, writeDelay: LATER })
    const logger = recordingLogger()
    const app = await started({ router: audited(trail), logger })
    store.broken = true
    for (const by of [1, 2, 3]) await app.dispatch(Add({ id: 'a', by }))
    expect(logger.entries.at(-1)).toMatchObject({
      fields: { lost: 1 },
      message: expect.stringContaining('loses its oldest'),
    })
    store.broken = false
    expect((await trail.find()).entries.map(({ aggregateVersion }) => aggregateVersion)).toEqual([3, 2])
  })

  it('makes the stop of an application reject, rather than lose entries in silence', async () => {
    const store = shakyStore()
    const trail = auditTrail({ store, writeDelay: LATER })
    const app = await started({ router: audited(trail) })
    await app.dispatch(add)
    store.broken = true
    await expect(app.stop()).rejects.toMatchObject({
      code: 'store_failed',
      message: 'the audit trail could not write down its last entries: the disk is full',
    })
    store.broken = false
    expect((await trail.find()).entries).toHaveLength(1)
  })
})

describe('an audit trail in a SQLite file', () => {
  it('leaves the file of an event store alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edict-audit-'))
    const path = join(folder, 'events.db')
    const eventStore = sqliteEventStore(path)
    await eventStore.open()
    const trail = auditTrail({ store: sqliteAuditStore(path) })
    await expect(trail.find()).rejects.toThrow(/give the audit trail a file of its own/)
    await eventStore.close()
    rmSync(folder, { recursive: true, force: true })
  })
})

describe('auditTrail', () => {
  it.each([
    [{}, /needs a store/],
    [{ store: inMemoryAuditStore(), durable: 'yes' }, /durable must be true or false/],
    [{ store: inMemoryAuditStore(), data: true }, /data must be a function/],
    [{ store: inMemoryAuditStore(), color: 'red' }, /unknown option "color"/],
  ])('refuses %j', (options, message) => {
    expect(() => auditTrail(options as never)).toThrow(message)
  })

  it.each([{ limit: 0 }, { direction: 'up' }, { from: 'today' }, { user: 'ada' }, { commandId: '' }])(
    'refuses to be asked for %j',
    async (query) => {
      const trail = auditTrail({ store: inMemoryAuditStore() })
      await expect(trail.find(query as never)).rejects.toMatchObject({ code: 'invalid_option' })
    },
  )
})
