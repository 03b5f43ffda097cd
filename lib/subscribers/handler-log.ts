import type { Logger } from '../effects/logger.ts'
import { describeThrown } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { described } from './described.ts'

/** What the runner of a handler, or of a process manager, tells. */
export class HandlerLog {
  readonly #handler: string
  readonly #who: string
  readonly #application: string
  readonly #logger: Logger

  /** `who` is what it is called in a sentence: `'the handler mails'`. */
  constructor(handler: string, who: string, where: { readonly logger: Logger; readonly application: string }) {
    this.#handler = handler
    this.#who = who
    this.#application = where.application
    this.#logger = where.logger
  }

  /** Something that failed; at an event, where that is known. */
  tell(level: 'warn' | 'error', error: unknown, recorded: RecordedEvent | undefined, what: string): void {
    const { eventId, position, type } = recorded ?? {}
    this.#logger[level](
      { handler: this.#handler, application: this.#application, error, eventId, position, type },
      `${this.#who} ${what}: ${describeThrown(error)}`,
    )
  }

  cannotBegin(error: unknown): void {
    this.tell('warn', error, undefined, 'cannot begin yet, and tries again')
  }

  failed(error: unknown, recorded: RecordedEvent | undefined): void {
    const where = recorded ? `at ${described(recorded)}` : 'and cannot go on'
    this.tell('error', error, recorded, `failed ${where}: it is STOPPED until it is started again`)
  }

  /** It was told to stop, and has not let go of the one event that it has in hand, or of several. */
  stoppedWithin(milliseconds: number, position: number, inHand: 'event' | 'events'): void {
    const without = inHand === 'event' ? 'it' : 'them'
    this.#logger.error(
      { handler: this.#handler, position },
      `${this.#who} did not end its ${inHand} within ${milliseconds} ms; it is stopped without ${without}`,
    )
  }
}
