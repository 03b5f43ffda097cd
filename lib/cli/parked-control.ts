import type { Runner } from '../application/runners.ts'
import type { HandlerControl } from '../subscribers/handler-control.ts'
import { usageError } from './cli-error.ts'

/** The hands of code on a handler. @throws {CliError} for a projection, which has none */
export function controlOf(runner: Runner): HandlerControl {
  if ('replay' in runner) return runner
  throw usageError(
    `${runner.name} is a projection, which parks nothing and is not reset: see edict projections rebuild`,
  )
}
