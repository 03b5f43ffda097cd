import { Hydration } from '../aggregate/hydrate.ts'
import { NOT_LOADED, type Instance } from '../aggregate/instance.ts'
import type { InstanceCache } from '../aggregate/instance-cache.ts'
import { idleTimer, type Clock } from '../effects/clock.ts'
import type { Fairness } from '../effects/fairness.ts'
import type { Logger } from '../effects/logger.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { EventStore, StreamSlice } from '../event-store/event-store.ts'
import { StoreWatch } from '../event-store/store-watch.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import { OwnAppends } from './own-appends.ts'

export interface InstanceFollowerOptions {
  readonly store: EventStore
  readonly codec: EventCodec
  readonly instances: InstanceCache
  readonly clock: Clock
  readonly fairness: Fairness
  readonly logger: Logger
}

/** Milliseconds between looks at the store behind its wake-ups. Seldom: one that is lost costs a conflict, and nothing else. */
const POLL_INTERVAL = 5_000
/** Milliseconds from a wake-up to the look: time for this node's own appends to be accounted for. */
const PATIENCE = 10
const PAGE_EVENTS = 500
/** Further behind than this, reading what others wrote costs more than the conflicts that it spares. */
const MOST_BEHIND = 5_000

/**
 * Brings warm aggregates up to what other nodes have written. It spares conflicts, and is no part of correctness: an aggregate that is
 * behind all the same meets a version conflict, and decides again.
 */
export class InstanceFollower {
  readonly #options: InstanceFollowerOptions
  readonly #watch: StoreWatch
  readonly #own = new OwnAppends()
  #head = 0
  /** There may be more than is known. */
  #look = false
  #working = false
  #running = false
  #cancelTimer: (() => void) | undefined

  constructor(options: InstanceFollowerOptions) {
    this.#options = options
    this.#watch = new StoreWatch(options, POLL_INTERVAL, this.#wake, () => {
      this.#wake(undefined)
    })
  }

  /** Begins at the end of the store: there is no warm aggregate yet. */
  async start(): Promise<void> {
    this.#own.advanceTo(await this.#options.store.headPosition())
    this.#running = true
    this.#watch.start()
  }

  stop(): void {
    this.#running = false
    this.#watch.stop()
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** This node has appended these positions, both inclusive. */
  appended(first: number, last: number): void {
    this.#own.note(first, last)
  }

  readonly #wake = (head: number | undefined): void => {
    if (head === undefined) this.#look = true
    else if (head > this.#head) this.#head = head
    if (!this.#running || this.#working || this.#cancelTimer !== undefined) return
    // Warmth alone must not keep a process alive.
    this.#cancelTimer = idleTimer(this.#options.clock, PATIENCE, () => {
      this.#cancelTimer = undefined
      void this.#follow()
    })
  }

  async #follow(): Promise<void> {
    this.#working = true
    try {
      while (this.#running && (this.#look || this.#head > this.#own.position)) await this.#readOn()
    } catch {
      // Whoever needs the store is told that it cannot be read; the poll tries again here.
      this.#head = this.#own.position
    } finally {
      this.#working = false
    }
  }

  async #readOn(): Promise<void> {
    const { store, instances } = this.#options
    if (this.#look) {
      this.#look = false
      this.#head = Math.max(this.#head, await store.headPosition())
      if (this.#head <= this.#own.position) return
    }
    if (instances.size === 0 || this.#head - this.#own.position > MOST_BEHIND) {
      this.#own.advanceTo(this.#head)
      return
    }
    const after = this.#own.position
    const page = await store.readAll({ fromPosition: after + 1, maxCount: PAGE_EVENTS })
    if (page.lastPosition <= after) {
      this.#head = after
      return
    }
    await this.#bringUp(page.events)
    this.#own.advanceTo(page.lastPosition)
  }

  async #bringUp(events: readonly StoredEvent[]): Promise<void> {
    const behind = new Map<Instance, StoredEvent[]>()
    for (const event of events) {
      const instance = this.#options.instances.find(event.category, event.streamId, event.tenant)
      if (instance === undefined || instance.version === NOT_LOADED) continue
      if (event.streamVersion <= instance.version) continue
      const list = behind.get(instance)
      if (list === undefined) behind.set(instance, [event])
      else list.push(event)
    }
    for (const [instance, list] of behind) await this.#applyTo(instance, list)
  }

  /** In a turn of its own, so that no command decides in between. One that is at work finds out by itself. */
  async #applyTo(instance: Instance, events: readonly StoredEvent[]): Promise<void> {
    const { fairness } = this.#options
    if (!instance.mailbox.idle) return
    try {
      await instance.mailbox.enter(
        { failure: undefined, perform: () => this.#fold(instance, events) },
        1,
        instance.streamId,
        fairness,
      )
    } catch {
      // An event that cannot be read or applied is told of to the command that needs the state.
    }
  }

  async #fold(instance: Instance, events: readonly StoredEvent[]): Promise<void> {
    const { codec, fairness } = this.#options
    const { model, state, version } = instance
    const unseen = events.filter((event) => event.streamVersion > version)
    if (version === NOT_LOADED || unseen[0]?.streamVersion !== version + 1) return
    const slice: StreamSlice = {
      events: unseen,
      streamVersion: version + unseen.length,
      category: model.name,
      state: unseen[0].tombstone === true ? 'deleted' : 'active',
    }
    const inHand = { store: { readStream: () => slice }, codec, fairness }
    const loaded = await new Hydration(inHand, instance, { state, version }).run()
    instance.state = loaded.state
    instance.version = loaded.version
  }
}
