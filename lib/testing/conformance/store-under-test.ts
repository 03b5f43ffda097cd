import { randomIds } from '../../effects/ids.ts'
import type { MaybePromise } from '../../effects/maybe-promise.ts'
import type {
  EventStore,
  EventStoreCapabilities,
  ExpectedVersion,
  StreamAppend,
  StreamAppendResult,
} from '../../event-store/event-store.ts'
import { OBJECT_CONTENT_TYPE, type NewEvent, type StoredEvent } from '../../event-store/stored-event.ts'
import type { StreamChangeResult, StreamInfo } from '../../event-store/stream-info.ts'
import { assertEqual, fail } from './assertions.ts'

/** A store that is made for one case, and what belongs to it. */
export interface MadeStore {
  readonly store: EventStore
  /** Another store value over the same data, as a restart or another process would make it. Needed of durable stores. */
  readonly peer?: () => MaybePromise<EventStore>
  /** How a projection of a user's writes to this store's tables. Needed of stores with the `projections` capability. */
  readonly projections?: ProjectionHarness
  /** Removes the data; called when all store values are closed. */
  readonly destroy?: () => MaybePromise<void>
}

/** The few statements of a store's own language that cases about projections need; `tx` is what its transactions give. */
export interface ProjectionHarness {
  /** Makes a table of one column, a text, of which no two rows are the same. */
  readonly createTable: (tx: unknown, name: string) => MaybePromise<void>
  /** Adds a row. */
  readonly insert: (tx: unknown, name: string, id: string) => MaybePromise<void>
  /** How many rows a table or a view has, as seen from outside of every transaction. Fails where there is none of this name. */
  readonly count: (name: string) => MaybePromise<number>
}

export interface AppendDetails {
  readonly category?: string
  readonly expectedVersion?: ExpectedVersion
  readonly deduplicate?: boolean
}

type Appended = Extract<StreamAppendResult, { status: 'appended' }>

const ids = randomIds()
const CREATED_AT = Date.UTC(2024, 1, 29, 12, 34, 56, 789)

/** What a case works with: a store, and short words for what every case does. */
export class StoreUnderTest {
  readonly store: EventStore
  readonly #makePeer: (() => Promise<EventStore>) | undefined
  readonly #makeAnother: () => Promise<EventStore>
  readonly #harness: ProjectionHarness | undefined

  constructor(
    store: EventStore,
    makePeer: (() => Promise<EventStore>) | undefined,
    makeAnother: () => Promise<EventStore>,
    harness: ProjectionHarness | undefined,
  ) {
    this.store = store
    this.#harness = harness
    this.#makePeer = makePeer
    this.#makeAnother = makeAnother
  }

  get capabilities(): EventStoreCapabilities {
    return this.store.capabilities
  }

  /** An id that was never given before. */
  id(): string {
    return ids.next()
  }

  /** Data as this store takes it: the value itself, or encoded as a serializer would. */
  data(value: unknown): Pick<NewEvent, 'data' | 'contentType'> {
    return this.capabilities.values === 'objects'
      ? { data: Object.freeze(value), contentType: OBJECT_CONTENT_TYPE }
      : { data: JSON.stringify(value), contentType: 'application/json' }
  }

  event(overrides: Partial<NewEvent> = {}): NewEvent {
    const commandId = overrides.commandId ?? this.id()
    return {
      eventId: this.id(),
      type: 'MoneyDeposited',
      schemaVersion: 1,
      metadata: Object.freeze({}),
      commandId,
      causationId: commandId,
      correlationId: this.id(),
      createdAt: CREATED_AT,
      ...this.data({ amount: 5 }),
      ...overrides,
    }
  }

  /** Events of one command. */
  events(count: number, overrides: Partial<NewEvent> = {}): NewEvent[] {
    const commandId = overrides.commandId ?? this.id()
    return Array.from({ length: count }, (_, index) =>
      this.event({ ...this.data({ amount: index }), ...overrides, commandId }),
    )
  }

  stream(streamId: string, events: number | readonly NewEvent[] = 1, details: AppendDetails = {}): StreamAppend {
    return {
      streamId,
      category: 'BankAccount',
      expectedVersion: 'any',
      events: typeof events === 'number' ? this.events(events) : events,
      ...details,
    }
  }

  /** Appends to one stream, whatever becomes of it. */
  async append(
    streamId: string,
    events: number | readonly NewEvent[] = 1,
    details: AppendDetails = {},
  ): Promise<StreamAppendResult> {
    const results = await this.store.append([this.stream(streamId, events, details)])
    assertEqual(results.length, 1, 'the number of answers')
    return results[0] as StreamAppendResult
  }

  /** Appends to one stream, and fails where that fails. */
  async write(
    streamId: string,
    events: number | readonly NewEvent[] = 1,
    details: AppendDetails = {},
  ): Promise<Appended> {
    const result = await this.append(streamId, events, details)
    return result.status === 'appended' ? result : fail(`the append to ${streamId} was answered ${result.status}`)
  }

  /** Makes a change to a stream as a whole, and fails where that fails. */
  async change(made: MaybePromise<StreamChangeResult>): Promise<StreamInfo> {
    const result = await made
    return result.status === 'changed' ? result.stream : fail(`the change of a stream was answered ${result.status}`)
  }

  async readStream(streamId: string): Promise<readonly StoredEvent[]> {
    return (await this.store.readStream(streamId, { maxCount: 100_000 })).events
  }

  /** Every event of the store, read on from `lastPosition` until the head. */
  async readAll(): Promise<StoredEvent[]> {
    const events: StoredEvent[] = []
    for (let fromPosition = 1; ;) {
      const slice = await this.store.readAll({ fromPosition, maxCount: 100_000 })
      events.push(...slice.events)
      if (slice.lastPosition >= slice.headPosition) return events
      if (slice.lastPosition < fromPosition) fail(`readAll does not go on from position ${fromPosition}`)
      fromPosition = slice.lastPosition + 1
    }
  }

  /** Checks that the store holds just so many events, at the positions from 1 on. */
  async assertEventCount(count: number): Promise<void> {
    const positions = (await this.readAll()).map((event) => event.position)
    const gapless = positions.every((position, index) => position === index + 1)
    assertEqual({ count: positions.length, gapless }, { count, gapless: true }, 'the events in the store')
    assertEqual(await this.store.headPosition(), count, 'the head position')
  }

  /** Another store value over the same data, opened. */
  async peer(): Promise<EventStore> {
    if (this.#makePeer === undefined) fail('a durable store needs `peer` beside `store`, so that this can be checked')
    return this.#makePeer()
  }

  /** What writes to the store's tables as a projection does. */
  get harness(): ProjectionHarness {
    return (
      this.#harness ?? fail('a store with projections needs `projections` beside `store`, so that this can be checked')
    )
  }

  /** Another store with data of its own, opened. */
  another(): Promise<EventStore> {
    return this.#makeAnother()
  }
}
