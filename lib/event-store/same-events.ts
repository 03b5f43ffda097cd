import type { NewEvent, StoredEvent } from './stored-event.ts'

type MaybeTombstone = NewEvent & Pick<StoredEvent, 'tombstone'>

/**
 * Whether a repeated append brings just what the first one brought: event ids, types, schema versions, content types and data, in
 * order. Event ids derive from the command id, so that they alone say nothing of the payload. What tombstones said nobody can tell.
 */
export function sameEvents(first: readonly MaybeTombstone[], again: readonly NewEvent[]): boolean {
  return first.length === again.length && first.every((event, index) => sameEvent(event, again[index] as NewEvent))
}

function sameEvent(one: MaybeTombstone, other: NewEvent): boolean {
  return (
    one.eventId === other.eventId &&
    one.type === other.type &&
    one.schemaVersion === other.schemaVersion &&
    one.contentType === other.contentType &&
    (one.tombstone === true || sameData(one.data, other.data))
  )
}

/** Deep equality of what messages are made of: JSON values, Date, bigint, Map, Set, undefined and binary. */
export function sameData(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one)) return Array.isArray(other) && sameList(one, other)
  if (one instanceof Date) return other instanceof Date && Object.is(one.getTime(), other.getTime())
  if (one instanceof Uint8Array) return other instanceof Uint8Array && sameList(one, other)
  if (one instanceof Map) return other instanceof Map && sameList([...one].flat(), [...other].flat())
  if (one instanceof Set) return other instanceof Set && sameList([...one], [...other])
  return Object.getPrototypeOf(one) === Object.getPrototypeOf(other) && sameFields(one, other)
}

function sameList(one: ArrayLike<unknown>, other: ArrayLike<unknown>): boolean {
  if (one.length !== other.length) return false
  for (let index = 0; index < one.length; index++) {
    if (!sameData(one[index], other[index])) return false
  }
  return true
}

function sameFields(one: object, other: object): boolean {
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every(
      (key) =>
        Object.hasOwn(other, key) &&
        sameData((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
    )
  )
}
