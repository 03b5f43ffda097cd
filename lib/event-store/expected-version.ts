import type { ExpectedVersion } from './event-store.ts'

/** Whether a stream that is at a version, 0 where it is not there, is at what an append expects. */
export function isExpected(expected: ExpectedVersion, version: number): boolean {
  if (expected === version || expected === 'any') return true
  if (expected === 'none') return version === 0
  return expected === 'exists' && version > 0
}
