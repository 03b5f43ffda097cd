import { afterAll, beforeAll, describe, it } from '@jest/globals'
import type { EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import fc from 'fast-check'
import { assertHoldsUnderConcurrency, concurrentWork } from '../../event-store/event-store-concurrency.ts'
import { assertBehavesAsModel, steps } from '../../event-store/event-store-model.ts'
import { freshDatabase, type FreshDatabase } from '../../support/postgres-server.ts'
import { SpareSchemas } from './spare-schemas.ts'
import { withinPatience } from '../../support/within-patience.ts'

describe('postgresEventStore', () => {
  let database: FreshDatabase
  const schemas = new SpareSchemas(() => database.connectionString)

  beforeAll(async () => {
    database = await freshDatabase()
  }, 180_000)
  afterAll(() => database.drop())

  async function withStore(use: (store: EventStore) => Promise<void>): Promise<void> {
    const schema = schemas.take()
    const store = postgresEventStore({ connectionString: database.connectionString, schema, listen: false })
    await store.open()
    try {
      await use(store)
    } finally {
      await store.close()
      await schemas.giveBack(schema)
    }
  }

  it('behaves as a plain list of events does, whatever is asked of it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (plan) => withStore((store) => assertBehavesAsModel(store, plan))),
      { numRuns: 25, ...withinPatience },
    )
  }, 120_000)

  it('keeps its promises to writers and readers in whatever order they come', async () => {
    await fc.assert(
      fc.asyncProperty(concurrentWork, fc.scheduler(), (work, scheduler) =>
        withStore((store) => assertHoldsUnderConcurrency(store, work, scheduler)),
      ),
      { numRuns: 20, ...withinPatience },
    )
  }, 120_000)
})
