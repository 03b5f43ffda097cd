import { DeadlineExceededError } from '../errors.ts'
import type { QueuedCommand, StoredFailure } from '../event-store/command-queue-store.ts'
import type { CommandStatus } from '../routing/command-receipt.ts'
import { priorityOf } from './lanes.ts'
import type { QueueServices } from './queue-services.ts'
import { storedData } from './stored-command.ts'

/** A stored command as users see it. */
export async function statusOf(services: QueueServices, command: QueuedCommand): Promise<CommandStatus> {
  const { commandId, position, type, state, strict, attempts, failure, streamId, tenant, idempotencyKey } = command
  const { correlationId, causationId, metadata, depth, deadline } = command
  return Object.freeze({
    ...{ commandId, position, type, data: await readable(services, command), state },
    priority: priorityOf(command.lane),
    ...{ strict, attempts, failure: failure ?? lateness(command), streamId, tenant, idempotencyKey },
    ...{ correlationId, causationId, metadata, depth },
    deadline: deadline === undefined ? undefined : new Date(deadline),
    dueAt: new Date(command.dueAt),
    enqueuedAt: new Date(command.enqueuedAt),
    changedAt: new Date(command.changedAt),
  })
}

/** Where a deadline passed before anybody looked, nobody wrote down what that means. */
function lateness({ state, type, deadline }: QueuedCommand): StoredFailure | undefined {
  if (state !== 'expired' || deadline === undefined) return undefined
  const { code, name, message } = new DeadlineExceededError(type, deadline, 'not-executed')
  return { code, name, message }
}

/** A command that nobody can read any more is still to be found, and to be given up. */
async function readable(services: QueueServices, command: QueuedCommand): Promise<unknown> {
  try {
    return await storedData(services, command)
  } catch {
    return undefined
  }
}
