import { readAllEvents, type EventStore } from './edict.ts'
import { verify } from './verify.ts'

/** Every so many commands, the store is asked at once whether what it has just acknowledged can be read. */
const SAMPLED = 211

/** Looks at a store through connections that see nothing but what is committed. */
export class Witness {
  readonly #store: EventStore
  #acknowledged = 0

  constructor(store: EventStore) {
    this.#store = store
  }

  /** Throws where an event that was acknowledged just now is not there: then it was acknowledged before its commit. */
  async saw(streamId: string, version: number): Promise<void> {
    if (this.#acknowledged++ % SAMPLED !== 0) return
    const { events } = await this.#store.readStream(streamId, { fromVersion: version, maxCount: 1 })
    verify(`the number of events of ${streamId} at version ${version}, once they were acknowledged`, events.length, 1)
  }

  /** Throws unless all events are there once, without a gap. */
  async sees(events: number): Promise<void> {
    let last = 0
    const versions = new Map<string, number>()
    for await (const { position, streamId, streamVersion } of readAllEvents(this.#store)) {
      verify('the next position', position, last + 1)
      verify(`the next version of ${streamId}`, streamVersion, (versions.get(streamId) ?? 0) + 1)
      versions.set(streamId, streamVersion)
      last = position
    }
    verify('the number of events in the store', last, events)
  }
}
