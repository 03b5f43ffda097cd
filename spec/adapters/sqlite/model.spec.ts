import { describe, it } from '@jest/globals'
import { sqliteEventStore } from 'edict/sqlite'
import fc from 'fast-check'
import { assertHoldsUnderConcurrency, concurrentWork } from '../../event-store/event-store-concurrency.ts'
import { assertBehavesAsModel, steps } from '../../event-store/event-store-model.ts'
import { temporaryFile } from './temporary-file.ts'
import { withinPatience } from '../../support/within-patience.ts'

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
      { numRuns: 60, ...withinPatience },
    )
  }, 120_000)

  it('keeps its promises to writers and readers in whatever order they come', async () => {
    await fc.assert(
      fc.asyncProperty(concurrentWork, fc.scheduler(), async (work, scheduler) => {
        const { path, remove } = temporaryFile()
        const store = sqliteEventStore(path)
        try {
          await store.open()
          await assertHoldsUnderConcurrency(store, work, scheduler)
          await store.close()
        } finally {
          remove()
        }
      }),
      { numRuns: 20, ...withinPatience },
    )
  }, 120_000)
})
