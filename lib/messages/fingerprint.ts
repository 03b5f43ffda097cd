import { v5 } from 'uuid'
import { jsonText } from './json-serializer.ts'
import { hasTextOfItsOwn } from './own-text.ts'

/** A name space of Edict's own for RFC 9562 name-based ids. */
const COMMAND_NAMESPACE = '5b1f3c1e-7c0a-5d43-9c3f-0d9b7a2c6e11'

/**
 * Says in 36 characters what a command is, so that a repeat can be told from another command under the same id. Two commands
 * have the same fingerprint where type and data are equal, whatever the order of their keys.
 */
export function fingerprint(command: { readonly type: string; readonly data: unknown }): string {
  return v5(`${command.type}\n${JSON.stringify(canonical(command.data))}`, COMMAND_NAMESPACE)
}

/** JSON with its keys in order. */
function canonical(data: unknown): unknown {
  return sorted(JSON.parse(jsonText(withoutInstances(data))))
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(sorted)
  const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)] as const)
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** A command may hold instances as identities: what counts of those is their text. */
function withoutInstances(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(withoutInstances)
  const prototype: unknown = Object.getPrototypeOf(value)
  if ((prototype === Object.prototype || prototype === null) && !hasTextOfItsOwn(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutInstances(item)]))
  }
  const isValue = value instanceof Date || value instanceof Map || value instanceof Set || value instanceof Uint8Array
  return isValue ? value : (value as { toString(): string }).toString()
}
