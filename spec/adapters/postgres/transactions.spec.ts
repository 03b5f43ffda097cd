import { describe, expect, it } from '@jest/globals'
import type { ClientBase } from 'pg'
import { projectionsOf } from '../../../lib/event-store/checked-projection-store.ts'
import { append, testDatabase, textAppend, until } from './test-database.ts'

const never = new Promise<never>(() => undefined)

describe('a transaction on postgresEventStore whose work never ends', () => {
  const database = testDatabase()

  it('fails after statementTimeout, can write nothing when it goes on late, and keeps nobody from closing', async () => {
    await database.make().migrate()
    const store = await database.open({ statementTimeout: 1_000, maxConnections: 1 })
    let late: ClientBase | undefined
    const hanging = projectionsOf(store).transaction(async (tx) => {
      late = tx as ClientBase
      await late.query(`CREATE TABLE ${database.schema}.balances (amount INTEGER)`)
      await never
    })
    await expect(hanging).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'not-executed',
      message: expect.stringContaining('longer than statementTimeout'),
    })
    await expect(late?.query('SELECT 1')).rejects.toThrow()
    expect(await append(store, [textAppend('account-1')])).toMatchObject([{ status: 'appended' }])
    expect(await database.sql("SELECT to_regclass('edict.balances') AS found")).toEqual([{ found: null }])
    await store.close()
  })

  it('fails as soon as its connection is gone', async () => {
    const name = `hanging ${database.schema}`
    const store = await database.open({ application_name: name, listen: false })
    const hanging = projectionsOf(store).transaction(() => never)
    let failed = false
    const told = expect(hanging.finally(() => (failed = true))).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'not-executed',
    })
    await until(async () => {
      await database.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = $1 AND state = 'idle in transaction'`,
        [name],
      )
      return failed
    })
    await told
    await store.close()
  })

  it('does not keep the store from closing', async () => {
    const store = await database.open()
    const hanging = projectionsOf(store).transaction(() => never)
    const told = expect(hanging).rejects.toMatchObject({
      code: 'store_failed',
      outcome: 'not-executed',
      message: expect.stringContaining("the store's close"),
    })
    await until(async () => {
      const begun = await database.sql(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
      )
      return begun.length > 0
    })
    await Promise.all([store.close(), told])
  })

  it('is told what its own statement failed by, where the connection goes meanwhile', async () => {
    const store = await database.open()
    const failing = projectionsOf(store).transaction(async (tx) => {
      const client = tx as ClientBase
      await client.query('SELECT pg_terminate_backend(pg_backend_pid())').catch((cause: unknown) => {
        throw new Error('the work says it', { cause })
      })
    })
    await expect(failing).rejects.toThrow('the work says it')
  })
})
