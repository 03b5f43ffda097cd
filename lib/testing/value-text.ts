import { textOf } from './same-value.ts'

const MOST_BYTES = 20

/** A value as text of several lines, for people who compare two of them. Keys stand in the order of the alphabet. */
export function valueText(value: unknown, indent = '', parents: readonly object[] = []): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  if (typeof value === 'function') return value.name === '' ? 'a function without a name' : `function ${value.name}`
  if (typeof value !== 'object' || value === null) return String(value)
  if (parents.includes(value)) return '(itself)'
  const inner = [...parents, value]
  const within = `${indent}  `
  const shown = (one: unknown): string => valueText(one, within, inner)
  if (value instanceof Date) return `Date ${Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString()}`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value instanceof Uint8Array) {
    const more = value.length > MOST_BYTES ? ' …' : ''
    return `bytes (${value.length}) ${Array.from(value.subarray(0, MOST_BYTES)).join(' ')}${more}`
  }
  if (Array.isArray(value)) return block('[', Array.from<unknown, string>(value, shown), ']', indent)
  if (value instanceof Set) return block('Set {', Array.from<unknown, string>(value, shown), '}', indent)
  if (value instanceof Map) {
    const entries = Array.from<[unknown, unknown], string>(value, ([key, one]) => `${shown(key)} => ${shown(one)}`)
    return block('Map {', entries, '}', indent)
  }
  const keys = Object.keys(value).sort()
  const text = textOf(value)
  if (keys.length === 0 && text !== undefined) return text
  return block(
    '{',
    keys.map((key) => `${keyText(key)}: ${shown(Reflect.get(value, key))}`),
    '}',
    indent,
  )
}

function keyText(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? key : JSON.stringify(key)
}

function block(opening: string, lines: readonly string[], closing: string, indent: string): string {
  if (lines.length === 0) return opening + closing
  return `${opening}\n${lines.map((line) => `${indent}  ${line},\n`).join('')}${indent}${closing}`
}
