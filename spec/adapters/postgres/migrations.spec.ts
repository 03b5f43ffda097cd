import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { postgresEventStore } from 'edict/postgres'
import { SchemaMismatchError } from '../../../lib/errors.ts'
import { schemaDump } from './schema-dump.ts'
import { append, positionsOf, testDatabase, textAppend, textCommand } from './test-database.ts'

describe('the migrations of postgresEventStore', () => {
  const database = testDatabase()

  it('make the schema that is written down here', async () => {
    await database.make().migrate()
    expect(await schemaDump(database)).toMatchSnapshot()
  })

  it('are the same when they are run as SQL by other means', async () => {
    const store = database.make({ migrate: false })
    const sql = await store.migrationSql()
    const client = await database.client()
    await client.query(sql)
    const bySql = await schemaDump(database)
    await store.open()
    await append(store, [textAppend('account-1')])
    await client.query(`DROP SCHEMA ${database.schema} CASCADE`)
    await database.make().migrate()
    expect(await schemaDump(database)).toBe(bySql)
  })

  it('may be run again, and by many at once', async () => {
    const stores = Array.from({ length: 8 }, () => database.make())
    await Promise.all(stores.map((store) => store.migrate()))
    await Promise.all(stores.map(async (store) => store.open()))
    await append(stores[0]!, [textAppend('account-1')])
    await stores[1]!.migrate()
    expect(await positionsOf(stores[2]!)).toEqual([1])
    const applied = await database.sql('SELECT number FROM edict.migrations ORDER BY number')
    expect(applied.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('are not run by a store that is told not to, which says what to do', async () => {
    const opening = database.open({ migrate: false })
    await expect(opening).rejects.toThrow(SchemaMismatchError)
    await expect(opening).rejects.toThrow('is at migration 0, not 7: run its migrate() first')
  })

  it('of a newer version are left alone', async () => {
    await database.make().migrate()
    await database.sql("INSERT INTO edict.migrations (number, name) VALUES (8, 'from-the-future')")
    const attempts = [() => database.open(), () => database.open({ migrate: false }), () => database.make().migrate()]
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({ code: 'schema_mismatch', found: 8, expected: 7 })
    }
  })

  it('are undone whole where one of them fails', async () => {
    // A table of this name is in the way of the first one, after the schema was made.
    await database.sql(`CREATE SCHEMA ${database.schema}`)
    await database.sql('CREATE TABLE edict.snapshots (mine text)')
    await expect(database.open()).rejects.toMatchObject({ code: 'store_failed', outcome: 'not-executed' })
    const tables = await database.sql('SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace', [
      database.schema,
    ])
    expect(tables).toEqual([{ relname: 'snapshots' }])
  })

  it('are a command, too, which shows its SQL or runs it', async () => {
    const run = async (...more: string[]) => {
      const script = fileURLToPath(new URL('../../../lib/postgres/migrate.ts', import.meta.url))
      const line = ['--import', 'tsx', script, database.connectionString, '--schema', database.schema, ...more]
      return (await promisify(execFile)(process.execPath, line)).stdout
    }
    expect(await run('--sql')).toBe(await database.make().migrationSql())
    expect(await run()).toBe('')
    const store = await database.open({ migrate: false })
    await append(store, [textAppend('account-1')])
  })

  it('keep two stores in one database apart', async () => {
    const [one, other] = [await database.open(), await database.open({ schema: 'Another' })]
    await append(one, [textAppend('account-1', 2)])
    await append(other, [textAppend('account-1')])
    expect([await positionsOf(one), await positionsOf(other)]).toEqual([[1, 2], [1]])
  })

  it('run by one role serve another that may only use the tables', async () => {
    const role = `bank_${process.pid}_${database.schema}`
    await database.make().migrate()
    await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'bank'`)
    const url = new URL(database.connectionString)
    url.username = role
    url.password = 'bank'
    const connectionString = url.href

    const refused = postgresEventStore({ connectionString, schema: database.schema, migrate: false })
    const opening = Promise.resolve(refused.open())
    await expect(opening).rejects.toMatchObject({ code: 'store_failed', outcome: 'not-executed' })
    await expect(opening).rejects.toThrow('grant the role what it needs')

    await database.sql(`GRANT USAGE ON SCHEMA ${database.schema} TO ${role}`)
    await database.sql(`GRANT SELECT ON ALL TABLES IN SCHEMA ${database.schema} TO ${role}`)
    const reading = await database.open({ connectionString, migrate: false })
    const denied = Promise.resolve(append(reading, [textAppend('account-1')]))
    await expect(denied).rejects.toMatchObject({ code: 'store_failed', outcome: 'not-executed' })
    await expect(denied).rejects.toThrow('grant the role what it needs')

    await database.sql(`GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${database.schema} TO ${role}`)
    await database.sql(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${database.schema} TO ${role}`)
    // A store that would migrate has nothing to migrate, and so needs no more.
    const store = await database.open({ connectionString })
    await append(store, [textAppend('account-1', 2)])
    await append(store, [textAppend('account-1'), textAppend('account-2', 1, { expectedVersion: 5 })])
    const claim = await store.claimCheckpoint('balances', { owner: 'one', startAfter: 0 })
    expect(await store.saveCheckpoint({ ...claim!, position: 2 })).toBe(true)
    await store.deleteStream('account-1')
    expect(await positionsOf(store)).toEqual([1, 2, 3])
    await store.commands?.enqueue([textCommand('one')])
    const claimed = await store.commands?.claim({ owner: 'one', groups: 1, commandsOfEach: 1, lease: 60_000 })
    const hold = claimed?.claims[0]
    expect(await store.commands?.settle([{ commandId: 'one', hold, state: 'completed', result: null }])).toEqual([true])
    await store.close()
    await reading.close()
    await database.sql(`DROP OWNED BY ${role}`)
    await database.sql(`DROP ROLE ${role}`)
  })
})
