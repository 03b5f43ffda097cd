import { CommandContext, type ContextSource } from '../dispatch/command-context.ts'
import type { HandlerContext } from '../routing/handler-context.ts'
import type { Repository } from './repository.ts'
import { UnitScope, type UnitOfWorkScope } from './unit-scope.ts'
import type { UnitRun } from './unit-run.ts'

/** What a handler of `commandHandler(…)` may know beside the command's data. */
export interface UnitHandlerContext extends HandlerContext {
  readonly repository: Repository
  /** The unit of work that it runs in. It commits by itself when the handler is done. */
  readonly unitOfWork: UnitOfWorkScope
}

export class UnitContext extends CommandContext {
  readonly repository: UnitRun['repository']
  readonly unitOfWork: UnitScope

  constructor(source: ContextSource, run: UnitRun) {
    super(source)
    this.repository = run.repository
    this.unitOfWork = new UnitScope(run)
  }
}
