import { unitHere } from './unit-run.ts'
import { UnitScope, type UnitOfWorkScope } from './unit-scope.ts'

/**
 * The unit of work that this code runs in: that of the command handler, or of `unitOfWork(…)`, that has led to it. Undefined where there
 * is none, and on platforms without an asynchronous context (browsers).
 *
 * @example
 * currentUnitOfWork()?.afterCommit(({ events }) => console.log(events.length))
 */
export function currentUnitOfWork(): UnitOfWorkScope | undefined {
  const run = unitHere()
  return run && new UnitScope(run)
}
