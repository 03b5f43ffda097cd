import { describeThrown, StoreError } from '../../errors.ts'
import { NO_METADATA } from '../../event-store/frozen-metadata.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import type { Metadata } from '../../messages/recorded-event.ts'
import type { Row } from './database.ts'
import { dataOf, metadataOf } from './stored-data.ts'

/**
 * What is read of an event beside its stream and category, in this order. What an event mostly has is null here: each text that is
 * sent costs more than that comparison.
 */
export const EVENT_COLUMNS = [
  'e.position',
  'e.stream_version',
  'e.schema_version',
  'e.created_at',
  'e.data_format',
  'e.event_id',
  'e.type',
  'e.command_id',
  'nullif(e.causation_id, e.command_id) AS causation_id',
  'nullif(e.correlation_id, e.command_id) AS correlation_id',
  'e.tenant',
  'e.content_type',
  "nullif(e.metadata, '{}') AS metadata",
  'e.data',
  'e.data_bytes',
].join(', ')

/** How many they are. */
export const EVENT_COLUMN_COUNT = 15

/**
 * The event whose columns begin at `at` of a row.
 *
 * @throws {StoreError} `store_failed`, with the event's place, where the row makes no sense
 */
export function eventOf(row: Row, at: number, streamId: string, category: string): StoredEvent {
  // None of them is null but those that are looked at in `row`.
  const columns = row as readonly string[]
  const format = columns[at + 4] as string
  const commandId = columns[at + 7] as string
  const tenant = row[at + 10] as string | null
  const event = {
    eventId: columns[at + 5] as string,
    type: columns[at + 6] as string,
    schemaVersion: Number(columns[at + 2]),
    contentType: columns[at + 11] as string,
    data: dataOf(format, row[at + 13] as string | null, row[at + 14] as string | null),
    metadata: row[at + 12] === null ? NO_METADATA : readMetadata(columns, at, streamId),
    commandId,
    causationId: row[at + 8] ?? commandId,
    correlationId: row[at + 9] ?? commandId,
    createdAt: Number(columns[at + 3]),
    streamId,
    category,
    streamVersion: Number(columns[at + 1]),
    position: Number(columns[at]),
  }
  if (tenant === null && format !== '3') return event
  return { ...event, ...(tenant !== null && { tenant }), ...(format === '3' && { tombstone: true as const }) }
}

function readMetadata(columns: readonly string[], at: number, streamId: string): Metadata {
  try {
    return metadataOf(columns[at + 12] as string)
  } catch (cause) {
    throw new StoreError(
      `the postgres event store has a damaged event, version ${columns[at + 1]} of ${streamId} at position ${columns[at]}: ` +
        `its metadata cannot be read: ${describeThrown(cause)}`,
      { cause },
    )
  }
}
