import { EventIdSeed } from '../messages/event-id.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'

/**
 * Gives the commands of one instance ids that derive from the event and the command's place among its commands, so that an event that
 * comes again makes the same commands, which are answered as they were the first time.
 */
export class CommandIds {
  readonly #seed: EventIdSeed

  constructor(stateId: string) {
    this.#seed = new EventIdSeed(stateId)
  }

  /**
   * @param recorded the event
   * @param key the command's place: `2`, or `2.0` for the first of those that were dispatched instead of it
   */
  idOf(recorded: RecordedEvent, key: string): string {
    const { eventId, index } = recorded
    return this.#seed.eventId(`${eventId}/${index}:${key}`, 0)
  }
}
