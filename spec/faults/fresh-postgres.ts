import { afterEach, beforeEach } from '@jest/globals'
import { freshDatabase, type FreshDatabase } from '../support/postgres-server.ts'
import type { StoreConfiguration } from './node-configuration.ts'

/** Called once in a `describe` block: for each spec of it, a store in a database of its own. */
export function freshPostgres(): Extract<StoreConfiguration, { readonly kind: 'postgres' }> {
  let database: FreshDatabase
  beforeEach(async () => {
    database = await freshDatabase()
  }, 60_000)
  afterEach(() => database.drop())
  return {
    kind: 'postgres',
    get connectionString() {
      return database.connectionString
    },
  }
}
