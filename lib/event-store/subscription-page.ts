import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { StoreError } from '../errors.ts'
import { storedTypes, type Upcaster } from '../messages/upcaster.ts'
import type { AllSlice, EventStore, ReadAllOptions, StreamSlice } from './event-store.ts'
import { PageSize } from './page-size.ts'
import type { SubscriptionFilter } from './subscription-filter.ts'

/**
 * Reads the page after a position. `version` is the last version that the reader has seen, where it follows one stream.
 */
export type ReadPage = (after: number, version: number) => MaybePromise<AllSlice>

/** How a subscription with this filter reads what it has missed, `most` events at once at the most. */
export function pageReader(
  store: EventStore,
  filter: SubscriptionFilter,
  most: number,
  upcasters: readonly Upcaster[],
): ReadPage {
  const { streamId, types, category, tenant } = filter
  const size = new PageSize(most)
  if (streamId !== undefined) return streamReader(store, streamId, size)
  const options: ReadAllOptions = {
    ...(types && { types: storedTypes(types, upcasters) }),
    ...(category !== undefined && { category }),
    ...(tenant !== undefined && { tenant }),
  }
  const whole = types === undefined && category === undefined && tenant === undefined

  function page(slice: AllSlice, after: number): AllSlice {
    const checked = checkedPage(store.name, slice, after, whole)
    size.learn(checked.events)
    return checked
  }

  return (after) => {
    const slice = store.readAll({ ...options, maxCount: size.count, fromPosition: after + 1 })
    return isPromiseLike(slice) ? slice.then((answer) => page(answer, after)) : page(slice, after)
  }
}

function streamReader(store: EventStore, streamId: string, size: PageSize): ReadPage {
  function read(headPosition: number, after: number, version: number): MaybePromise<AllSlice> {
    const slice = store.readStream(streamId, { fromVersion: version + 1, maxCount: size.count })
    return isPromiseLike(slice)
      ? slice.then((answer) => page(answer, headPosition, after, version))
      : page(slice, headPosition, after, version)
  }

  function page(slice: StreamSlice, headPosition: number, after: number, version: number): AllSlice {
    const { events } = slice
    const last = events.at(-1)
    const lastVersion = version + events.length
    if (last !== undefined && last.streamVersion !== lastVersion) {
      throw new StoreError(`the ${store.name} event store skipped versions of ${streamId} after version ${version}`)
    }
    size.learn(events)
    const reached = Math.max(after, last?.position ?? 0)
    // The head was read first: whatever the stream has up to it is in this slice.
    if (lastVersion >= slice.streamVersion) {
      const lastPosition = Math.max(reached, headPosition)
      return { events, lastPosition, headPosition: Math.max(headPosition, last?.position ?? 0) }
    }
    if (last === undefined) {
      throw new StoreError(`the ${store.name} event store gave nothing of ${streamId} after version ${version}`)
    }
    return { events, lastPosition: reached, headPosition: Math.max(headPosition, reached + 1) }
  }

  return (after, version) => {
    const head = store.headPosition()
    return isPromiseLike(head) ? head.then((known) => read(known, after, version)) : read(head, after, version)
  }
}

/**
 * Holds a store to its word: a reader that goes on from `lastPosition` misses nothing. A gap is an error, which is read
 * again later, and never passed over.
 */
export function checkedPage(storeName: string, page: AllSlice, after: number, whole: boolean): AllSlice {
  const { events, lastPosition, headPosition } = page
  let before = after
  for (const { position } of events) {
    if (whole ? position !== before + 1 : position <= before) {
      throw new StoreError(`the ${storeName} event store gave position ${position} after position ${before}`)
    }
    before = position
  }
  if (whole ? lastPosition !== before : lastPosition < before) {
    throw new StoreError(
      `the ${storeName} event store says that it looked at positions up to ${lastPosition}, but its last event is at ${before}`,
    )
  }
  if (lastPosition === after && headPosition > after) {
    throw new StoreError(
      `the ${storeName} event store has events up to position ${headPosition}, but gives none after ${after}`,
    )
  }
  return page
}
