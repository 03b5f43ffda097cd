import { systemClock } from '../../effects/clock.ts'
import { Fairness } from '../../effects/fairness.ts'
import type { Logger } from '../../effects/logger.ts'
import type { MaybePromise } from '../../effects/maybe-promise.ts'
import type { EventStore } from '../../event-store/event-store.ts'
import type { PersistentSubscriptionState } from '../../event-store/persistent-subscription-options.ts'
import { PersistentSubscription } from '../../event-store/persistent-subscription.ts'
import { recordedEvent } from '../../event-store/recorded-event.ts'
import type { StartFrom } from '../../event-store/start-from.ts'
import type { SubscriptionFilter } from '../../event-store/subscription-filter.ts'
import { SubscriptionHub } from '../../event-store/subscription-hub.ts'
import type { Subscription } from '../../event-store/subscription.ts'
import type { RecordedEvent } from '../../messages/recorded-event.ts'

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Where the events of a store are followed, with pages and buffers so small that a few events fill them. */
export function smallHub(store: EventStore): SubscriptionHub {
  return new SubscriptionHub({
    store,
    decode: (stored) => [recordedEvent(stored, stored.data)],
    clock: systemClock,
    fairness: new Fairness(),
    logger: silent,
    batchSize: 4,
    bufferSize: 3,
    pollInterval: 200,
  })
}

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0)
  })
}

interface FollowerOptions {
  readonly filter?: SubscriptionFilter
  /** Called for each event; it has been handled when the answer has settled. */
  readonly handle?: (event: RecordedEvent) => MaybePromise<void>
}

/** Follows the events of a store and keeps their positions. */
export class Follower {
  readonly positions: number[] = []
  readonly filter: SubscriptionFilter
  readonly #handle: (event: RecordedEvent) => MaybePromise<void>

  constructor(options: FollowerOptions) {
    this.filter = options.filter ?? {}
    this.#handle = options.handle ?? (() => {})
  }

  readonly deliver = (event: RecordedEvent): MaybePromise<boolean> => {
    const handled = this.#handle(event)
    if (handled === undefined) return this.#keep(event)
    return handled.then(() => this.#keep(event))
  }

  #keep(event: RecordedEvent): boolean {
    this.positions.push(event.position)
    return true
  }
}

/** Follows what comes after a position. */
export function follow(
  hub: SubscriptionHub,
  startAfter: number,
  options: FollowerOptions = {},
): { readonly follower: Follower; readonly subscription: Subscription } {
  const follower = new Follower(options)
  const { filter, deliver } = follower
  const subscription = hub.subscribe({
    name: 'follower',
    filter,
    startAfter,
    listener: { deliver, progressed: () => {} },
  })
  subscription.start()
  return { follower, subscription }
}

/** Follows with a checkpoint. */
export class PersistentFollower extends Follower {
  readonly subscription: PersistentSubscription
  state: PersistentSubscriptionState = 'ended'

  constructor(
    store: EventStore,
    name: string,
    owner: string,
    options: FollowerOptions & { readonly startFrom?: StartFrom } = {},
  ) {
    super(options)
    this.subscription = new PersistentSubscription({
      name,
      owner,
      store,
      startFrom: options.startFrom ?? 'origin',
      filter: this.filter,
      hub: smallHub(store),
      clock: systemClock,
      logger: silent,
      claimInterval: 20,
      listener: {
        deliver: this.deliver,
        progressed: () => {},
        changed: (state) => {
          this.state = state
        },
      },
    })
  }

  async start(): Promise<this> {
    await this.subscription.start()
    return this
  }

  async stop(): Promise<this> {
    await this.subscription.stop()
    return this
  }
}
