import type {
  CommandCount,
  CommandState,
  ListCommandsOptions,
  QueuedCommand,
} from '../../event-store/command-queue-store.ts'
import { OBJECT_CONTENT_TYPE } from '../../event-store/stored-event.ts'
import { handedOver } from '../../messages/immutable.ts'
import type { QueueEntry } from './command-group.ts'
import { detached } from './rows.ts'

/** What is forgotten after a while; dead letters are kept. */
export const OVER: ReadonlySet<CommandState> = new Set(['completed', 'rejected', 'expired', 'cancelled', 'discarded'])

/** A key is its tenant's own, and no tenant is none of them. */
export function keyOf({
  tenant,
  idempotencyKey,
}: Pick<QueuedCommand, 'tenant' | 'idempotencyKey'>): string | undefined {
  // No text holds a NUL: the checks in front refuse it.
  return idempotencyKey === undefined ? undefined : `${tenant ?? ''}\0${idempotencyKey}`
}

export function shown({ command }: QueueEntry): QueuedCommand {
  const { contentType, data } = command
  const own = contentType === OBJECT_CONTENT_TYPE ? handedOver(data) : detached(data, contentType)
  return own === data ? command : Object.freeze({ ...command, data: own })
}

export function isWanted(command: QueuedCommand, options: ListCommandsOptions): boolean {
  const { states, types, streamId, tenant, correlationId, after = 0 } = options
  return (
    command.position > after &&
    states?.includes(command.state) !== false &&
    types?.includes(command.type) !== false &&
    (streamId ?? command.streamId) === command.streamId &&
    (tenant ?? command.tenant) === command.tenant &&
    (correlationId ?? command.correlationId) === command.correlationId
  )
}

export function countsOf(
  entries: Iterable<QueueEntry>,
  states: readonly CommandState[] | undefined,
): readonly CommandCount[] {
  const counts = new Map<string, CommandCount>()
  for (const { command } of entries) {
    const { state, lane, dueAt } = command
    if (states?.includes(state) === false) continue
    const kind = `${state} ${lane}`
    const { count, oldestDueAt = dueAt } = counts.get(kind) ?? { count: 0 }
    const oldest = OVER.has(state) ? undefined : Math.min(oldestDueAt, dueAt)
    counts.set(kind, { state, lane, count: count + 1, oldestDueAt: oldest })
  }
  return [...counts.values()]
}
