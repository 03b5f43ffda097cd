import { isRejection } from '../aggregate/rejection.ts'
import type { ContextSource } from '../dispatch/command-context.ts'
import { CommandFailedError, CommandRejectedError } from '../errors.ts'
import type { CommandHandlerBody } from '../routing/command-handler-body.ts'
import { CommittedBeforeSignal } from './unit.ts'
import { UnitContext } from './unit-context.ts'
import type { UnitRun } from './unit-run.ts'

/**
 * Runs the function of a command handler in a unit, which is to be committed after it. `asHandler` runs it as the one that dispatches.
 *
 * @returns what the handler returned
 * @throws {CommandRejectedError} where it returned `reject(…)`, or let a root's rejection through; CommandFailedError `command_failed`
 *   where it threw by itself; CommittedBeforeSignal where the command committed before
 */
export async function handleInUnit(
  run: UnitRun,
  handler: CommandHandlerBody,
  source: ContextSource,
  asHandler: (work: () => unknown) => unknown,
): Promise<unknown> {
  const { command } = source
  const { outcome, thrown } = await settled(async () =>
    asHandler(() => handler.handle(command, new UnitContext(source, run))),
  )
  run.end()
  const { committedBefore } = run.unit
  // Whatever the handler made of it, it has begun something that was done before.
  if (committedBefore !== undefined) throw new CommittedBeforeSignal(committedBefore)
  if (thrown !== undefined) {
    if (run.repository.hasThrown(thrown.cause)) throw thrown.cause
    throw new CommandFailedError(`the command handler of ${command.type}`, thrown.cause)
  }
  if (isRejection(outcome)) throw new CommandRejectedError(outcome.code, command.type, outcome.details)
  return outcome
}

async function settled(
  work: () => Promise<unknown>,
): Promise<{ readonly outcome?: unknown; readonly thrown?: { readonly cause: unknown } }> {
  try {
    return { outcome: await work() }
  } catch (cause) {
    return { thrown: { cause } }
  }
}
