import { describeThrown, StoreError } from '../../errors.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import type { Metadata } from '../../messages/recorded-event.ts'
import type { Kinds } from './kinds.ts'
import { fromColumn } from './stored-data.ts'
import { metadataOf } from './stored-metadata.ts'

/** The columns of an event in the order of `EventRow`; `e` is the table of events, `s` that of streams. */
export const EVENT_COLUMNS = `e.position, s.stream_id, e.version, e.kind, e.created_at, e.event_id, e.command_id, e.causation_id,
  e.correlation_id, e.tenant, e.metadata, e.utf16, e.data`

/** The tables are strict, so that each column holds what is said here. */
export type EventRow = readonly [
  position: number,
  streamId: string,
  version: number,
  kind: number,
  createdAt: number,
  eventId: string,
  commandId: string,
  causationId: string | null,
  correlationId: string | null,
  tenant: string | null,
  metadata: string | null,
  utf16: number | null,
  data: unknown,
]

/** @throws {StoreError} `store_failed`, with the event's place, where the row makes no sense */
export function eventOf(row: EventRow, kinds: Kinds): StoredEvent {
  const [position, streamId, streamVersion, kindNumber, createdAt, eventId, commandId, causationId, correlationId] = row
  const { category, type, schemaVersion, contentType } = kinds.at(kindNumber)
  const tenant = row[9]
  const data = row[12]
  const event = {
    eventId,
    type,
    schemaVersion,
    contentType,
    data: data === null ? undefined : fromColumn(data, row[11]),
    metadata: row[10] === null ? {} : readMetadata(row, row[10]),
    commandId,
    causationId: causationId ?? commandId,
    correlationId: correlationId ?? commandId,
    createdAt,
    streamId,
    category,
    streamVersion,
    position,
  }
  if (data === null) return tenant === null ? { ...event, tombstone: true } : { ...event, tenant, tombstone: true }
  if (typeof data !== 'string' && !(data instanceof Uint8Array))
    throw corrupt(row, 'its data are neither text nor binary')
  return tenant === null ? event : { ...event, tenant }
}

function readMetadata(row: EventRow, column: string): Metadata {
  try {
    return metadataOf(column)
  } catch (thrown) {
    throw corrupt(row, `its metadata cannot be read: ${describeThrown(thrown)}`, thrown)
  }
}

function corrupt([position, streamId, version]: EventRow, fault: string, cause?: unknown): StoreError {
  return new StoreError(
    `the sqlite event store has a damaged event, version ${version} of ${streamId} at position ${position}: ${fault}`,
    cause === undefined ? {} : { cause },
  )
}

/** Which of the numbers of a row is looked at. */
export const POSITION = 0
export const VERSION = 2

export interface ExpectedRows {
  readonly column: typeof POSITION | typeof VERSION
  readonly first: number
  readonly step: number
  readonly count: number
}

/** Rows are never skipped in silence: their numbers go up, or down, by one, and there are as many as there must be. */
export function assertGapless(
  rows: readonly EventRow[],
  { column, first, step, count }: ExpectedRows,
  of: string,
): void {
  for (let index = 0; index < count; index++) {
    const expected = first + index * step
    if (rows[index]?.[column] === expected) continue
    throw new StoreError(`the sqlite event store lacks ${of} ${expected}: the file is damaged, restore a backup`)
  }
}
