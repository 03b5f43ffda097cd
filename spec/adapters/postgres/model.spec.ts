import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { postgresEventStore } from 'edict/postgres'
import fc from 'fast-check'
import { assertBehavesAsModel, steps } from '../../event-store/event-store-model.ts'
import { freshDatabase, type FreshDatabase } from '../../support/postgres-server.ts'
import { SpareSchemas } from './spare-schemas.ts'

describe('postgresEventStore', () => {
  let database: FreshDatabase
  const schemas = new SpareSchemas(() => database.connectionString)

  beforeAll(async () => {
    database = await freshDatabase()
  }, 60_000)
  afterAll(() => database.drop())

  it('behaves as a plain list of events does, whatever is asked of it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const schema = schemas.take()
        const store = postgresEventStore({ connectionString: database.connectionString, schema, listen: false })
        await store.open()
        try {
          await assertBehavesAsModel(store, plan)
        } finally {
          await store.close()
          await schemas.giveBack(schema)
        }
      }),
      { numRuns: 25 },
    )
  }, 60_000)
})
