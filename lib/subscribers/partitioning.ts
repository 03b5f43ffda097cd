import { silencedPromise } from '../effects/refuse-promise.ts'
import { DefinitionError } from '../errors.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'

export type PartitionBy = (recorded: RecordedEvent) => unknown

/**
 * Says which partition an event belongs to: the one that its key's hash tells. All partitions of a handler in one process share it, so
 * that an event that is offered to each of them is looked at once.
 */
export class Partitioning {
  readonly #handlerName: string
  readonly #count: number
  readonly #partitionBy: PartitionBy | undefined
  #last: RecordedEvent | undefined
  #partitionOfLast = 0

  constructor(handlerName: string, count: number, partitionBy: PartitionBy | undefined) {
    this.#handlerName = handlerName
    this.#count = count
    this.#partitionBy = partitionBy
  }

  /** @throws {DefinitionError} `invalid_definition` where `partitionBy` gave no key; and what it throws itself */
  partitionOf(event: RecordedEvent): number {
    if (event === this.#last) return this.#partitionOfLast
    const partition = this.partitionOfKey(keyOf(this.#handlerName, this.#partitionBy, event))
    this.#last = event
    this.#partitionOfLast = partition
    return partition
  }

  partitionOfKey(key: string): number {
    return hashOf(key) % this.#count
  }
}

/**
 * The key of an event: what keeps its order.
 *
 * @throws {DefinitionError} `invalid_definition` where `partitionBy` gave no key; and what it throws itself
 */
export function keyOf(handlerName: string, partitionBy: PartitionBy | undefined, event: RecordedEvent): string {
  if (partitionBy === undefined) return event.streamId
  const key = partitionBy(forAnotherReader(event))
  if (typeof key === 'string' || (typeof key === 'number' && Number.isFinite(key))) return String(key)
  const kind = silencedPromise(key) ? 'a promise' : typeof key
  throw new DefinitionError(
    `the handler ${handlerName}: partitionBy gave ${kind} for ${event.type}, and must give text or a finite number`,
  )
}

/** 32-bit FNV-1a over the UTF-16 code units, with the last step of MurmurHash3. Fixed for ever: checkpoints depend on it. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
