import { describe, it } from '@jest/globals'
import fc from 'fast-check'
import { inMemoryEventStore } from '../../../lib/adapters/in-memory/in-memory-event-store.ts'
import { assertHoldsUnderConcurrency, concurrentWork } from '../../event-store/event-store-concurrency.ts'
import { assertBehavesAsModel, steps } from '../../event-store/event-store-model.ts'
import { withinPatience } from '../../support/within-patience.ts'

describe('inMemoryEventStore', () => {
  it('behaves as a plain list of events does, whatever is asked of it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const store = inMemoryEventStore()
        await store.open()
        await assertBehavesAsModel(store, plan)
        await store.close()
      }),
      { numRuns: 300, ...withinPatience },
    )
  })

  it('keeps its promises to writers and readers in whatever order they come', async () => {
    await fc.assert(
      fc.asyncProperty(concurrentWork, fc.scheduler(), async (work, scheduler) => {
        const store = inMemoryEventStore()
        await store.open()
        await assertHoldsUnderConcurrency(store, work, scheduler)
        await store.close()
      }),
      { numRuns: 100, ...withinPatience },
    )
  })
})
