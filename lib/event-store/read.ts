import { Fairness } from '../effects/fairness.ts'
import { StoreError } from '../errors.ts'
import { checkOptionalWhole, checkOptions } from './argument-checks.ts'
import type { AllSlice, Direction, EventStore, ReadAllOptions, ReadStreamOptions } from './event-store.ts'
import { READ_ALL_OPTIONS } from './reading-checks.ts'
import type { StoredEvent } from './stored-event.ts'

const DEFAULT_BATCH_SIZE = 1_000

export interface ReadStreamEventsOptions extends ReadStreamOptions {
  /** At most this many events, over all batches. Default: all. */
  readonly maxCount?: number
  /** At most this many events are asked for, and held, at a time. @default 1000 */
  readonly batchSize?: number
}

export interface ReadAllEventsOptions extends ReadAllOptions {
  /** At most this many events, over all batches. Default: all. */
  readonly maxCount?: number
  /** At most this many events are asked for, and held, at a time. @default 1000 */
  readonly batchSize?: number
}

/**
 * Reads a stream event by event, in batches: the next one is asked for when the one before is used up. It ends at the last event that
 * was there when it began. Events of a deleted stream come as the tombstones that they are.
 *
 * @example
 * for await (const event of readStreamEvents(store, 'bank-account-ACC123')) console.log(event.streamVersion, event.type)
 *
 * @throws {InvalidOptionError} `invalid_option`; NotRunningError `not_running`; StoreError `store_failed`
 */
export function readStreamEvents(
  store: EventStore,
  streamId: string,
  options: ReadStreamEventsOptions = {},
): AsyncIterable<StoredEvent> {
  checkOptions('readStreamEvents', options, ['fromVersion', 'maxCount', 'direction', 'batchSize'])
  checkCounts('readStreamEvents', options)
  return { [Symbol.asyncIterator]: () => streamEvents(store, streamId, options) }
}

/**
 * Reads all events of a store, or those that pass a filter, as `readStreamEvents` reads a stream.
 *
 * @example
 * for await (const event of readAllEvents(store, { category: 'BankAccount' })) console.log(event.position, event.type)
 *
 * @throws {InvalidOptionError} `invalid_option`; NotRunningError `not_running`; StoreError `store_failed`
 */
export function readAllEvents(store: EventStore, options: ReadAllEventsOptions = {}): AsyncIterable<StoredEvent> {
  checkOptions('readAllEvents', options, [...READ_ALL_OPTIONS, 'batchSize'])
  checkCounts('readAllEvents', options)
  return { [Symbol.asyncIterator]: () => allEvents(store, options) }
}

function checkCounts(where: string, options: ReadStreamEventsOptions | ReadAllEventsOptions): void {
  checkOptionalWhole(where, 'maxCount', options.maxCount, 1)
  checkOptionalWhole(where, 'batchSize', options.batchSize, 1)
}

async function* streamEvents(
  store: EventStore,
  streamId: string,
  { fromVersion, maxCount = Infinity, direction = 'forward', batchSize = DEFAULT_BATCH_SIZE }: ReadStreamEventsOptions,
): AsyncGenerator<StoredEvent, void, undefined> {
  const fairness = new Fairness()
  let left = maxCount
  let next = fromVersion
  let last: number | undefined
  while (left > 0) {
    const from = next === undefined ? {} : { fromVersion: next }
    const slice = await store.readStream(streamId, { ...from, maxCount: Math.min(batchSize, left), direction })
    last ??= lastOf(direction, slice.streamVersion)
    for (const event of slice.events) {
      if (isPast(direction, event.streamVersion, last)) return
      if (fairness.turnDue()) await fairness.turn()
      yield event
    }
    const reached = slice.events.at(-1)?.streamVersion
    if (reached === undefined || reached === last) return
    left -= slice.events.length
    next = after(direction, reached)
  }
}

async function* allEvents(
  store: EventStore,
  options: ReadAllEventsOptions,
): AsyncGenerator<StoredEvent, void, undefined> {
  const {
    fromPosition,
    maxCount = Infinity,
    direction = 'forward',
    batchSize = DEFAULT_BATCH_SIZE,
    ...filter
  } = options
  const fairness = new Fairness()
  let left = maxCount
  let next = fromPosition
  let last: number | undefined
  while (left > 0) {
    const start = next === undefined ? {} : { fromPosition: next }
    const count = Math.min(batchSize, left)
    const slice: AllSlice = await store.readAll({ ...filter, ...start, maxCount: count, direction })
    last ??= lastOf(direction, slice.headPosition)
    for (const event of slice.events) {
      if (isPast(direction, event.position, last)) return
      if (fairness.turnDue()) await fairness.turn()
      yield event
    }
    const from = next ?? (direction === 'forward' ? 1 : slice.headPosition)
    next = after(direction, slice.lastPosition)
    if (isPast(direction, next, last)) return
    if (next === from) throw new StoreError(`the ${store.name} event store does not go on from position ${from}`)
    left -= slice.events.length
    // A filter that nothing passes goes through many batches without a pause of its own.
    if (fairness.turnDue()) await fairness.turn()
  }
}

function lastOf(direction: Direction, end: number): number {
  return direction === 'forward' ? end : 1
}

function after(direction: Direction, place: number): number {
  return direction === 'forward' ? place + 1 : place - 1
}

function isPast(direction: Direction, place: number, last: number): boolean {
  return direction === 'forward' ? place > last : place < last
}
