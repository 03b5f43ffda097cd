import { Buffer } from 'node:buffer'

/** A value as JSON shows it to people and scripts: what JSON has no word for becomes text or a list. */
export function plainJson(value: unknown, indent?: number): string {
  // JSON has no text for undefined, whatever its type says.
  const text = JSON.stringify(value, plain, indent) as string | undefined
  return text ?? 'null'
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Map) return [...value]
  if (value instanceof Set) return [...value]
  if (value instanceof Uint8Array) return `base64:${base64(value)}`
  if (value instanceof Error) return { name: value.name, message: value.message }
  return value
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** A text that comes from elsewhere, safe to show: it cannot move the cursor, nor make a second line. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
