import type { ResolvedOptions } from '../dispatch/options.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { ConsistencyTimeoutError } from '../errors.ts'
import type { Committed } from './unit-commit.ts'
import type { UnitOfWorkResult } from './unit-run.ts'

/**
 * Waits until those handlers have handled what a unit stored that its consistency names, and until all have handled its synchronous
 * events.
 *
 * @throws {ConsistencyTimeoutError} `consistency_timeout`, which says that it is stored
 */
export async function waitForHandlers(
  { board, codec }: DispatchServices,
  { consistency, consistencyTimeout }: ResolvedOptions,
  result: UnitOfWorkResult,
  synchronous: Committed['synchronous'],
): Promise<void> {
  const awaited = board.resolve(consistency)
  if (awaited.length === 0 && synchronous === undefined) return
  const events = codec.asRead(result.events)
  const laggards = await board.wait(
    events,
    awaited,
    consistencyTimeout,
    undefined,
    synchronous && codec.asRead(synchronous),
  )
  if (laggards.length === 0) return
  throw new ConsistencyTimeoutError(
    `the unit of work is stored, but not handled by ${laggards.join(', ')} after ${consistencyTimeout} ms`,
    laggards,
    result,
  )
}
