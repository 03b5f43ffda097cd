import type { ApplicationInside } from '../application/inside.ts'
import { refusePromise } from '../effects/refuse-promise.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkOptions } from '../event-store/argument-checks.ts'
import type { DataOf, EventDefinition } from '../messages/message.ts'
import type { RecordedEvent, RecordedOf } from '../messages/recorded-event.ts'
import { eventsAfter, Patience, runningInsideOf, type ApplicationUnderTest } from './application-under-test.ts'
import { ExpectationError } from './expectation-error.ts'
import { DEFAULT_PATIENCE_MS, RECEIVE_OPTIONS, settled, type ReceiveOptions } from './settled.ts'

/** Which of the events of a definition is meant: what says yes to it. */
export type EventPredicate<Definition> = (
  data: Readonly<DataOf<Definition>>,
  recorded: RecordedOf<Definition>,
) => boolean

/** From where on, for how long, and during what an event ought not to come. */
export interface RefuteOptions extends ReceiveOptions {
  /** What ought not to lead to the event; it is called, and awaited, first. Only events after its beginning count then. */
  readonly during?: () => unknown
}

/** So many of the events of the type that are not meant are shown. */
const MOST_SHOWN = 10

/**
 * Waits for an event, any of its definition or the one that `where` says yes to: one that is stored already, or one to come.
 *
 * @example
 * import { waitForEvent } from 'edict/testing'
 *
 * const { data } = await waitForEvent(bank, MoneyDeposited, ({ amount }) => amount > 100)
 *
 * @throws {NotRunningError} `not_running`
 * @throws {InvalidOptionError} `invalid_option` for an option that is none
 * @throws {InvalidOutcomeError} `invalid_outcome` where the predicate gives a promise
 * @throws an error that test runners take for a failed assertion, where none has come in time
 */
export async function waitForEvent<Definition extends EventDefinition>(
  application: ApplicationUnderTest,
  definition: Definition,
  where?: EventPredicate<Definition>,
  options: ReceiveOptions = {},
): Promise<RecordedOf<Definition>> {
  const inside = runningInsideOf(application, 'waitForEvent')
  checkOptions('waitForEvent', options, RECEIVE_OPTIONS)
  const { after = 0, timeout = DEFAULT_PATIENCE_MS } = options
  const others: unknown[] = []
  for await (const event of following(inside, after, timeout)) {
    if (isMeant(event, definition, where)) return event
    if (event?.type === definition.type) others.push(event.data)
  }
  throw new ExpectationError(
    `no ${definition.type}${where ? ' that was meant' : ''} was stored within ${timeout} ms`,
    { type: definition.type, ...(where && { where }) },
    { [`other ${definition.type}`]: others.slice(-MOST_SHOWN) },
  )
}

/**
 * Expects an event, any of its definition or the one that `where` says yes to: one that is stored already, or one to come in time.
 *
 * @example
 * import { assertReceiveEvent } from 'edict/testing'
 *
 * const { metadata } = await assertReceiveEvent(bank, MoneyDeposited, ({ accountNumber }) => accountNumber === 'ACC123')
 *
 * @returns the event
 * @throws {NotRunningError} `not_running`
 * @throws {InvalidOptionError} `invalid_option` for an option that is none
 * @throws {InvalidOutcomeError} `invalid_outcome` where the predicate gives a promise
 * @throws an error that test runners take for a failed assertion, where none has come in time
 */
export const assertReceiveEvent: typeof waitForEvent = waitForEvent

/**
 * Expects that an event, any of its definition or the one that `where` says yes to, is not stored by the time at which the application has
 * come to rest: no command under way, and every handler at the end. So there is nothing to wait for in vain.
 *
 * @example
 * import { refuteReceiveEvent } from 'edict/testing'
 *
 * await refuteReceiveEvent(bank, MoneyWithdrawn, ({ amount }) => amount > 100, {
 *   during: () => bank.dispatch(DepositMoney({ accountNumber: 'ACC123', amount: 5 })),
 * })
 *
 * @throws {NotRunningError} `not_running`
 * @throws {InvalidOptionError} `invalid_option` for an option that is none
 * @throws {InvalidOutcomeError} `invalid_outcome` where the predicate gives a promise
 * @throws an error that test runners take for a failed assertion, where there is one, or where the application does not come to rest
 */
export async function refuteReceiveEvent<Definition extends EventDefinition>(
  application: ApplicationUnderTest,
  definition: Definition,
  where?: EventPredicate<Definition>,
  options: RefuteOptions = {},
): Promise<void> {
  const inside = runningInsideOf(application, 'refuteReceiveEvent')
  checkOptions('refuteReceiveEvent', options, [...RECEIVE_OPTIONS, 'during'])
  const { timeout = DEFAULT_PATIENCE_MS, during } = options
  if (during !== undefined && typeof during !== 'function') {
    throw new InvalidOptionError('refuteReceiveEvent: during must be a function')
  }
  const after = options.after ?? (during === undefined ? 0 : await inside.services.store.headPosition())
  await during?.()
  await settled(application, { timeout })
  for await (const event of eventsAfter(inside, after)) {
    if (!isMeant(event, definition, where)) continue
    const { type, data, streamId, position } = event
    throw new ExpectationError(`${type} was stored, and ought not to be`, undefined, { type, data, streamId, position })
  }
}

/** Each event after a position, as long as there is time; undefined where it waits for one. */
export async function* following(
  inside: ApplicationInside,
  after: number,
  timeout: number,
): AsyncGenerator<RecordedEvent | undefined> {
  const { store } = inside.services
  const patience = new Patience(timeout)
  let position = after
  for (;;) {
    for await (const event of eventsAfter(inside, position)) {
      yield event
      position = Math.max(position, event.position)
    }
    if (patience.isOver) return
    await Patience.pause((wake) => store.watch(wake))
  }
}

/** Whether an event is of a definition, and the one that is meant. */
export function isMeant<Definition extends EventDefinition>(
  event: RecordedEvent | undefined,
  definition: Definition,
  where: EventPredicate<Definition> | undefined,
): event is RecordedOf<Definition> {
  if (event?.type !== definition.type) return false
  // Events of one type are of one definition in an application.
  const recorded = event as RecordedOf<Definition>
  if (where === undefined) return true
  return refusePromise(where(recorded.data as Readonly<DataOf<Definition>>, recorded), `the predicate of ${event.type}`)
}
