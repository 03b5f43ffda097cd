import { describe, it } from '@jest/globals'
import { eventStoreConformance, registerConformance } from 'edict/testing'
import { inMemoryEventStore } from '../../../lib/adapters/in-memory/in-memory-event-store.ts'

describe('inMemoryEventStore', () => {
  const { capabilities } = inMemoryEventStore()
  registerConformance({ describe, it }, eventStoreConformance(inMemoryEventStore, { capabilities }))
})
