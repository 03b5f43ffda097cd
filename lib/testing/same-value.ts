import { hasTextOfItsOwn } from '../messages/own-text.ts'

/** Deep equality of values that messages and states may hold. Of which class a value is does not matter, only what it says. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (one instanceof Date || other instanceof Date) {
    return one instanceof Date && other instanceof Date && Object.is(one.getTime(), other.getTime())
  }
  if (one instanceof Map && other instanceof Map) return isSame([...one], [...other])
  if (one instanceof Set && other instanceof Set) return isSame([...one], [...other])
  if (one instanceof Uint8Array && other instanceof Uint8Array) {
    return one.length === other.length && one.every((byte, index) => byte === other[index])
  }
  if (kindOf(one) !== kindOf(other)) return false
  // What an identity says may be in private fields alone.
  if (textOf(one) !== textOf(other)) return false
  const keys = Reflect.ownKeys(one)
  return (
    keys.length === Reflect.ownKeys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(Reflect.get(one, key), Reflect.get(other, key)))
  )
}

function kindOf(value: object): string {
  if (Array.isArray(value)) return 'list'
  if (value instanceof Uint8Array) return 'binary'
  if (value instanceof Map) return 'map'
  return value instanceof Set ? 'set' : 'object'
}

/** The text that an identity gives of itself; undefined for other values. */
export function textOf(value: object): string | undefined {
  if (value instanceof Map || value instanceof Set || !hasTextOfItsOwn(value)) return undefined
  const text = (value as { toString(): string }).toString()
  // A plain object of another realm, such as a row that a native driver made, has no text of its own either.
  return text === '[object Object]' ? undefined : text
}
