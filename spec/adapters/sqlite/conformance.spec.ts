import { describe, it, jest } from '@jest/globals'
import { eventStoreConformance, registerConformance } from 'edict/testing'
import { sqliteEventStore } from 'edict/sqlite'
import { projectionHarness } from './projection-harness.ts'
import { temporaryFile } from './temporary-file.ts'

// Of each case: a disk that others use too may be many times as slow as it mostly is.
jest.setTimeout(120_000)

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
