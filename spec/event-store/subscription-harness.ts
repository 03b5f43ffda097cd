import { inMemoryEventStore } from '../../lib/adapters/in-memory/in-memory-event-store.ts'
import { systemClock } from '../../lib/effects/clock.ts'
import { Fairness } from '../../lib/effects/fairness.ts'
import type { Logger } from '../../lib/effects/logger.ts'
import type { MaybePromise } from '../../lib/effects/maybe-promise.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import { recordedEvent } from '../../lib/event-store/recorded-event.ts'
import { OBJECT_CONTENT_TYPE, type StoredEvent } from '../../lib/event-store/stored-event.ts'
import type { SubscriptionFilter } from '../../lib/event-store/subscription-filter.ts'
import { SubscriptionHub, type SubscriptionHubOptions } from '../../lib/event-store/subscription-hub.ts'
import type { Subscription } from '../../lib/event-store/subscription.ts'
import type { RecordedEvent } from '../../lib/messages/recorded-event.ts'
import { HeldClock } from '../../lib/testing/test-clock.ts'

export interface Logged {
  readonly level: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A logger that keeps what it is told. */
export function keepingLogger(): Logger & { readonly lines: Logged[] } {
  const lines: Logged[] = []
  const log = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: fields as Logged['fields'], message })
  }
  return { lines, debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

/** A clock that moves only when it is told to. */
export class ManualClock extends HeldClock {
  constructor() {
    super(1_000)
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** Waits for a condition, not for time. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${condition.toString()}`)
    await turn()
  }
}

export async function openStore(): Promise<EventStore> {
  const store = inMemoryEventStore()
  await store.open()
  return store
}

let events = 0

/** Appends one event; the store in memory answers at once. */
export function append(
  store: EventStore,
  type = 'Happened',
  streamId = 'stream-1',
  category = 'Thing',
  data: object = {},
) {
  const number = ++events
  return store.append([
    {
      streamId,
      category,
      expectedVersion: 'any',
      events: [
        {
          eventId: `event-${number}`,
          type,
          schemaVersion: 1,
          contentType: OBJECT_CONTENT_TYPE,
          data: Object.freeze(data),
          metadata: Object.freeze({}),
          commandId: `command-${number}`,
          causationId: `command-${number}`,
          correlationId: `correlation-${number}`,
          createdAt: 0,
        },
      ],
    },
  ])
}

export function decodeOne(stored: StoredEvent): readonly RecordedEvent[] {
  return stored.tombstone ? [] : [recordedEvent(stored, stored.data)]
}

/** Never asks for a turn of the event loop, so that what is synchronous is over when the call is. */
export class Tireless extends Fairness {
  override turnDue(): boolean {
    return false
  }
}

export function makeHub(store: EventStore, options: Partial<SubscriptionHubOptions> = {}): SubscriptionHub {
  return new SubscriptionHub({
    store,
    decode: decodeOne,
    clock: systemClock,
    fairness: new Tireless(),
    logger: keepingLogger(),
    ...options,
  })
}

export interface Followed {
  readonly subscription: Subscription
  /** What was handled, as `position` or `position.index`. */
  readonly seen: string[]
  /** The positions that it said are handled, and how many events it had handled by then. */
  readonly claims: { readonly position: number; readonly handled: number }[]
  readonly ends: unknown[]
}

/** Subscribes, and keeps what is handled. */
export function follow(
  hub: SubscriptionHub,
  options: {
    readonly startAfter?: number
    readonly startIndex?: number
    readonly filter?: SubscriptionFilter
    readonly handle?: (event: RecordedEvent) => MaybePromise<unknown>
  } = {},
): Followed {
  const { filter = {}, startAfter = 0, startIndex = 0, handle } = options
  const seen: string[] = []
  const claims: { readonly position: number; readonly handled: number }[] = []
  const ends: unknown[] = []
  const keep = ({ position, index }: RecordedEvent) => {
    seen.push(index === 0 ? String(position) : `${position}.${index}`)
    return true
  }
  const subscription = hub.subscribe({
    name: 'followed',
    filter,
    startAfter,
    startIndex,
    listener: {
      deliver: (event) => {
        const handled = handle?.(event)
        if (handled instanceof Promise) return handled.then((answer) => (answer === false ? false : keep(event)))
        return handled === false ? false : keep(event)
      },
      progressed: (position) => void claims.push({ position, handled: seen.length }),
      ended: (error) => void ends.push(error),
    },
  })
  subscription.start()
  return { subscription, seen, claims, ends }
}

export function numbers(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index))
}
