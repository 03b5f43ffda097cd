import { describe, expect, it } from '@jest/globals'
import { postgresEventStore, type PostgresEventStoreOptions } from 'edict/postgres'
import { checkServerVersion } from '../../../lib/adapters/postgres/server-version.ts'
import { InvalidOptionError, UnsupportedVersionError } from '../../../lib/errors.ts'
import { withPooler } from './pooler.ts'
import { append, testDatabase, textAppend } from './test-database.ts'

describe('postgresEventStore, when it is made,', () => {
  // What a caller without a compiler may pass.
  const make = (options: unknown) => () => postgresEventStore(options as PostgresEventStoreOptions)

  it.each([
    ['an option that nobody would read', { connectionstring: 'postgres://' }, 'unknown option "connectionstring"'],
    ['no options', undefined, 'the options must be an object'],
    ['a schema that is no plain name', { schema: 'a"; DROP' }, 'schema must be of 1 to 40 letters'],
    ['a schema of PostgreSQL’s own', { schema: 'pg_edict' }, 'schema must be'],
    ['a schema whose name is too long', { schema: 'x'.repeat(41) }, 'schema must be'],
    ['no connections', { maxConnections: 0 }, 'maxConnections must be a whole number of at least 1'],
    ['half a millisecond', { statementTimeout: 0.5 }, 'statementTimeout must be a whole number'],
    ['a timeout of months', { statementTimeout: 5e9 }, 'statementTimeout must be at most'],
    ['a migrate that is no boolean', { migrate: 'no' }, 'migrate must be true or false, not "no"'],
    ['a listen that says not where', { listen: true }, 'listen must be false or { connectionString }'],
    ['an address that was never set', { connectionString: undefined }, 'connectionString must be a URL such as'],
    ['an empty address', { connectionString: '' }, 'connectionString must be a URL such as'],
    ['an address that is no URL', { connectionString: 'db.example' }, 'connectionString must be a URL such as'],
    [
      'an address that is said twice',
      { connectionString: 'postgres://a/b', host: 'c' },
      'give either connectionString or host',
    ],
    ['a listen without an address', { listen: { connectionString: '' } }, 'listen: connectionString must be a URL'],
    ['a listen with more', { listen: { connectionString: 'a', host: 'b' } }, 'unknown option "host"'],
  ])('refuses %s', (_what, options, message) => {
    expect(make(options)).toThrow(InvalidOptionError)
    expect(make(options)).toThrow(message)
  })
})

describe('checkServerVersion', () => {
  it.each(['140000', '150017', '180001', '190000'])('lets %s through', (version) => {
    expect(() => checkServerVersion(version)).not.toThrow()
  })

  it.each([
    ['130021', 'not 13'],
    ['90624', 'not 9'],
    ['', 'not 0'],
    ['soon', 'not "soon"'],
  ])('refuses %s', (version, message) => {
    expect(() => checkServerVersion(version)).toThrow(UnsupportedVersionError)
    expect(() => checkServerVersion(version)).toThrow(message)
  })
})

describe('postgresEventStore, when it is opened,', () => {
  const database = testDatabase()
  const at = (change: (url: URL) => void) => {
    const url = new URL(database.connectionString)
    change(url)
    return url.href
  }

  it.each([
    ['a server that is not there', (url: URL) => (url.port = '1'), 'ECONNREFUSED'],
    ['a wrong password', (url: URL) => (url.password = 'wrong'), 'look at user and password'],
    ['a database that is not there', (url: URL) => (url.pathname = '/nowhere'), 'create the database first'],
  ])('tells of %s, and that nothing was done', async (_what, change, message) => {
    const opening = Promise.resolve(postgresEventStore({ connectionString: at(change) }).open())
    await expect(opening).rejects.toMatchObject({ code: 'store_failed', outcome: 'not-executed' })
    await expect(opening).rejects.toThrow(message)
  })

  it('refuses a default isolation under which it would miss what others append, and opens once that is mended', async () => {
    const store = database.make()
    const name = new URL(database.connectionString).pathname.slice(1)
    await database.sql(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`)
    await expect(Promise.resolve(store.open())).rejects.toThrow('needs READ COMMITTED as the default of its role')
    await database.sql(`ALTER DATABASE ${name} RESET default_transaction_isolation`)
    await store.open()
    await append(store, [textAppend('account-1')])
  })

  it('refuses a setting under which what is not there would be stored as a text', async () => {
    const connectionString = at((url) => (url.search = '?options=-c%20array_nulls%3Doff'))
    await expect(Promise.resolve(postgresEventStore({ connectionString }).open())).rejects.toThrow(
      'needs array_nulls of its role to be on',
    )
  })

  it('refuses a database that cannot keep every text', async () => {
    const client = await database.client()
    const name = `latin_${database.schema}_${process.pid}`
    await client.query(`CREATE DATABASE ${name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
    const connectionString = at((url) => (url.pathname = `/${name}`))
    const opening = Promise.resolve(postgresEventStore({ connectionString }).open())
    await expect(opening).rejects.toThrow("whose encoding is UTF8, not LATIN1: create one with ENCODING 'UTF8'")
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`)
  })

  it('works behind a pooler in transaction mode, which takes no settings and no session', async () => {
    await withPooler(database.connectionString, async (connectionString) => {
      const store = await database.open({ connectionString, listen: false })
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, stream) => append(store, [textAppend(`account-${stream % 5}`)])),
      )
      expect(answers.flat().every(({ status }) => status === 'appended')).toBe(true)
      const held = await store.claimCheckpoint('balances', { owner: 'one', startAfter: 0, lease: 60_000 })
      const saved = await store.projections?.transaction((tx) => store.projections?.saveCheckpoint(tx, held!))
      expect(saved).toBe(true)
      expect(await store.headPosition()).toBe(20)
      await store.close()
    })
  })
})
