import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { freshDatabase, onServer, type FreshDatabase } from '../support/postgres-server.ts'
import { countAppend } from './count-append.ts'
import { postgresReader } from './postgres-reader.ts'
import { until } from './node-process.ts'

let database: FreshDatabase
let store: EventStore

beforeEach(async () => {
  database = await freshDatabase()
  store = postgresEventStore({ connectionString: database.connectionString })
  await store.open()
  await store.append([countAppend('writer.0.1')])
}, 180_000)

afterEach(async () => {
  await store.close()
  await onServer(database.connectionString, `DROP OWNED BY ${role()}; DROP ROLE ${role()}`).catch(() => undefined)
  await database.drop()
})

/** Roles are shared by all databases of a server. */
function role(): string {
  return `role_of_${database.name}`
}

async function asRole(rights: string): Promise<EventStore> {
  await onServer(database.connectionString, `CREATE ROLE ${role()} LOGIN PASSWORD 'p'; ${rights}`)
  const url = new URL(database.connectionString)
  url.username = role()
  url.password = 'p'
  return postgresEventStore({ connectionString: url.href, migrate: false })
}

async function positions(): Promise<number[]> {
  const reader = postgresReader(database.connectionString)
  const rows = await reader.rowsAfter(0)
  await reader.close()
  return rows.map(({ position }) => position)
}

const refused = { code: 'store_failed', outcome: 'not-executed' }

describe('A PostgreSQL that does not let the store do its work', () => {
  it('is told of at the start, with the role’s right that is missing', async () => {
    const poor = await asRole('')
    await expect(poor.open()).rejects.toMatchObject({ ...refused, message: expect.stringContaining('grant the role') })
  }, 180_000)

  it('is told of by each append of a role that may only read, and nothing is stored', async () => {
    const reading = await asRole(
      `GRANT USAGE ON SCHEMA edict TO ${role()}; GRANT SELECT ON ALL TABLES IN SCHEMA edict TO ${role()}`,
    )
    await reading.open()
    await expect(reading.append([countAppend('writer.0.2')])).rejects.toMatchObject(refused)
    expect((await reading.readAll()).events.length).toBe((await positions()).length)
    await reading.close()
    expect(await positions()).toEqual([1, 2])
  }, 180_000)

  it('is told of while it only reads, and taken up again when it writes', async () => {
    const turn = async (on: boolean) => {
      const url = new URL(database.connectionString)
      // By another database: whoever comes to this one may only read.
      url.pathname = '/postgres'
      await onServer(
        url.href,
        `ALTER DATABASE ${database.name} SET default_transaction_read_only = ${on ? 'on' : 'off'}`,
      )
      await onServer(
        database.connectionString,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
    }
    const status = async (commandId: string): Promise<string> => {
      try {
        return (await store.append([countAppend(commandId)]))[0]!.status
      } catch (thrown) {
        return String(thrown)
      }
    }
    await turn(true)
    // The connections that were there are gone, which the first ones to use them are told.
    await until(
      async () => /25006|only reads/.test(await status('writer.0.2')),
      'the refusal of a database that only reads',
    )
    expect((await store.readAll()).events).toHaveLength(2)
    await turn(false)
    await until(async () => /appended|repeated/.test(await status('writer.0.2')), 'the append of one that writes again')
    expect(await positions()).toEqual([1, 2, 3, 4, 5])
  }, 180_000)

  it('is told of where its schema is older or newer, and is left as it is', async () => {
    await onServer(
      database.connectionString,
      ['settle_commands', 'change_commands', 'cancel_commands', 'purge_commands']
        .map((name) => `DROP FUNCTION edict.${name}; `)
        .join('') + 'DELETE FROM edict.migrations WHERE number >= 7',
    )
    const careful = postgresEventStore({ connectionString: database.connectionString, migrate: false })
    await expect(careful.open()).rejects.toMatchObject({ code: 'schema_mismatch' })
    const migrating = postgresEventStore({ connectionString: database.connectionString })
    await migrating.open()
    expect(await migrating.commands?.cancel(['nobody'])).toEqual([false])
    await migrating.close()
    await onServer(database.connectionString, `INSERT INTO edict.migrations (number, name) VALUES (99, 'of-tomorrow')`)
    const old = postgresEventStore({ connectionString: database.connectionString })
    await expect(old.open()).rejects.toMatchObject({ code: 'schema_mismatch' })
    expect(await positions()).toEqual([1, 2])
  }, 180_000)
})
