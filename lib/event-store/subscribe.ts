import { systemClock, type Clock } from '../effects/clock.ts'
import { Fairness } from '../effects/fairness.ts'
import { randomIds } from '../effects/ids.ts'
import { consoleLogger, type Logger } from '../effects/logger.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { InvalidOptionError } from '../errors.ts'
import { jsonSerializer } from '../messages/json-serializer.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Serializer } from '../messages/serializer.ts'
import type { Upcaster } from '../messages/upcaster.ts'
import { isWhole } from '../messages/whole-number.ts'
import { checkOptions, checkText } from './argument-checks.ts'
import { EventCodec } from './event-codec.ts'
import type { CheckpointStore, EventStore } from './event-store.ts'
import { isOwnFact } from './own-facts.ts'
import { PersistentSubscription } from './persistent-subscription.ts'
import type { StartFrom } from './start-from.ts'
import { SubscriptionHub } from './subscription-hub.ts'

/** What a subscription is about, and what it does. */
export interface SubscribeOptions {
  /** Takes an event; the next one comes when what it returned has settled. What it throws ends the subscription. */
  readonly handle: (event: RecordedEvent) => MaybePromise<void>
  /** With the first event, with what comes next, or with the event at a position, inclusive. @default 'origin' */
  readonly startFrom?: StartFrom
  /** Only events of these types. @default all */
  readonly types?: Iterable<string>
  /** Only events of the streams of this aggregate. @default all */
  readonly category?: string
  /** Only events of this stream. @default all */
  readonly streamId?: string
  /** Only events of this tenant. @default all */
  readonly tenant?: string
  /** Makes it persistent: its place is kept in the store under this name, and only one owner at a time has it. */
  readonly name?: string
  /** As the application's. */
  readonly serializer?: Serializer
  /** As the application's. */
  readonly upcasters?: readonly Upcaster[]
  readonly clock?: Clock
  readonly logger?: Logger
}

/** A subscription under way. */
export interface EventSubscription extends AsyncDisposable {
  /** Every event up to here is handled, or of no interest. */
  readonly position: number
  /** Resolves when it was stopped; rejects with what `handle` threw, or with what the store failed with. */
  readonly ended: Promise<void>
  /** Stops after the event in hand, and writes down the place of a persistent one. */
  stop(): Promise<void>
}

const NO_EVENTS: readonly RecordedEvent[] = Object.freeze([])

const OPTIONS = [
  'handle',
  'startFrom',
  'types',
  'category',
  'streamId',
  'tenant',
  'name',
  'serializer',
  'upcasters',
  'clock',
  'logger',
]

/**
 * Follows the events of a store without an application: first those that are there, then each new one, in order, none left out.
 * For tools and tests; in an application, use `eventHandler`, which retries and can be waited for.
 *
 * @example
 * import { inMemoryEventStore, subscribe } from 'edict'
 *
 * const eventStore = inMemoryEventStore()
 * await eventStore.open()
 * const subscription = subscribe(eventStore, {
 *   types: ['MoneyDeposited'],
 *   startFrom: 'current',
 *   handle: (event) => { console.log(event.position, event.data) },
 * })
 * await subscription.stop()
 *
 * @param store an event store that is open
 * @throws {InvalidOptionError} `invalid_option`, naming the option
 */
export function subscribe(store: EventStore, options: SubscribeOptions): EventSubscription {
  check(options)
  const { clock = systemClock, logger = consoleLogger(), serializer, upcasters = [] } = options
  const codec = new EventCodec({
    serializer: serializer ?? jsonSerializer,
    serializerChosen: serializer !== undefined,
    upcasters,
    values: store.capabilities.values,
  })
  const hub = new SubscriptionHub({
    store,
    decode: (stored) => (isOwnFact(stored) ? NO_EVENTS : codec.decode(stored)),
    clock,
    fairness: new Fairness(),
    logger,
    upcasters,
  })
  let settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined
  const ended = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // Who does not ask why it ended is not to be killed by it.
  ended.catch((error: unknown) => {
    logger.error({ err: error, subscription: options.name }, 'a subscription ended')
  })
  const deliver = (event: RecordedEvent): MaybePromise<boolean> => {
    const handled = options.handle(event)
    return isPromiseLike(handled) ? Promise.resolve(handled).then(() => true) : true
  }
  const listener = {
    deliver,
    progressed: () => undefined,
    ended: (error: unknown) => {
      if (error === undefined) settle?.resolve()
      else settle?.reject(error)
    },
  }
  const subscription = new PersistentSubscription({
    name: options.name ?? 'a transient subscription',
    owner: randomIds().next(),
    startFrom: options.startFrom ?? 'origin',
    filter: {
      ...(options.types !== undefined && { types: new Set(options.types) }),
      ...(options.category !== undefined && { category: options.category }),
      ...(options.streamId !== undefined && { streamId: options.streamId }),
      ...(options.tenant !== undefined && { tenant: options.tenant }),
    },
    listener,
    hub,
    // Nobody contests a place that nobody keeps.
    ...(options.name === undefined ? { store: withoutCheckpoints(store), lease: Infinity } : { store }),
    clock,
    logger,
  })
  void subscription.start()
  const stop = () => subscription.stop()
  return {
    get position() {
      return subscription.position
    },
    ended,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** A transient subscription goes the way of a persistent one, on a place that nobody keeps. */
function withoutCheckpoints(store: EventStore): CheckpointStore {
  return {
    headPosition: () => store.headPosition(),
    claimCheckpoint: (name, { startAfter }) => ({ name, position: startAfter, index: 0, epoch: 1 }),
    renewCheckpoints: (holds) => holds.map(() => true),
    saveCheckpoint: () => true,
    releaseCheckpoint: () => undefined,
    readCheckpoint: () => undefined,
    listCheckpoints: () => [],
  }
}

function check(options: SubscribeOptions): void {
  checkOptions('subscribe', options, OPTIONS)
  const { handle, startFrom = 'origin', name, category, streamId, tenant } = options as Partial<SubscribeOptions>
  if (typeof handle !== 'function') throw new InvalidOptionError('subscribe: handle must be a function')
  const known = startFrom === 'origin' || startFrom === 'current'
  if (!known && !isWhole(startFrom, 1)) {
    throw new InvalidOptionError(`subscribe: startFrom must be 'origin', 'current', or a position from 1`)
  }
  for (const [key, value] of Object.entries({ name, category, streamId, tenant })) {
    if (value !== undefined) checkText('subscribe', key, value)
  }
}
