import type { Serializer } from './serializer.ts'

// JSON with the values that JSON lacks written as an object of one key: {"$date":0}, {"$bigint":"1"}, {"$map":[[k,v]]},
// {"$set":[v]}, {"$binary":"base64"}, {"$number":"NaN"}, {"$undefined":true}. A user's own object of one key that begins with
// "$" is wrapped as {"$object":{…}}. Data without any of these is plain JSON, byte for byte.

type Plain = Record<string, unknown>

const TAG = '$'

function encodeValue(value: unknown): unknown {
  switch (typeof value) {
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return value
      return { $number: Object.is(value, -0) ? '-0' : String(value) }
    case 'bigint':
      return { $bigint: String(value) }
    case 'undefined':
      return { $undefined: true }
    case 'object':
      return value === null ? null : encodeObject(value)
    default:
      return value
  }
}

function encodeObject(value: object): unknown {
  if (Array.isArray(value)) return value.map(encodeValue)
  // An invalid Date has no time that JSON could carry: NaN becomes null.
  if (value instanceof Date) return { $date: value.getTime() }
  if (value instanceof Uint8Array) return { $binary: toBase64(value) }
  if (value instanceof Map) return { $map: [...value].map(([key, item]) => [encodeValue(key), encodeValue(item)]) }
  if (value instanceof Set) return { $set: [...value].map(encodeValue) }
  const entries = Object.entries(value).map(([key, item]) => [key, encodeValue(item)] as const)
  const encoded = Object.fromEntries(entries)
  return entries.length === 1 && entries[0]?.[0].startsWith(TAG) ? { $object: encoded } : encoded
}

/** Whether JSON has a text for all of a value, and one that is read back as the same. Most data is such, and need not be copied. */
function isPlainJson(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      return value === null || (Array.isArray(value) ? value.every(isPlainJson) : isPlainJsonObject(value))
    default:
      return false
  }
}

function isPlainJsonObject(value: object): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  let keys = 0
  let tagged = false
  for (const key in value) {
    if (!isPlainJson((value as Plain)[key])) return false
    keys++
    tagged = key.startsWith(TAG)
  }
  return keys !== 1 || !tagged
}

const decoders: Readonly<Record<string, (content: never) => unknown>> = {
  $number: (content: string) => (content === '-0' ? -0 : Number(content)),
  $bigint: (content: string) => BigInt(content),
  $undefined: () => undefined,
  $date: (content: number | null) => new Date(content ?? Number.NaN),
  $binary: (content: string) => fromBase64(content),
  $map: (content: [unknown, unknown][]) => new Map(content.map(([key, item]) => [decodeValue(key), decodeValue(item)])),
  $set: (content: unknown[]) => new Set(content.map(decodeValue)),
  $object: (content: Plain) => decodePlain(content),
}

function decodeValue(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(decodeValue)
  const keys = Object.keys(value)
  const [key] = keys
  if (keys.length === 1 && key?.startsWith(TAG) && Object.hasOwn(decoders, key)) {
    // Each tag's decoder knows what its own encoder wrote.
    return decoders[key]?.((value as Plain)[key] as never)
  }
  return decodePlain(value as Plain)
}

function decodePlain(value: Plain): Plain {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decodeValue(item)]))
}

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** A value that a message may hold, as text. */
export function jsonText(value: unknown): string {
  return JSON.stringify(isPlainJson(value) ? value : encodeValue(value))
}

/** The value that `jsonText` wrote. */
export function valueOfJsonText(text: string): unknown {
  const parsed: unknown = JSON.parse(text)
  return text.includes('"$') ? decodeValue(parsed) : parsed
}

/** The default serializer: JSON text that gives every value that a message may hold back exactly. */
export const jsonSerializer: Serializer = {
  contentType: 'application/json',
  encode: jsonText,
  decode: (encoded) => valueOfJsonText(typeof encoded === 'string' ? encoded : new TextDecoder().decode(encoded)),
}
