import { StoreError } from '../../errors.ts'
import type { Row } from './database.ts'

export interface ExpectedRows {
  /** Where in a row its number is. */
  readonly at: number
  readonly first: number
  readonly step: 1 | -1
  readonly count: number
}

/** Rows are never skipped in silence: their numbers go up, or down, by one, and there are as many as there must be. */
export function assertGapless(rows: readonly Row[], { at, first, step, count }: ExpectedRows, of: string): void {
  for (let index = 0; index < count; index++) {
    const expected = first + index * step
    if (Number(rows[index]?.[at]) === expected) continue
    throw new StoreError(`the postgres event store lacks ${of} ${expected}: its tables are damaged, restore a backup`)
  }
}
