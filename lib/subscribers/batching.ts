import { DefinitionError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { isWhole } from '../messages/whole-number.ts'
import type { BatchHandlerContext } from './batch-context.ts'

/** How a handler gets several events at once. */
export interface Batching {
  /** So many at most. */
  readonly size: number
  /** Milliseconds that the first event of a batch waits for others. */
  readonly timeout: number
  readonly handle: (events: readonly RecordedEvent[], context: BatchHandlerContext<unknown>) => unknown
}

const DEFAULT_TIMEOUT_MS = 100
const LARGEST_BATCH = 10_000

/** Undefined where the handler gets one event at a time. */
export function checkedBatching(where: string, options: Readonly<Record<string, unknown>>): Batching | undefined {
  const { handle, handleBatch, batchSize, batchTimeout, concurrency = 1 } = options
  if (handleBatch === undefined) {
    const lone = batchSize === undefined ? (batchTimeout === undefined ? undefined : 'batchTimeout') : 'batchSize'
    if (lone !== undefined) throw new DefinitionError(`${where}: ${lone} belongs to handleBatch, which is missing`)
    return undefined
  }
  if (handle !== undefined)
    throw new DefinitionError(`${where}: handle and handleBatch exclude each other: leave one out`)
  if (concurrency !== 1) throw new DefinitionError(`${where}: handleBatch and concurrency exclude each other`)
  if (!isWhole(batchSize, 1) || batchSize > LARGEST_BATCH) {
    throw new DefinitionError(`${where}: handleBatch needs a batchSize, a whole number from 1 to ${LARGEST_BATCH}`)
  }
  if (batchTimeout !== undefined && !isWhole(batchTimeout, 1)) {
    throw new DefinitionError(`${where}: batchTimeout must be a whole number of milliseconds, from 1`)
  }
  return {
    size: batchSize,
    timeout: batchTimeout ?? DEFAULT_TIMEOUT_MS,
    // What it takes is held by the types of the definition.
    handle: handleBatch as Batching['handle'],
  }
}
