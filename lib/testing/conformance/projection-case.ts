import { projectionsOf } from '../../event-store/checked-projection-store.ts'
import type { ProjectionStore } from '../../event-store/projection-store.ts'
import { fail } from './assertions.ts'
import { unlessProjections, type CaseDefinition } from './conformance-case.ts'
import type { ProjectionHarness, StoreUnderTest } from './store-under-test.ts'

export const TABLE = 'balances_1'

export interface Projecting {
  readonly tested: StoreUnderTest
  readonly projections: ProjectionStore
  readonly harness: ProjectionHarness
}

/** A case on a store that has a table of a projection. */
export function projectionCase(name: string, run: (projecting: Projecting) => Promise<void>): CaseDefinition {
  return {
    name,
    skip: unlessProjections,
    run: async (tested) => {
      const projections = projectionsOf(tested.store)
      const { harness } = tested
      await projections.transaction(async (tx) => harness.createTable(tx, TABLE))
      await run({ tested, projections, harness })
    },
  }
}

/** What a transaction fails with, whatever it is. */
export async function failureOf(transaction: Promise<unknown>): Promise<unknown> {
  return transaction.then(
    () => fail('the transaction went through'),
    (thrown: unknown) => thrown,
  )
}
