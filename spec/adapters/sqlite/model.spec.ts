import { describe, it } from '@jest/globals'
import { sqliteEventStore } from 'edict/sqlite'
import fc from 'fast-check'
import { assertBehavesAsModel, steps } from '../../event-store/event-store-model.ts'
import { temporaryFile } from './temporary-file.ts'

describe('sqliteEventStore', () => {
  it('behaves as a plain list of events does, whatever is asked of it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const { path, remove } = temporaryFile()
        const store = sqliteEventStore(path)
        try {
          await store.open()
          await assertBehavesAsModel(store, plan)
          await store.close()
        } finally {
          remove()
        }
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})
