import { UnsupportedCapabilityError } from '../errors.ts'
import type { EventStore } from './event-store.ts'

/**
 * Throws where a store cannot append to several streams at once.
 *
 * @param store the one in question
 * @param need what needs it, as the end of a sentence: `'batches need'`
 * @throws {UnsupportedCapabilityError} `unsupported_capability`
 */
export function mustAppendAtomically(store: Pick<EventStore, 'name' | 'capabilities'>, need?: string): void {
  if (store.capabilities.atomicStreams) return
  const what = 'atomic append to several streams (atomicStreams)'
  throw new UnsupportedCapabilityError(store.name, need === undefined ? what : `${what}, which ${need}`)
}
