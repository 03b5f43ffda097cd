import { Buffer } from 'node:buffer'
import { NO_METADATA } from '../../event-store/frozen-metadata.ts'
import { isWellFormed } from '../../event-store/well-formed.ts'
import { jsonText, valueOfJsonText } from '../../messages/json-serializer.ts'
import type { Metadata } from '../../messages/recorded-event.ts'

/** How data is kept, as the column `data_format` says. */
export const TEXT = 0
const BYTES = 1
/** Text that UTF-8 has no bytes for, or that PostgreSQL refuses: its UTF-16 units, as bytes. */
export const UTF16 = 2
/** The data of a deleted event is gone. */
export const DELETED = 3

export interface DataColumns {
  readonly format: typeof TEXT | typeof BYTES | typeof UTF16
  readonly text: string | null
  readonly bytes: Uint8Array | null
}

/** Encoded data as its three columns have it. */
export function dataColumns(data: unknown): DataColumns {
  if (typeof data !== 'string') return { format: BYTES, text: null, bytes: data as Uint8Array }
  if (data.includes('\0') || !isWellFormed(data)) {
    return { format: UTF16, text: null, bytes: Buffer.from(data, 'utf16le') }
  }
  return { format: TEXT, text: data, bytes: null }
}

/** Data as it was given, of what PostgreSQL says of its columns in text. */
export function dataOf(format: string, text: string | null, bytes: string | null): unknown {
  if (format === '0') return text
  if (format === '3' || bytes === null) return undefined
  const buffer = bytesOf(bytes)
  if (format === '2') return buffer.toString('utf16le')
  // Not a Buffer, which others are not to know of, nor a part of a pool of them.
  return new Uint8Array(buffer)
}

/** As PostgreSQL writes bytes: \x and two digits for each or, where `bytea_output` is `escape`, most of them as a character. */
function bytesOf(text: string): Buffer {
  // The other way a backslash of the data is written twice.
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex')
  const unescaped = text.replace(/\\(\\|[0-7]{3})/g, (_escape, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  )
  return Buffer.from(unescaped, 'latin1')
}

/** Metadata as a column has it: JSON text, with what JSON lacks (-0) marked as the default serializer does. */
export function metadataColumn(metadata: Metadata): string {
  for (const key in metadata) if (Object.hasOwn(metadata, key)) return jsonText(metadata)
  return '{}'
}

export function metadataOf(column: string): Metadata {
  if (column === '{}') return NO_METADATA
  // What `metadataColumn` wrote was metadata.
  return valueOfJsonText(column) as Metadata
}
