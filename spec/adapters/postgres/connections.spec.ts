import { describe, expect, it } from '@jest/globals'
import { TcpProxy } from '../../faults/tcp-proxy.ts'
import { append, positionsOf, testDatabase, textAppend, textEvent, until } from './test-database.ts'

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('the connections of postgresEventStore', () => {
  const database = testDatabase()
  /** Ends the connections of the stores of the spec that runs, as an administrator does. */
  const terminate = (name: string, where = 'true') =>
    database.sql(
      `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = $1 AND pid <> pg_backend_pid() AND ${where}`,
      [name],
    )
  const LISTENING = "query LIKE 'LISTEN%'"
  const listening = async (name: string) =>
    (await database.sql(`SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND ${LISTENING}`, [name])).length

  it('may be ended while nothing happens', async () => {
    const name = `idle ${database.schema}`
    const store = await database.open({ application_name: name })
    await append(store, [textAppend('account-1')])
    const ended = (await terminate(name)).map(({ pid }) => pid)
    expect(ended.length).toBeGreaterThan(0)
    // Others may be there already: the append is still to be told of.
    await until(
      async () =>
        (await database.sql('SELECT 1 FROM pg_stat_activity WHERE pid = ANY ($1::int[])', [ended])).length === 0,
    )
    // What they said at their end has come: it is heard in this turn of the event loop, or the next.
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await positionsOf(store)).toEqual([1])
    await append(store, [textAppend('account-1')])
    expect(await positionsOf(store)).toEqual([1, 2])
  })

  it('may be ended again and again under work: what is acknowledged is there once, what is unknown once or not at all', async () => {
    const name = `working ${database.schema}`
    const store = await database.open({ application_name: name })
    const acknowledged: string[] = []
    const unknown: string[] = []
    const refused: string[] = []
    let working = true
    const work = range(8).map(async (worker) => {
      for (let turn = 0; working; turn++) {
        const streamId = `account-${worker}-${turn}`
        try {
          await append(store, [textAppend(streamId)])
          acknowledged.push(streamId)
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'store_failed' })
          if ((thrown as { outcome: string }).outcome === 'unknown') unknown.push(streamId)
          else refused.push(streamId)
        }
      }
    })
    for (const round of range(10)) {
      await until(() => acknowledged.length > round * 20)
      await terminate(name)
    }
    working = false
    await Promise.all(work)
    const { events } = await store.readAll({ maxCount: 10_000 })
    expect(events.map(({ position }) => position)).toEqual(range(events.length).map((index) => index + 1))
    const stored = events.map(({ streamId }) => streamId)
    expect(new Set(stored).size).toBe(stored.length)
    expect(acknowledged.filter((streamId) => !stored.includes(streamId))).toEqual([])
    expect(refused.filter((streamId) => stored.includes(streamId))).toEqual([])
    const told = new Set([...acknowledged, ...unknown])
    expect(stored.filter((streamId) => !told.has(streamId))).toEqual([])
  })

  it('bring notifications again when the one that listens was ended', async () => {
    const name = `listening ${database.schema}`
    const store = await database.open({ application_name: name })
    const other = await database.open()
    let told = 0
    store.watch(() => told++)
    await until(async () => (await listening(name)) === 1)
    // Once when it begins to listen.
    await until(() => told > 0)
    const before = told
    await terminate(name, LISTENING)
    // It tells that it is back, since it may have missed something.
    await until(() => told > before)
    await until(async () => (await listening(name)) === 1)
    const heads: (number | undefined)[] = []
    store.watch((head) => heads.push(head))
    await append(other, [textAppend('account-1', 4)])
    await until(() => heads.includes(4))
  })

  it('append and read where nobody can listen', async () => {
    const store = await database.open({ listen: { connectionString: 'postgres://nobody@127.0.0.1:1/nowhere' } })
    const heads: (number | undefined)[] = []
    store.watch((head) => heads.push(head))
    await append(store, [textAppend('account-1')])
    expect(heads).toEqual([1])
    expect(await positionsOf(store)).toEqual([1])
  })

  it('do not hold up a close that comes while the one that listens connects', async () => {
    const store = await database.open()
    store.watch(() => undefined)
    await store.close()
    await store.open()
    await append(store, [textAppend('account-1')])
  })

  it('give up a statement that takes too long, and go on', async () => {
    await database.make().migrate()
    const store = await database.open({ statementTimeout: 1_000 })
    await append(store, [textAppend('account-1')])
    const blocking = await database.client()
    await blocking.query('BEGIN')
    await blocking.query(`LOCK TABLE ${database.schema}.events IN ACCESS EXCLUSIVE MODE`)
    const failures = await Promise.allSettled([append(store, [textAppend('account-1')]), positionsOf(store)])
    await blocking.query('COMMIT')
    for (const failure of failures) {
      expect(failure).toMatchObject({ reason: { code: 'store_failed', outcome: 'not-executed' } })
      expect(String((failure as PromiseRejectedResult).reason)).toContain('longer than statementTimeout')
    }
    await append(store, [textAppend('account-1')])
    expect(await positionsOf(store)).toEqual([1, 2])
  })

  it('are given up where they say nothing any more: nobody can tell what became of the append, and the next one goes on', async () => {
    const proxy = await TcpProxy.start(Number(new URL(database.connectionString).port))
    try {
      const connectionString = proxy.through(database.connectionString)
      await database.make().migrate()
      const store = await database.open({ connectionString, statementTimeout: 1_000, listen: false })
      await append(store, [textAppend('account-1')])
      proxy.deafen()
      const attempt = append(store, [textAppend('account-1')])
      await expect(attempt).rejects.toMatchObject({ code: 'store_failed', outcome: 'unknown' })
      await append(store, [textAppend('account-2')])
      await store.close()
    } finally {
      await proxy.close()
    }
  })

  it('are shared by all operations, even where there is but one', async () => {
    const store = await database.open({ maxConnections: 1 })
    const work = range(30).map(async (number) => {
      if (number % 3 === 0) await append(store, [textAppend(`account-${number}`)])
      else if (number % 3 === 1) await store.readAll()
      else await store.projections?.transaction(() => store.name)
    })
    expect((await Promise.all(work)).length).toBe(30)
    expect(await store.headPosition()).toBe(10)
  })

  it('are gone when the store is closed', async () => {
    const name = `closed ${database.schema}`
    const store = await database.open({ application_name: name })
    store.watch(() => undefined)
    await Promise.all(range(20).map((stream) => append(store, [textAppend(`account-${stream}`)])))
    await store.close()
    await until(
      async () =>
        (await database.sql('SELECT 1 FROM pg_stat_activity WHERE application_name = $1', [name])).length === 0,
    )
  })

  it('leave the parsers of pg alone, and are left alone by them', async () => {
    const { default: pg } = await import('pg')
    const { INT8 } = pg.types.builtins
    const before: unknown = pg.types.getTypeParser(INT8)
    pg.types.setTypeParser(INT8, (text) => BigInt(text))
    try {
      const store = await database.open()
      await append(store, [textAppend('account-1', 2)])
      expect(await positionsOf(store)).toEqual([1, 2])
      expect(pg.types.getTypeParser(INT8)('5')).toBe(5n)
    } finally {
      pg.types.setTypeParser(INT8, before as (text: string) => string)
    }
  })

  it.each(['hex', 'escape'])('bring back metadata and data to the letter, where bytes come as %s', async (output) => {
    const connectionString = `${database.connectionString}?options=-c%20bytea_output%3D${output}`
    const store = await database.open({ connectionString })
    const metadata = { zero: -0, list: [-0, 1, { deep: -0 }], nul: 'a\0b', half: '\ud800', $date: 5 }
    const data = ['{"a":-0,"b":1.0}', 'NUL \0 and half \udc00', '{"quoted":"\\"\\\\"}', '{}', 'NULL', '\\x00', '"', '']
    const bytes = [Uint8Array.of(0, 255, 92, 34), Uint8Array.of(92, 120, 48, 48), Uint8Array.of()]
    const events = [...data, ...bytes].map((each) => textEvent({ commandId: 'one', data: each, metadata }))
    await append(store, [{ streamId: 'account-1', category: 'BankAccount', expectedVersion: 0, events }])
    const stored = (await store.readStream('account-1')).events
    expect(stored.map((event) => event.data)).toEqual(events.map((event) => event.data))
    expect(stored[0]?.metadata).toEqual(metadata)
    expect(Object.is(stored[0]?.metadata['zero'], -0)).toBe(true)
  })
})
