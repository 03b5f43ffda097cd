import {
  CommandCancelledError,
  CommandDeadError,
  CommandExpiredError,
  CommandRejectedError,
  HaltedError,
  UniqueValueTakenError,
  VersionConflictError,
  describeThrown,
  isEdictError,
  type EdictError,
  type Outcome,
} from '../errors.ts'
import type { QueuedCommand, StoredFailure } from '../event-store/command-queue-store.ts'
import { asJson, fromJson } from './json-value.ts'

/** Enough to find the place; a stack may be as deep as a program likes. */
const LONGEST_STACK = 8_000
const LONGEST_MESSAGE = 4_000

/** An error as it is stored beside its command. */
export function storedFailure(error: unknown): StoredFailure {
  const code = isEdictError(error) ? error.code : 'command_failed'
  const name = error instanceof Error ? error.name : 'Error'
  const message = describeThrown(error).slice(0, LONGEST_MESSAGE)
  const details = detailsOf(error)
  const stack = readableStack(error)
  return { code, name, message, ...(details !== undefined && { details }), ...(stack !== undefined && { stack }) }
}

/** What a rejection is made of again; of other failures, whether the command may have taken effect. */
function detailsOf(error: unknown): unknown {
  if (error instanceof CommandRejectedError) return asJson(error.details)?.json
  if (error instanceof HaltedError) return asJson(error.response)?.json
  if (error instanceof UniqueValueTakenError) return { scope: error.scope }
  if (error instanceof VersionConflictError) return { expected: error.expected, actual: error.actual }
  return isEdictError(error) && error.outcome !== 'not-executed' ? { outcome: error.outcome } : undefined
}

/** What was thrown may be anything, also what throws where it is looked at: a failure that could not be stored would be tried for ever. */
function readableStack(error: unknown): string | undefined {
  try {
    return stackOf(error)
  } catch {
    return undefined
  }
}

/** Of what the user's code threw, rather than of Edict's own error around it. */
function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof CommandRejectedError) return undefined
  const { cause } = error
  const stack: unknown = cause instanceof Error ? cause.stack : error.stack
  return typeof stack === 'string' ? stack.slice(0, LONGEST_STACK) : undefined
}

/** The error that whoever waits for a command is given, where it is over and did not take effect. */
export function errorOf(command: QueuedCommand): EdictError {
  const { type, commandId, attempts } = command
  switch (command.state) {
    case 'rejected':
      return rejectionOf(command)
    case 'expired':
      return new CommandExpiredError(type, commandId)
    case 'cancelled':
      return new CommandCancelledError(type, commandId, outcomeIn(command.failure))
    default:
      return new CommandDeadError(type, commandId, attempts, {
        cause: causeOf(command.failure),
        outcome: outcomeIn(command.failure),
      })
  }
}

function rejectionOf({ type, streamId, failure }: QueuedCommand): EdictError {
  const { code = 'rejected', message = '', details } = failure ?? {}
  const found = (details ?? {}) as Readonly<Record<string, unknown>>
  switch (code) {
    case 'halted':
      return new HaltedError(message, fromStored(details))
    case 'value_taken':
      return new UniqueValueTakenError(type, String(found.scope))
    case 'version_conflict':
      return new VersionConflictError(streamId, Number(found.expected), Number(found.actual))
    default:
      return new CommandRejectedError(code, type, fromStored(details))
  }
}

function fromStored(details: unknown): unknown {
  return details === undefined ? undefined : fromJson(details)
}

function causeOf(failure: StoredFailure | undefined): Error | undefined {
  if (failure === undefined) return undefined
  const { code, message, name, stack } = failure
  return Object.assign(new Error(message), { code, name, ...(stack !== undefined && { stack }) })
}

/** Whether the command may have taken effect all the same. */
export function outcomeIn(failure: StoredFailure | undefined): Outcome {
  const { outcome } = (failure?.details ?? {}) as { readonly outcome?: unknown }
  return outcome === 'unknown' || outcome === 'executed' ? outcome : 'not-executed'
}
