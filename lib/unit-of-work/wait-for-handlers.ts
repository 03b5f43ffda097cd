import type { ResolvedOptions } from '../dispatch/options.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { ConsistencyTimeoutError } from '../errors.ts'
import type { UnitOfWorkResult } from './unit-run.ts'

/**
 * Waits until those handlers have handled what a unit stored that its consistency names.
 *
 * @throws {ConsistencyTimeoutError} `consistency_timeout`, which says that it is stored
 */
export async function waitForHandlers(
  { board, codec }: DispatchServices,
  { consistency, consistencyTimeout }: ResolvedOptions,
  result: UnitOfWorkResult,
): Promise<void> {
  const awaited = board.resolve(consistency)
  if (awaited.length === 0 || result.events.length === 0) return
  const laggards = await board.wait(codec.asRead(result.events), awaited, consistencyTimeout)
  if (laggards.length === 0) return
  throw new ConsistencyTimeoutError(
    `the unit of work is stored, but not handled by ${laggards.join(', ')} after ${consistencyTimeout} ms`,
    laggards,
    result,
  )
}
