import type { Fairness } from '../effects/fairness.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { StoredEvent } from './stored-event.ts'
import type { SubscriptionFilter } from './subscription-filter.ts'

/** The events that are read today where this one was stored: mostly one, or several, or none. */
export type DecodeEvent = (stored: StoredEvent) => MaybePromise<readonly RecordedEvent[]>

/** Whom a subscription serves. */
export interface SubscriptionListener {
  /**
   * Takes an event. True where it is handled; false ends the subscription before it. Until it answers, it gets no other one.
   * What it throws ends the subscription.
   */
  deliver(event: RecordedEvent): MaybePromise<boolean>
  /** Every event up to a position is handled, or of no interest. Not called for what it was passed over while idle. */
  progressed(position: number): void
  /** A good moment to write down how far the subscription is: it waits for something, or for the next event. */
  rest?(): void
  changed?(state: 'catching-up' | 'live' | 'ended'): void
  /** The subscription is over; with an error where it did not end by `stop`, or by an event that was not handled. */
  ended?(error: unknown): void
}

/** Whom the live feed brings events. */
export interface LiveSubscriber {
  readonly filter: SubscriptionFilter
  touched: boolean
  offer(stored: StoredEvent, list: readonly RecordedEvent[]): void
  fallBack(): void
  fail(error: unknown): void
  rest(): void
}

/** The live side of all subscriptions, as one of them sees it. */
export interface LiveFeed {
  readonly decode: DecodeEvent
  readonly fairness: Fairness
  /** Every event up to here has been offered to those whom it interests. */
  readonly position: number
  /** From now on, offers every event after the position that it gives. `head` is the last position known to be committed. */
  join(subscriber: LiveSubscriber, head: number): number
  leave(subscriber: LiveSubscriber): void
  /** Tells it to `rest` when the work in hand is over. */
  touch(subscriber: LiveSubscriber): void
  /** Logs a failure and calls back after a while, longer each time; gives the call that takes it back. */
  retryLater(name: string, what: string, error: unknown, failures: number, retry: () => void): () => void
}
