import { StoreError } from '../../errors.ts'
import type {
  CommandState,
  Lane,
  NewQueuedCommand,
  QueuedCommand,
  StoredFailure,
} from '../../event-store/command-queue-store.ts'
import { fromColumn, needsUtf16, toUtf16, UTF16 } from './stored-data.ts'
import { metadataColumn, metadataOf } from './stored-metadata.ts'

/** The columns of a command, under the names of `CommandRow`. */
export const COMMAND_COLUMNS = `position, command_id AS commandId, state, stream_id AS streamId, lane, strict, by_caller AS byCaller,
  attempts, due_at AS dueAt, enqueued_at AS enqueuedAt, changed_at AS changedAt, created_at AS createdAt, deadline,
  expires_at AS expiresAt, depth, type,
  content_type AS contentType, fingerprint, idempotency_key AS idempotencyKey, tenant, causation_id AS causationId,
  correlation_id AS correlationId, metadata, options, failure, result, utf16, data`

/** The table is strict, so that each column holds what is said here. */
export interface CommandRow {
  readonly position: number
  readonly commandId: string
  readonly state: CommandState
  readonly streamId: string
  readonly lane: Lane
  readonly strict: 0 | 1
  readonly byCaller: 0 | 1
  readonly attempts: number
  readonly dueAt: number
  readonly enqueuedAt: number
  readonly changedAt: number
  readonly createdAt: number
  readonly deadline: number | null
  /** When it expires, as long as nobody has begun it. */
  readonly expiresAt: number | null
  readonly depth: number
  readonly type: string
  readonly contentType: string
  readonly fingerprint: string
  readonly idempotencyKey: string | null
  readonly tenant: string | null
  readonly causationId: string | null
  readonly correlationId: string | null
  readonly metadata: string | null
  readonly options: string | null
  readonly failure: string | null
  readonly result: string | null
  readonly utf16: number | null
  readonly data: unknown
}

/** @throws {StoreError} `store_failed`, with the command's place, where the row makes no sense */
export function commandOf(row: CommandRow): QueuedCommand {
  const { utf16, data, deadline, expiresAt: _, idempotencyKey, tenant, causationId, correlationId, ...rest } = row
  try {
    return {
      ...rest,
      strict: row.strict === 1,
      byCaller: row.byCaller === 1,
      deadline: deadline ?? undefined,
      idempotencyKey: idempotencyKey ?? undefined,
      tenant: tenant ?? undefined,
      causationId: causationId ?? row.commandId,
      correlationId: correlationId ?? row.commandId,
      metadata: metadataOf(row.metadata),
      options: metadataOf(row.options),
      failure: row.failure === null ? undefined : (JSON.parse(row.failure) as StoredFailure),
      result: row.result === null ? undefined : (JSON.parse(row.result) as unknown),
      data: fromColumn(data, utf16),
    }
  } catch (thrown) {
    throw new StoreError(
      `the sqlite event store has a damaged command ${row.commandId} at position ${row.position}: restore a backup`,
      { cause: thrown },
    )
  }
}

/** A row as it is at that time: nobody may have come by since its deadline. */
export function asOf(now: number, row: CommandRow): CommandRow {
  const { state, expiresAt, enqueuedAt } = row
  const isPending = state === 'queued' || state === 'delayed'
  if (!isPending || expiresAt === null || expiresAt > now) return row
  return { ...row, state: 'expired', changedAt: Math.max(expiresAt, enqueuedAt) }
}

/** A command as it is inserted. */
export function newCommandRow(
  command: NewQueuedCommand,
  state: CommandState,
  now: number,
  dueAt: number,
): Readonly<Record<string, unknown>> {
  const { commandId, streamId, lane, createdAt, depth, type, contentType, fingerprint, data } = command
  const utf16 = needsUtf16(data)
  return {
    ...{ commandId, state, streamId, lane, dueAt, now, createdAt, depth, type, contentType, fingerprint },
    strict: command.strict ? 1 : 0,
    byCaller: command.byCaller ? 1 : 0,
    deadline: command.deadline ?? null,
    expiresAt: command.byCaller ? null : (command.deadline ?? null),
    idempotencyKey: command.idempotencyKey ?? null,
    tenant: command.tenant ?? null,
    causationId: command.causationId === commandId ? null : command.causationId,
    correlationId: command.correlationId === commandId ? null : command.correlationId,
    metadata: metadataColumn(command.metadata),
    options: metadataColumn(command.options),
    utf16: utf16 ? UTF16 : null,
    data: utf16 ? toUtf16(data) : data,
  }
}
