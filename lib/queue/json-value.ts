import { immutableCopy } from '../messages/immutable.ts'
import { jsonText, valueOfJsonText } from '../messages/json-serializer.ts'

// Replies of handlers and details of rejections are any value. Those that a message may hold are kept, as JSON.

/** As JSON; undefined where it is a value that no message may hold. */
export function asJson(value: unknown): { readonly json: unknown } | undefined {
  if (value === undefined) return undefined
  const copied = immutableCopy(value, { allowInstances: false })
  if ('issue' in copied) return undefined
  const json: unknown = JSON.parse(jsonText(copied.value))
  return { json }
}

/** What `asJson` was given. */
export function fromJson(json: unknown): unknown {
  return valueOfJsonText(JSON.stringify(json))
}
