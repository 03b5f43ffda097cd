import { StoreError } from '../../errors.ts'
import type { Parameter, Queries, Row } from './database.ts'
import { isConnectionLost, isRefusedValue, isTransient, storeFailure } from './failure.ts'

/** How often a statement is tried that was in the way of another transaction. */
const MOST_TRIES = 5

/** Runs a statement that writes commands, in a transaction of its own. */
export async function writeCommands(
  queries: Queries,
  operation: string,
  sql: string,
  values: readonly Parameter[],
): Promise<readonly Row[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await queries.query(sql, values)
    } catch (thrown) {
      if (isTransient(thrown) && tries < MOST_TRIES) continue
      throw storeFailure(operation, thrown, isConnectionLost(thrown) ? 'unknown' : 'not-executed')
    }
  }
}

/** Whether a failure is that of one of the commands in a statement. */
export function isOfOneCommand(thrown: unknown): boolean {
  return thrown instanceof StoreError && isRefusedValue(thrown.cause)
}
