import { CommandInterruptedError, DeadlineExceededError, isEdictError, type EdictError } from '../errors.ts'
import type { QueuedCommand } from '../event-store/command-queue-store.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { Executed } from '../dispatch/executed.ts'
import type { QueueServices } from './queue-services.ts'
import { dispatchOptions, readCommand } from './stored-command.ts'
import { outcomeIn, storedFailure } from './stored-failure.ts'
import { storedResult } from './stored-result.ts'
import { endingOf, type Ending } from './verdict.ts'

type CameOf = Omit<Attempted, 'since'>

/** What came of one attempt at a command. */
export interface Attempted {
  readonly ending: Ending
  /** As the dispatch gave it. */
  readonly result?: ExecutionResult
  /** As the dispatch rejected with it. */
  readonly error?: EdictError | undefined
  /** When it began, by the telemetry's `moment`. */
  readonly since: number
}

/**
 * One attempt of a worker at a stored command, by the application's own dispatch under the command's own id. Where an attempt before took
 * effect and nobody could say so, the dispatch answers with that effect.
 */
export async function attempt(
  services: QueueServices,
  command: QueuedCommand,
  signal: AbortSignal,
): Promise<Attempted> {
  const since = services.dispatching.telemetry.moment()
  return { ...(await outcome(services, command, signal)), since }
}

async function outcome(services: QueueServices, command: QueuedCommand, signal: AbortSignal): Promise<CameOf> {
  const { dispatcher, dispatching } = services
  const { deadline = Infinity } = command
  const beganInTime = dispatching.clock.now() < deadline
  try {
    const hopeless = await beyondHope(services, command)
    if (hopeless !== undefined) return { ending: hopeless }
    const sealed = await readCommand(services, command)
    const result = await dispatcher.dispatch(sealed, dispatchOptions(command, signal))
    return { ending: completed(services, command, result), result }
  } catch (thrown) {
    const error = isEdictError(thrown) ? thrown : undefined
    if (error?.outcome === 'executed') return tookEffect(services, command, error)
    return { ending: endingOf(thrown, command, services, beganInTime), error }
  }
}

export function completed(services: QueueServices, command: QueuedCommand, result: ExecutionResult): Ending {
  return { state: 'completed', result: storedResult(result, command.tenant, services.dispatching.logger) }
}

/** It took effect, whatever came after: that is the outcome, and is told to whoever waits for it as the dispatch tells it. */
export function tookEffect(services: QueueServices, command: QueuedCommand, error: EdictError): CameOf {
  // Where an error has one, it is what a dispatch would have given.
  const result = error.executionResult as Executed | undefined
  if (result !== undefined) return { ending: completed(services, command, result), result }
  return { ending: { state: 'dead', failure: storedFailure(error), failed: true }, error }
}

/** What is not to be begun (any more): unless it took effect before, which is worth a look. */
async function beyondHope(services: QueueServices, command: QueuedCommand): Promise<Ending | undefined> {
  const { dispatching, dispatcher, policy } = services
  const { deadline, attempts, type, commandId, streamId, changedAt } = command
  // By the store's clock too, by which it is expired for everybody else: it was claimed when its state changed.
  const isLate = deadline !== undefined && Math.max(dispatching.clock.now(), changedAt) >= deadline
  // It was never begun more often than that: those who began it have died of it.
  const isPoison = attempts >= policy.maxAttempts
  if (!isLate && !isPoison) return undefined
  const events = await dispatching.store.readCommand(streamId, commandId)
  if (events.length > 0) return undefined
  const failure = command.failure ?? storedFailure(new CommandInterruptedError(type, commandId))
  // Also one that was replayed, whose attempts are counted anew.
  const wasBegun = attempts > 0 || command.failure !== undefined
  // A unit of work may have written to other streams alone: then nobody knows, and it cannot be said that it never ran.
  const plan = dispatcher.planFor(type)
  const isDoubtful = wasBegun && plan?.route.unit !== undefined && outcomeIn(failure) === 'unknown'
  if (isLate && !isDoubtful) {
    // A middleware may have said whose it is, so that it is elsewhere: its dispatch finds it there, and runs nothing that is too late.
    const isTooLateHere = dispatching.clock.now() >= deadline
    if (wasBegun && !isPoison && isTooLateHere && plan?.chain !== undefined) return undefined
    return { state: 'expired', failure: storedFailure(new DeadlineExceededError(type, deadline, 'not-executed')) }
  }
  return { state: 'dead', failure, failed: false }
}
