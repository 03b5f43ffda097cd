import { describe, expect, it } from '@jest/globals'
import { AppendLockTimeoutError, InvalidOptionError, NotRunningError } from '../../../lib/errors.ts'
import { append, positionsOf, testDatabase, textAppend, until } from './test-database.ts'

describe('appendIn', () => {
  const database = testDatabase()

  it('commits the events with what else the transaction wrote', async () => {
    const store = await database.open()
    const client = await database.client()
    await client.query('CREATE TABLE orders (id text)')
    await client.query('BEGIN')
    await client.query("INSERT INTO orders VALUES ('a')")
    const answer = await store.appendIn(client, [textAppend('account-1', 2), textAppend('account-2')])
    expect(answer).toEqual([
      { status: 'appended', streamVersion: 2, firstPosition: 1 },
      { status: 'appended', streamVersion: 1, firstPosition: 3 },
    ])
    expect(await store.headPosition()).toBe(0)
    await client.query('COMMIT')
    expect(await positionsOf(store)).toEqual([1, 2, 3])
    await client.query('DROP TABLE orders')
  })

  it('leaves nothing behind where the transaction is rolled back, no gap either', async () => {
    const store = await database.open()
    const client = await database.client()
    await client.query('BEGIN')
    await store.appendIn(client, [textAppend('account-1', 5)])
    await client.query('ROLLBACK')
    expect(await store.readStreamInfo('account-1')).toBeUndefined()
    expect(await append(store, [textAppend('account-1')])).toEqual([
      { status: 'appended', streamVersion: 1, firstPosition: 1 },
    ])
  })

  it('answers all streams as an atomic append does', async () => {
    const store = await database.open()
    const client = await database.client()
    const known = textAppend('account-1')
    await append(store, [known])
    await client.query('BEGIN')
    const wrong = textAppend('account-1', 1, { expectedVersion: 7 })
    expect(await store.appendIn(client, [wrong, textAppend('account-2')])).toEqual([
      { status: 'version_conflict', actual: 1 },
      { status: 'abandoned' },
    ])
    const repeated = await store.appendIn(client, [known])
    expect(repeated).toEqual([{ status: 'repeated', events: (await store.readStream('account-1')).events }])
    await client.query('COMMIT')
    expect(await positionsOf(store)).toEqual([1])
  })

  it('does not weaken the durability of a transaction in which it wrote nothing', async () => {
    const store = await database.open()
    const client = await database.client()
    await client.query('BEGIN')
    await store.appendIn(client, [textAppend('account-1', 1, { expectedVersion: 3 })])
    const { rows } = await client.query<{ synchronous_commit: string }>('SHOW synchronous_commit')
    expect(rows[0]?.synchronous_commit).toBe('on')
    await client.query('ROLLBACK')
  })

  it('lets other appends wait until the transaction ends, so that positions stay in the order of commits', async () => {
    const store = await database.open()
    const client = await database.client()
    await client.query('BEGIN')
    await store.appendIn(client, [textAppend('account-1', 2)])
    let answered = false
    const other = Promise.resolve(append(store, [textAppend('account-2')])).finally(() => (answered = true))
    await until(async () => (await database.sql(WAITING)).length === 1)
    expect(answered).toBe(false)
    await client.query('COMMIT')
    expect(await other).toEqual([{ status: 'appended', streamVersion: 1, firstPosition: 3 }])
  })

  it('fails with append_lock_timeout where another transaction is in the way, and leaves the transaction usable', async () => {
    const store = await database.open()
    const [holding, waiting] = [await database.client(), await database.client()]
    await holding.query('BEGIN')
    await store.appendIn(holding, [textAppend('account-1')])
    await waiting.query('BEGIN')
    const attempt = store.appendIn(waiting, [textAppend('account-2')], { lockTimeout: 50 })
    await expect(attempt).rejects.toThrow(AppendLockTimeoutError)
    const { rows } = await waiting.query<{ lock_timeout: string }>('SHOW lock_timeout')
    expect(rows[0]?.lock_timeout).toBe('0')
    await holding.query('COMMIT')
    expect(await store.appendIn(waiting, [textAppend('account-2')])).toMatchObject([{ firstPosition: 2 }])
    await waiting.query('COMMIT')
    expect(await positionsOf(store)).toEqual([1, 2])
  })

  it('fails with append_lock_timeout rather than wait for ever for one who waits for it', async () => {
    const store = await database.open()
    const [one, other] = [await database.client(), await database.client()]
    for (const client of [one, other]) {
      await client.query("BEGIN; SET LOCAL deadlock_timeout = '50ms'")
    }
    await one.query('SELECT pg_advisory_xact_lock(1)')
    await store.appendIn(other, [textAppend('account-1')])
    const waiting = other.query('SELECT pg_advisory_xact_lock(1)')
    const attempt = store.appendIn(one, [textAppend('account-2')], { lockTimeout: 8_000 })
    const second = Promise.allSettled([waiting])
    const [first] = await Promise.allSettled([attempt])
    // PostgreSQL chooses which of the two it ends; the other one goes on, here once the lock from before is let go.
    if (first.status === 'rejected') {
      expect(first.reason).toBeInstanceOf(AppendLockTimeoutError)
      await one.query('ROLLBACK')
    }
    expect(await second).toMatchObject([{ status: first.status === 'rejected' ? 'fulfilled' : 'rejected' }])
  })

  it('refuses a client that is not in a transaction, and one in a transaction of another isolation', async () => {
    const store = await database.open()
    const client = await database.client()
    const append = () => store.appendIn(client, [textAppend('account-1')])
    await expect(append()).rejects.toThrow(InvalidOptionError)
    await expect(append()).rejects.toThrow('is not in a transaction')
    for (const isolation of ['REPEATABLE READ', 'SERIALIZABLE']) {
      await client.query(`BEGIN ISOLATION LEVEL ${isolation}`)
      await expect(append()).rejects.toThrow(`must be READ COMMITTED, not ${isolation}`)
      await client.query('ROLLBACK')
    }
    expect(await store.headPosition()).toBe(0)
  })

  it('refuses bad arguments, and a store that is not open', async () => {
    const store = await database.open()
    const client = await database.client()
    await client.query('BEGIN')
    await expect(store.appendIn(client, [])).rejects.toThrow(InvalidOptionError)
    await expect(store.appendIn(client, [textAppend('')])).rejects.toThrow('streamId')
    await expect(store.appendIn(client, [textAppend('a')], { lockTimeout: 0 })).rejects.toThrow('lockTimeout')
    await expect(store.appendIn(client, [textAppend('a')], { wait: 5 } as never)).rejects.toThrow('unknown option')
    await client.query('ROLLBACK')
    await store.close()
    await expect(store.appendIn(client, [textAppend('a')])).rejects.toThrow(NotRunningError)
  })

  it('tells those who listen once it is committed', async () => {
    const store = await database.open()
    const other = await database.open()
    const heads: (number | undefined)[] = []
    other.watch((head) => heads.push(head))
    await until(() => heads.length > 0)
    const client = await database.client()
    await client.query('BEGIN')
    await store.appendIn(client, [textAppend('account-1', 3)])
    await client.query('COMMIT')
    await until(() => heads.includes(3))
  })
})

/** Those of other specs wait in databases of their own. */
const WAITING = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 1162103124 AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
