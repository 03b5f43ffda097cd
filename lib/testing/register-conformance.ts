import type { ConformanceCase } from './event-store-conformance.ts'

/** The two functions that test runners share; jest, vitest, mocha and node:test have them. */
export interface TestRunner {
  readonly describe: (name: string, register: () => void) => unknown
  readonly it: {
    (name: string, run: () => Promise<void>): unknown
    readonly skip?: (name: string, run: () => Promise<void>) => unknown
  }
}

/**
 * Registers the cases of a conformance suite with a test runner, group by group. A case that is skipped says why in its name.
 *
 * @example
 * import { describe, it } from '@jest/globals'
 * import { inMemoryEventStore } from 'edict'
 * import { eventStoreConformance, registerConformance } from 'edict/testing'
 *
 * const { capabilities } = inMemoryEventStore()
 * registerConformance({ describe, it }, eventStoreConformance(inMemoryEventStore, { capabilities }))
 */
export function registerConformance({ describe, it }: TestRunner, cases: readonly ConformanceCase[]): void {
  for (const group of new Set(cases.map((each) => each.group))) {
    describe(group, () => {
      for (const each of cases) if (each.group === group) register(it, each)
    })
  }
}

function register(it: TestRunner['it'], one: ConformanceCase): void {
  const run = () => one.run()
  if (one.skip === undefined) {
    it(one.name, run)
    return
  }
  const name = `${one.name} (skipped: ${one.skip})`
  if (it.skip) it.skip(name, run)
  else it(name, () => Promise.resolve())
}
