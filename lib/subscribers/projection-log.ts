import type { Logger } from '../effects/logger.ts'
import { SubscriptionOwnedError, describeThrown } from '../errors.ts'
import type { Publication } from '../event-store/projection-store.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { described } from './described.ts'

/** Tells what a projection failed with; at an event, where that is known. */
export function logFailure(
  where: { readonly logger: Logger; readonly application: string },
  projection: string,
  level: 'warn' | 'error',
  what: string,
  error: unknown,
  recorded: RecordedEvent | undefined,
): void {
  const event = recorded && { eventId: recorded.eventId, position: recorded.position, type: recorded.type }
  where.logger[level](
    { projection, application: where.application, error, ...event },
    `the projection ${projection} ${what}: ${describeThrown(error)}`,
  )
}

/** What the runner of a projection tells. */
export class ProjectionLog {
  readonly #projection: string
  readonly #application: string
  readonly #logger: Logger

  constructor(projection: string, where: { readonly logger: Logger; readonly application: string }) {
    this.#projection = projection
    this.#application = where.application
    this.#logger = where.logger
  }

  buildBegan({ version, generation }: Publication): void {
    const projection = this.#projection
    this.#logger.info(
      { projection, version, generation },
      `the projection ${projection} is built anew beside the one that is read`,
    )
  }

  swapped({ version, generation }: Publication): void {
    const projection = this.#projection
    this.#logger.info(
      { projection, version, generation },
      `the projection ${projection} was swapped: readers see generation ${generation}, of version ${version}`,
    )
  }

  /** What readers see is another definition's: a higher version's, or that of the projection that has replaced this one. */
  superseded({ version, replacedBy }: Publication): void {
    const projection = this.#projection
    const [what, waitedFor] =
      replacedBy === undefined
        ? [`superseded by version ${version}`, 'that one']
        : [`replaced by ${replacedBy}`, replacedBy]
    this.#logger.warn(
      { projection, application: this.#application, version, ...(replacedBy !== undefined && { replacedBy }) },
      `the projection ${projection} is ${what}: it stands by here, and ${waitedFor} is waited for, until the new definition is ` +
        'deployed on this node too',
    )
  }

  /** Another owner has the place. */
  taken(checkpoint: string): void {
    const error = new SubscriptionOwnedError(checkpoint)
    this.#logger.warn({ projection: this.#projection, error }, `${error.message}; it will be tried again`)
  }

  cannotLook(error: unknown): void {
    const projection = this.#projection
    this.#logger.warn(
      { projection, error },
      `the projection ${projection} cannot look at its tables, and tries again: ${describeThrown(error)}`,
    )
  }

  stoppedWithin(milliseconds: number, position: number): void {
    const projection = this.#projection
    this.#logger.error(
      { projection, position },
      `the projection ${projection} did not end its transaction within ${milliseconds} ms; it is stopped without it`,
    )
  }

  failed(what: string, error: unknown, recorded: RecordedEvent | undefined): void {
    const at = recorded ? `failed at ${described(recorded)}, and ` : ''
    const where = { logger: this.#logger, application: this.#application }
    logFailure(where, this.#projection, 'error', `${at}${what}`, error, recorded)
  }
}
