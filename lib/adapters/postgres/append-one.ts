import type { StreamAppendResult } from '../../event-store/event-store.ts'
import type { NewEvent } from '../../event-store/stored-event.ts'
import { expectedNumber, type AppendCall } from './append-batch.ts'
import { elementsOf, hexOf } from './array-literal.ts'
import type { Parameter, Row } from './database.ts'
import { dataColumns, metadataColumn } from './stored-data.ts'

/** The short way for one event into one stream: half of what a batch of one costs. */
export const APPEND_ONE_SQL = `SELECT "edict".append_one(${Array.from({ length: 17 }, (_, index) => `$${index + 1}`).join(', ')})`

/** The parameters, or undefined where a call is not of this kind. */
export function appendOneParameters({ streams }: AppendCall): Parameter[] | undefined {
  const [append] = streams
  if (streams.length !== 1 || append?.events.length !== 1) return undefined
  const event = append.events[0] as NewEvent
  const { format, text, bytes } = dataColumns(event.data)
  return [
    append.streamId,
    append.category,
    expectedNumber(append.expectedVersion),
    event.commandId,
    append.deduplicate !== false,
    event.eventId,
    event.type,
    event.schemaVersion,
    event.contentType,
    format,
    text,
    bytes && `\\x${hexOf(bytes)}`,
    metadataColumn(event.metadata),
    event.causationId,
    event.correlationId,
    event.tenant ?? null,
    event.createdAt,
  ]
}

/** What became of it, or undefined where the stream did not take it. */
export function appendOneAnswer(row: Row | undefined): Extract<StreamAppendResult, { status: 'appended' }> | undefined {
  const places = row?.[0]
  if (typeof places !== 'string') return undefined
  const [streamVersion, firstPosition] = elementsOf(places) as [string, string]
  return { status: 'appended', streamVersion: Number(streamVersion), firstPosition: Number(firstPosition) }
}
