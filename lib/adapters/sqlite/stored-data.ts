import { Buffer } from 'node:buffer'
import { isWellFormed } from '../../event-store/well-formed.ts'

/** In the column `utf16`: the blob is text. */
export const UTF16 = 1

/** Whether data is text with half of a surrogate pair in it, which UTF-8 has no bytes for. */
export function needsUtf16(data: unknown): data is string {
  return typeof data === 'string' && !isWellFormed(data)
}

export function toUtf16(text: string): Uint8Array {
  return Buffer.from(text, 'utf16le')
}

/** Data as it was given, of a column that holds text or a blob. */
export function fromColumn(data: unknown, utf16: unknown): unknown {
  if (!(data instanceof Uint8Array)) return data
  const { buffer, byteOffset, byteLength } = data
  if (utf16 === UTF16) return Buffer.from(buffer, byteOffset, byteLength).toString('utf16le')
  // The driver's Buffer is an own copy: a view of it gives no more than the bytes.
  return new Uint8Array(buffer, byteOffset, byteLength)
}
