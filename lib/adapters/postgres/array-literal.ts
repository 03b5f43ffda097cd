// PostgreSQL's text form of arrays, which is how the driver sends them: made here as it is made for every append, and the kind of
// each is known.

import { Buffer } from 'node:buffer'

const TO_ESCAPE = /["\\]/
const EVERY_TO_ESCAPE = /["\\]/g

export function textArray(values: readonly (string | null)[]): string {
  let literal = '{'
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as string | null
    if (index > 0) literal += ','
    if (value === null) literal += 'NULL'
    else literal += `"${TO_ESCAPE.test(value) ? value.replace(EVERY_TO_ESCAPE, '\\$&') : value}"`
  }
  return `${literal}}`
}

export function numberArray(values: readonly number[]): string {
  return `{${values.join(',')}}`
}

export function optionalNumberArray(values: readonly (number | undefined)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

export function booleanArray(values: readonly boolean[]): string {
  return `{${values.join(',')}}`
}

export function bytesArray(values: readonly (Uint8Array | null)[]): string {
  const elements = values.map((value) => (value === null ? 'NULL' : `"\\\\x${hexOf(value)}"`))
  return `{${elements.join(',')}}`
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** The elements of an array of PostgreSQL's that has neither quotes, nor nulls, nor arrays within. */
export function elementsOf(literal: string): string[] {
  return literal === '{}' ? [] : literal.slice(1, -1).split(',')
}
