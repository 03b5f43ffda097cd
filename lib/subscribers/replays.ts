import { callLater, type Clock } from '../effects/clock.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError, StoreError } from '../errors.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { Subscription } from '../event-store/subscription.ts'
import type { SubscriptionHub } from '../event-store/subscription-hub.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { FACTS_FOR_THE_OWNER, keptError, type ParkedFact } from './parked-facts.ts'
import type { ParkedEntry, ParkedKey } from './parked-keys.ts'
import type { ParkedStream } from './parked-stream.ts'
import { readParked } from './read-parked.ts'

export interface ReplaysOptions {
  readonly stream: ParkedStream
  readonly store: Pick<EventStore, 'readStream'>
  readonly hub: SubscriptionHub
  readonly clock: Clock
  /** Whether this one sees to a key: another partition may. */
  readonly owns: (key: string) => boolean
  /** Asked before an event is handled: false where the handler has lost its place. */
  readonly mayGoOn: () => MaybePromise<boolean>
  /** Handles a parked event of a key again, once: false where that cannot be begun. Rejects where it fails. */
  readonly handle: (recorded: RecordedEvent, attempt: number, key: string) => Promise<boolean>
  readonly log: (error: unknown, what: string) => void
}

const ONCE_MORE_MS = 1_000

/**
 * Handles parked events again when somebody, on whichever node, has asked for it: those of a key in order, until one fails or none is
 * left. It listens to the handler's parked stream only while something is parked.
 */
export class Replays {
  readonly #options: ReplaysOptions
  #isOpen = false
  #following: Subscription | undefined
  #working: Promise<void> | undefined
  #again = false
  #cancelPause: (() => void) | undefined

  constructor(options: ReplaysOptions) {
    this.#options = options
  }

  /** The handler has its place, and what is parked is read. */
  open(): void {
    this.#isOpen = true
    this.look()
  }

  /** Nothing is begun any more; done when what is in hand is through. */
  async close(): Promise<void> {
    this.#isOpen = false
    this.#cancelPause?.()
    this.#unfollow()
    await this.#working
  }

  /** Something was parked, or read. */
  look(): void {
    if (!this.#isOpen) return
    if (this.#options.stream.keys.size === 0) this.#unfollow()
    else this.#follow()
    this.#work()
  }

  #follow(): void {
    if (this.#following !== undefined) return
    const { hub, stream } = this.#options
    const following = hub.subscribe({
      name: stream.streamId,
      filter: { types: FACTS_FOR_THE_OWNER },
      startAfter: stream.position,
      listener: {
        deliver: ({ streamId }) => {
          if (streamId === stream.streamId) this.#wake()
          return true
        },
        progressed: () => undefined,
        ended: () => {
          if (this.#following === following) this.#following = undefined
        },
      },
    })
    this.#following = following
    following.start()
  }

  #unfollow(): void {
    const following = this.#following
    this.#following = undefined
    void following?.stop()
  }

  /** Somebody has said something. */
  #wake(): void {
    const { stream, log } = this.#options
    stream.catchUp().then(
      () => {
        this.look()
      },
      (error: unknown) => {
        if (error instanceof NotRunningError || !this.#isOpen) return
        log(error, 'cannot read what is to be replayed, and tries again')
        this.#later(() => {
          this.#wake()
        })
      },
    )
  }

  #later(callback: () => void): void {
    this.#cancelPause?.()
    this.#cancelPause = callLater(this.#options.clock, ONCE_MORE_MS, () => {
      this.#cancelPause = undefined
      callback()
    })
  }

  #work(): void {
    if (this.#working !== undefined) {
      this.#again = true
      return
    }
    this.#again = false
    if (this.#wanted().length === 0) return
    this.#working = this.#replayAll()
      .catch((error: unknown) => {
        if (error instanceof NotRunningError || !this.#isOpen) return
        this.#options.log(error, 'cannot replay what is parked yet, and tries again')
        this.#later(() => {
          this.look()
        })
      })
      .finally(() => {
        this.#working = undefined
        if (this.#again) this.look()
      })
  }

  #wanted(): readonly ParkedKey[] {
    const { stream, owns } = this.#options
    return [...stream.keys.toReplay()].filter(({ key }) => owns(key))
  }

  async #replayAll(): Promise<void> {
    for (let wanted = this.#wanted(); wanted.length > 0; wanted = this.#wanted()) {
      for (const { key } of wanted) {
        while (await this.#replayNext(key));
        if (!this.#isOpen) return
      }
    }
    this.look()
  }

  /** False where there is nothing more to replay of the key, or the handler stops. */
  async #replayNext(key: string): Promise<boolean> {
    const { stream, mayGoOn } = this.#options
    const entry = stream.keys.get(key)?.nextToReplay
    if (entry === undefined || !this.#isOpen || !(await mayGoOn())) return false
    const fact = await this.#handle(key, entry)
    if (fact === undefined) return false
    await stream.append((keys) => (keys.get(key)?.find(entry) ? { facts: [fact], about: entry } : undefined))
    return true
  }

  /** What became of it; undefined where nothing did, since the handler stops. */
  async #handle(key: string, entry: ParkedEntry): Promise<ParkedFact | undefined> {
    const { position, index } = entry
    const attempts = entry.attempts + 1
    try {
      const recorded = await this.#read(entry)
      // Of what was erased, or is read as nothing today, there is nothing to handle.
      if (recorded !== undefined && !(await this.#options.handle(recorded, attempts, key))) return undefined
      return { fact: 'edict.EventReplayed', key, position, index }
    } catch (error) {
      if (error instanceof Unreached) throw error.cause
      return { fact: 'edict.ReplayFailed', key, position, index, attempts, error: keptError(error) }
    }
  }

  async #read({ parkedAt, index }: ParkedEntry): Promise<RecordedEvent | undefined> {
    const { stream, store, hub } = this.#options
    try {
      return await readParked({ store, decode: hub.decode }, stream.streamId, parkedAt, index)
    } catch (error) {
      // The store is away: that says nothing of the event.
      throw error instanceof StoreError || error instanceof NotRunningError ? new Unreached(error) : error
    }
  }
}

/** The store could not be asked. */
class Unreached extends Error {
  constructor(cause: unknown) {
    super('the store cannot be read', { cause })
  }
}
