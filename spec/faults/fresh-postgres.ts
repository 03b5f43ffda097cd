import { afterEach, beforeEach } from '@jest/globals'
import { freshDatabase, type FreshDatabase } from '../support/postgres-server.ts'
import type { StoreConfiguration } from './node-configuration.ts'

type PostgresStore = Extract<StoreConfiguration, { readonly kind: 'postgres' }>

/** Runs what is to have a database of its own within a spec. */
export async function inFreshPostgres(body: (store: PostgresStore) => Promise<void>): Promise<void> {
  const { connectionString, drop } = await freshDatabase()
  try {
    await body({ kind: 'postgres', connectionString })
  } finally {
    await drop()
  }
}

/** Called once in a `describe` block: for each spec of it, a store in a database of its own. */
export function freshPostgres(): PostgresStore {
  let database: FreshDatabase
  beforeEach(async () => {
    database = await freshDatabase()
  }, 180_000)
  afterEach(() => database.drop())
  return {
    kind: 'postgres',
    get connectionString() {
      return database.connectionString
    },
  }
}
