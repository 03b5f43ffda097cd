import { StoreError } from '../errors.ts'
import type { StreamAppend, StreamAppendResult } from './event-store.ts'

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
    case 'duplicate_command':
    case 'abandoned':
      return true
    case undefined:
      return false
  }
}

function isPlace(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1
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
