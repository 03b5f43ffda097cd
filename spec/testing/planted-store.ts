import type { MadeStore } from 'edict/testing'
import { inMemoryEventStore } from '../../lib/adapters/in-memory/in-memory-event-store.ts'
import type {
  AllSlice,
  AppendOptions,
  EventStore,
  EventStoreCapabilities,
  ReadAllOptions,
  ReadStreamOptions,
  StreamAppend,
  StreamAppendResult,
  StreamSlice,
} from '../../lib/event-store/event-store.ts'

// What each operation of the in-memory store gives; all of them answer at once.
type Append = (streams: readonly StreamAppend[], options?: AppendOptions) => readonly StreamAppendResult[]
type ReadStream = (streamId: string, options?: ReadStreamOptions) => StreamSlice
type ReadAll = (options?: ReadAllOptions) => AllSlice

/** The operations of a good store, for a bad one to go wrong with. */
export interface Good {
  readonly store: EventStore
  readonly append: Append
  readonly readStream: ReadStream
  readonly readAll: ReadAll
}

/** A store that is good but for the operations that are planted over it. */
export function planted(plant: (good: Good) => Partial<EventStore>): () => EventStore {
  return () => {
    const store = inMemoryEventStore()
    const bad = plant({
      store,
      append: ((streams, options) => store.append(streams, options)) as Append,
      readStream: ((streamId, options) => store.readStream(streamId, options)) as ReadStream,
      readAll: ((options) => store.readAll(options)) as ReadAll,
    })
    return overlaid(store, bad)
  }
}

/** A store, or a part of one, whose operations are those of another, but for some. */
export function overlaid<Store extends object>(store: Store, over: Partial<Store>): Store {
  return new Proxy(store, {
    // It is no longer what it lies over, so that checks can be put in front of it anew.
    getPrototypeOf: () => Object.prototype,
    get: (target, key) => {
      if (Object.hasOwn(over, key)) return Reflect.get(over, key) as unknown
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

export interface PlantedBug {
  readonly bug: string
  readonly makeStore: () => EventStore | MadeStore
  /** What the store declares, where it is not what the in-memory store does. */
  readonly capabilities?: EventStoreCapabilities
  /** Cases that must go red, as `group: name`. */
  readonly found: readonly string[]
}
