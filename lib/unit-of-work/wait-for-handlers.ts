import type { BoardHandler } from '../dispatch/consistency-board.ts'
import { handlersBehind, readByHandlers } from '../dispatch/handlers-behind.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import type { Committed } from './unit-commit.ts'
import type { UnitOfWorkResult } from './unit-run.ts'

/** For messages. */
const STORED = 'the unit of work'

/**
 * Waits until handlers have handled what a unit stored, and until all have handled its synchronous events.
 *
 * @param services those of the application
 * @param awaited what its consistency names, looked up before it began: a name that is none must not be found once all is stored
 * @param timeout milliseconds, or Infinity
 * @param result what the unit has stored
 * @param synchronous those of its events that every handler is waited for with
 * @throws {ConsistencyTimeoutError} `consistency_timeout`, which says that it is stored
 * @throws {UnreadableEventError} `unreadable_event`, which says so too
 */
export async function waitForHandlers(
  services: DispatchServices,
  awaited: readonly BoardHandler[],
  timeout: number,
  result: UnitOfWorkResult,
  synchronous: Committed['synchronous'],
): Promise<void> {
  if (awaited.length === 0 && synchronous === undefined) return
  const { board, codec, clock } = services
  const since = clock.now()
  const events = readByHandlers(codec, result.events, STORED, result)
  const now = synchronous && readByHandlers(codec, synchronous, STORED, result)
  const laggards = await board.wait(events, awaited, timeout, undefined, now)
  if (laggards.length > 0) throw handlersBehind(board, laggards, clock.now() - since, STORED, result)
}
