import type { Metadata } from '../../messages/recorded-event.ts'

/** Stands for -0 until the text is there: JSON can say it, and JSON.stringify says 0. */
const MINUS_ZERO = '\u0000edict:-0\u0000'
const WRITTEN_MINUS_ZERO = JSON.stringify(MINUS_ZERO)

/** Metadata as a column has it: nothing where there are none, as mostly. JSON escapes what UTF-8 cannot hold. */
export function metadataColumn(metadata: Metadata): string | null {
  for (const key in metadata) if (Object.hasOwn(metadata, key)) return jsonOf(metadata)
  return null
}

function jsonOf(metadata: Metadata): string {
  if (!hasMinusZero(metadata)) return JSON.stringify(metadata)
  const text = JSON.stringify(metadata, (_key, value: unknown) => (Object.is(value, -0) ? MINUS_ZERO : value))
  return text.replaceAll(WRITTEN_MINUS_ZERO, '-0')
}

function hasMinusZero(value: unknown): boolean {
  if (value === 0) return Object.is(value, -0)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasMinusZero)
}

/** @throws {SyntaxError} where the column does not hold a JSON object */
export function metadataOf(column: string | null): Metadata {
  if (column === null) return {}
  const metadata: unknown = JSON.parse(column)
  // JSON has no other values than those of metadata.
  if (typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)) return metadata as Metadata
  throw new SyntaxError('the metadata are not a JSON object')
}
