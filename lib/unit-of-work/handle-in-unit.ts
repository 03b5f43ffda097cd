import { MultiSteps } from '../aggregate/multi-steps.ts'
import { isRejection } from '../aggregate/rejection.ts'
import { ReplyWith } from '../aggregate/reply-with.ts'
import type { ContextSource } from '../dispatch/command-context.ts'
import { CommandFailedError, CommandRejectedError, InvalidOutcomeError } from '../errors.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
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
  refuseEvents(run, command.type, outcome)
  return outcome
}

/** Other command handlers return what is to be stored; here it would be lost. */
function refuseEvents({ unit }: UnitRun, type: string, outcome: unknown): void {
  if (outcome instanceof ReplyWith || outcome instanceof MultiSteps) {
    throw new InvalidOutcomeError(
      `the command handler of ${type} returned reply(…) or multi(…): raise events on an aggregate of its repository, and return the reply itself`,
    )
  }
  const events = (Array.isArray(outcome) ? outcome : [outcome]).filter(
    (item) => SealedMessage.definitionOf(item)?.kind === 'event',
  )
  if (events.length === 0) return
  const raised = new Set<unknown>(unit.roots.flatMap(({ runs }) => runs.flatMap((one) => one.events)))
  if (events.every((event) => raised.has(event))) return
  throw new InvalidOutcomeError(
    `the command handler of ${type} returned an event that no aggregate of its repository has raised: it would be lost`,
  )
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
