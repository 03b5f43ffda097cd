import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { DiscardedEvents } from './discarded-events.ts'
import { eventParked, type EventRef } from './parked-facts.ts'
import { isBefore } from '../event-store/reached-place.ts'
import { ParkedStream } from './parked-stream.ts'

/** What a handler failed with, and how often. */
export interface ParkedFailure {
  readonly error: unknown
  readonly attempts: number
}

/**
 * What is parked of one handler, for the node that runs it, or a part of it. What is parked under a key holds up the later events of
 * that key alone.
 */
export interface ParkingLot {
  /** How many events are parked: while none is, nothing else need be asked. */
  readonly size: number
  /** What was parked and given up, and may come again: it counts as handled. */
  readonly discarded: Pick<DiscardedEvents, 'size' | 'has'>
  /** Reads what is parked: after each claim of the handler's place, since another node may have had it. */
  open(): MaybePromise<void>
  /**
   * Whether an event goes behind what is parked of its key, or is parked itself. One from before that has come again, since the
   * handler's place is an earlier one, and is to be handled again.
   */
  holds(key: string, ref: EventRef): boolean
  /** Whether anything is parked of a key. */
  has(key: string): boolean
  /**
   * Sets an event aside; durable when it resolves, and to be acknowledged after that. One that is parked already is not parked again.
   * Without a failure it goes behind what is parked of its key; false where nothing is any more, since somebody discarded it: then
   * the event is to be handled.
   */
  park(key: string, recorded: RecordedEvent, failure: ParkedFailure | undefined): MaybePromise<boolean>
}

/** Parks in the stream `edict.parked-<handler>` of the event store. */
export class StoredParkingLot implements ParkingLot {
  readonly stream: ParkedStream
  /** To be told where the handler's place is known to be. */
  readonly discarded: DiscardedEvents

  constructor(handlerName: string, store: EventStore, now: () => number, discarded = new DiscardedEvents()) {
    this.discarded = discarded
    this.stream = new ParkedStream(handlerName, store, now, discarded)
  }

  get size(): number {
    return this.stream.keys.size
  }

  open(): MaybePromise<void> {
    return this.stream.open()
  }

  holds(key: string, ref: EventRef): boolean {
    const first = this.stream.keys.get(key)?.first
    return first !== undefined && !isBefore(ref, first)
  }

  has(key: string): boolean {
    return this.stream.keys.get(key) !== undefined
  }

  async park(key: string, recorded: RecordedEvent, failure: ParkedFailure | undefined): Promise<boolean> {
    let isParked = true
    await this.stream.append((keys) => {
      if (failure === undefined ? keys.covers(key, recorded) : keys.has(key, recorded)) return undefined
      if (failure === undefined && keys.get(key) === undefined) {
        isParked = false
        return undefined
      }
      return { facts: [eventParked(key, recorded, failure)], about: recorded }
    })
    return isParked
  }
}
