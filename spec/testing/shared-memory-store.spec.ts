import { describe, it } from '@jest/globals'
import { eventStoreConformance, registerConformance } from 'edict/testing'
import { sharedCapabilities, sharedMemoryStore } from './shared-memory-store.ts'

/** What no other spec shows without a database: that these groups can be passed. */
const groups = [
  'projections',
  'checkpoints in transactions',
  'several processes',
  'after a restart',
  'lifecycle',
  'bad arguments',
]

describe('the conformance suite, of a store that can do everything,', () => {
  const cases = eventStoreConformance(() => sharedMemoryStore(), { capabilities: sharedCapabilities })
  registerConformance(
    { describe, it },
    cases.filter(({ group }) => groups.includes(group)),
  )
})
