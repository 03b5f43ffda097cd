import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { postgresEventStore } from 'edict/postgres'
import { eventStoreConformance, registerConformance } from 'edict/testing'
import { freshDatabase, type FreshDatabase } from '../../support/postgres-server.ts'
import { projectionHarness } from './projection-harness.ts'
import { SpareSchemas } from './spare-schemas.ts'

describe('postgresEventStore', () => {
  let database: FreshDatabase
  const schemas = new SpareSchemas(() => database.connectionString)

  beforeAll(async () => {
    database = await freshDatabase()
  }, 180_000)
  afterAll(() => database.drop())

  const makeStore = () => {
    const { connectionString } = database
    const schema = schemas.take()
    const make = () => postgresEventStore({ connectionString, schema })
    const projections = projectionHarness(connectionString)
    return { store: make(), peer: make, projections, destroy: () => schemas.giveBack(schema) }
  }
  const { capabilities } = postgresEventStore({})
  registerConformance({ describe, it }, eventStoreConformance(makeStore, { capabilities }))
})
