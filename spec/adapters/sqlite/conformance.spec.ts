import { describe, it } from '@jest/globals'
import { eventStoreConformance, registerConformance } from 'edict/testing'
import { sqliteEventStore } from 'edict/sqlite'
import { projectionHarness } from './projection-harness.ts'
import { temporaryFile } from './temporary-file.ts'

describe('sqliteEventStore', () => {
  const makeStore = () => {
    const { path, remove } = temporaryFile()
    return {
      store: sqliteEventStore(path),
      peer: () => sqliteEventStore(path),
      projections: projectionHarness(path),
      destroy: remove,
    }
  }
  const { capabilities } = sqliteEventStore('never-opened.db')
  registerConformance({ describe, it }, eventStoreConformance(makeStore, { capabilities }))
})
