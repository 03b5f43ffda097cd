import { Buffer } from 'node:buffer'

/** ES2024, which every engine that Edict runs on has, and TypeScript's es2023 library does not know yet. */
interface WellFormedText {
  isWellFormed(): boolean
}

/** In the column `utf16`: the blob is text. */
export const UTF16 = 1

/** Whether data is text with half of a surrogate pair in it, which UTF-8 has no bytes for. */
export function needsUtf16(data: unknown): data is string {
  return typeof data === 'string' && !(data as unknown as WellFormedText).isWellFormed()
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
