import { describeThrown, StoreError } from '../../errors.ts'
import { NO_METADATA } from '../../event-store/frozen-metadata.ts'
import type { CommandState, Lane, QueuedCommand, StoredFailure } from '../../event-store/command-queue-store.ts'
import type { Row } from './database.ts'
import { dataOf } from './stored-data.ts'

/** What is read of a command, in this order. */
export const COMMAND_COLUMNS = [
  ...['position', 'enqueued_at', 'created_at', 'deadline', 'depth', 'lane', 'data_format', 'strict', 'by_caller'],
  ...['command_id', 'type', 'stream_id', 'causation_id', 'correlation_id', 'tenant', 'fingerprint', 'idempotency_key'],
  ...['content_type', 'metadata', 'options', 'data', 'data_bytes'],
  ...['state', 'due_at', 'attempts', 'failure', 'result', 'changed_at'],
]
/** Those of them that say where it stands. */
export const STANDING_COLUMNS = COMMAND_COLUMNS.slice(COMMAND_COLUMNS.indexOf('state'))

/**
 * The command whose columns begin at `at` of a row.
 *
 * @throws {StoreError} `store_failed`, with the command's id, where the row makes no sense
 */
export function commandOf(row: Row, at: number): QueuedCommand {
  // None of them is null but those that are looked at in `row`.
  const columns = row as readonly string[]
  const commandId = columns[at + 9] as string
  return {
    commandId,
    type: columns[at + 10] as string,
    data: dataOf(columns[at + 6] as string, row[at + 20] as string | null, row[at + 21] as string | null),
    contentType: columns[at + 17] as string,
    metadata: columns[at + 18] === '{}' ? NO_METADATA : record(columns[at + 18] as string, commandId),
    correlationId: row[at + 13] ?? commandId,
    causationId: row[at + 12] ?? commandId,
    tenant: row[at + 14] ?? undefined,
    streamId: columns[at + 11] as string,
    lane: Number(columns[at + 5]) as Lane,
    strict: columns[at + 7] === 't',
    fingerprint: columns[at + 15] as string,
    idempotencyKey: row[at + 16] ?? undefined,
    deadline: optionalNumber(row[at + 3]),
    depth: Number(columns[at + 4]),
    options: record(columns[at + 19] as string, commandId),
    createdAt: Number(columns[at + 2]),
    byCaller: columns[at + 8] === 't',
    position: Number(columns[at]),
    state: columns[at + 22] as CommandState,
    dueAt: Number(columns[at + 23]),
    attempts: Number(columns[at + 24]),
    failure: parsed(row[at + 25], commandId) as StoredFailure | undefined,
    result: parsed(row[at + 26], commandId),
    enqueuedAt: Number(columns[at + 1]),
    changedAt: Number(columns[at + 27]),
  }
}

function optionalNumber(column: string | null | undefined): number | undefined {
  return column === null || column === undefined ? undefined : Number(column)
}

function record(column: string, commandId: string): Readonly<Record<string, unknown>> {
  // What was written was one.
  return parsed(column, commandId) as Readonly<Record<string, unknown>>
}

function parsed(column: string | null | undefined, commandId: string): unknown {
  if (column === null || column === undefined) return undefined
  try {
    return JSON.parse(column)
  } catch (cause) {
    throw new StoreError(
      `the postgres event store has a damaged command, ${commandId}: it is no JSON: ${describeThrown(cause)}`,
      { cause },
    )
  }
}
