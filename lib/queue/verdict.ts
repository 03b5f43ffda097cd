import { backoffDelay } from '../effects/backoff.ts'
import {
  AbortedError,
  CommandRejectedError,
  DeadlineExceededError,
  HaltedError,
  NotRunningError,
  UniqueValueTakenError,
  VersionConflictError,
  isEdictError,
} from '../errors.ts'
import type { QueuedCommand, Settlement } from '../event-store/command-queue-store.ts'
import { outcomeIn, storedFailure } from './stored-failure.ts'
import type { QueueServices } from './queue-services.ts'

/** A settlement before it is known under which claim. */
export type Ending = Settlement extends infer Each
  ? Each extends Settlement
    ? Omit<Each, 'commandId' | 'hold'>
    : never
  : never

/** What no further attempt would mend: the command itself, or the code, is not what it should be. A replay may follow a deployment. */
const BEYOND_REPAIR: ReadonlySet<string> = new Set([
  'invalid_message',
  'unregistered_command',
  'invalid_identity',
  'invalid_option',
  'invalid_outcome',
  'dispatch_too_deep',
  'duplicate_command',
  'unsupported_capability',
  'category_mismatch',
  'tenant_mismatch',
  'stream_closed',
  'middleware_misuse',
])

/** What may end an attempt before it is known whether one before took effect. */
const BEFORE_A_LOOK: ReadonlySet<string> = new Set(['command_timeout', 'deadline_exceeded', 'mailbox_full', 'aborted'])

/** Whether the command was refused for good, which is an outcome, and not a failure. */
export function isRefusal(error: unknown, command: Pick<QueuedCommand, 'options'>): boolean {
  return (
    error instanceof CommandRejectedError ||
    error instanceof UniqueValueTakenError ||
    // A middleware said no.
    (error instanceof HaltedError && error.outcome === 'not-executed') ||
    // The form that it came from is out of date, and will not be of today again.
    (error instanceof VersionConflictError && command.options.expectedVersion !== undefined)
  )
}

/** What becomes of a command whose dispatch by a worker failed without effect, or perhaps with one. */
export function endingOf(
  error: unknown,
  command: QueuedCommand,
  { policy, random, dispatching: { clock } }: Pick<QueueServices, 'policy' | 'random' | 'dispatching'>,
  beganInTime: boolean,
): Ending {
  // Who stops has not failed at the command.
  if (error instanceof NotRunningError) return { state: 'queued' }
  const isDoubtful = isAsDoubtful(error, command)
  const failure = isDoubtful ? { ...storedFailure(error), details: { outcome: 'unknown' } } : storedFailure(error)
  if (isRefusal(error, command)) return { state: 'rejected', failure, failed: false }
  if (isPastDeadline(error) && !(isDoubtful && beganInTime)) return { state: 'expired', failure }
  if (isEdictError(error) && BEYOND_REPAIR.has(error.code)) return { state: 'dead', failure, failed: true }
  const attempts = command.attempts + 1
  if (attempts >= policy.maxAttempts) return { state: 'dead', failure, failed: true }
  // Once its deadline has passed it is not tried any more: that is to be seen then, and not when its turn would have come.
  const left = command.deadline === undefined ? Infinity : Math.max(0, command.deadline - clock.now())
  return { state: 'delayed', failure, delay: Math.ceil(Math.min(backoffDelay(policy.backoff, attempts, random), left)) }
}

/** Whether nobody knew what became of it, and this attempt may not have found out. */
function isAsDoubtful(error: unknown, { failure }: QueuedCommand): boolean {
  return isEdictError(error) && BEFORE_A_LOOK.has(error.code) && outcomeIn(failure) === 'unknown'
}

/** As `endingOf`, where the caller ran it: nobody tries it again by itself, since the caller has the error. */
export function endingOfCall(error: unknown, command: Pick<QueuedCommand, 'options'>): Ending {
  const failure = storedFailure(error)
  // A caller who aborted has taken it back.
  const refused = isRefusal(error, command) || error instanceof AbortedError
  if (refused) return { state: 'rejected', failure, failed: false }
  return isPastDeadline(error) ? { state: 'expired', failure } : { state: 'dead', failure, failed: true }
}

function isPastDeadline(error: unknown): boolean {
  return error instanceof DeadlineExceededError && error.outcome === 'not-executed'
}
