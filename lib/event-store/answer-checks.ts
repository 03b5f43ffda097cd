import { StoreError } from '../errors.ts'
import type { StreamAppend, StreamAppendResult, StreamSlice } from './event-store.ts'

// What an adapter answers is looked at as its arguments are: an answer that makes no sense must not pass for one.

/** @throws {StoreError} `store_failed` with outcome `'unknown'`: nobody can tell what became of the append */
export function checkedAppendAnswer(
  storeName: string,
  streams: readonly StreamAppend[],
  answer: readonly StreamAppendResult[],
): readonly StreamAppendResult[] {
  if (isListOf(answer, streams.length) && answer.every(isResult)) return answer
  throw new StoreError(`the ${storeName} event store gave no answer that makes sense to an append`, {
    outcome: 'unknown',
  })
}

function isListOf(answer: unknown, length: number): boolean {
  return Array.isArray(answer) && answer.length === length
}

function isResult(result: StreamAppendResult | undefined): boolean {
  switch (result?.status) {
    case 'appended':
      return isPlace(result.streamVersion) && isPlace(result.firstPosition)
    case 'repeated':
      return Array.isArray(result.events)
    case 'version_conflict':
      return Number.isSafeInteger(result.actual)
    case 'category_mismatch':
      return typeof result.actual === 'string'
    case 'stream_closed':
      return isState(result.state) && !isOpenState(result.state)
    case 'duplicate_command':
    case 'abandoned':
      return true
    // Whatever their type says, an adapter may give any status.
    default:
      return false
  }
}

function isPlace(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

/** Whether a slice of a stream says at which version and in which state the stream is. */
export function isStreamSlice(slice: StreamSlice): boolean {
  return isSlice(slice, ['streamVersion']) && (slice.state === undefined || isState(slice.state))
}

function isOpenState(state: unknown): boolean {
  return state === 'active'
}

/** Whatever its type says, an adapter may give any state. */
export function isState(state: unknown): boolean {
  return state === 'active' || state === 'archived' || state === 'deleted'
}

/** Whether a slice has its events, and whole numbers under the keys that say where it stands. */
export function isSlice(slice: unknown, numbers: readonly string[]): boolean {
  if (slice === null || typeof slice !== 'object') return false
  const members = slice as Readonly<Record<string, unknown>>
  return Array.isArray(members['events']) && numbers.every((key) => Number.isSafeInteger(members[key]))
}

export function isList(answer: unknown): boolean {
  return Array.isArray(answer)
}

/** Whether there is something to look at at all: an adapter may give any value, whatever its type says. */
export function isRecord<Value>(value: Value): value is Value & object {
  return typeof value === 'object' && value !== null
}
