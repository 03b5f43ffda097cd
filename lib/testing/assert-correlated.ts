import { checkOptions } from '../event-store/argument-checks.ts'
import type { EventDefinition } from '../messages/message.ts'
import type { RecordedEvent, RecordedOf } from '../messages/recorded-event.ts'
import { runningInsideOf, type ApplicationUnderTest } from './application-under-test.ts'
import { ExpectationError } from './expectation-error.ts'
import { following, isMeant, type EventPredicate } from './receive-event.ts'
import { DEFAULT_PATIENCE_MS, RECEIVE_OPTIONS, type ReceiveOptions } from './settled.ts'

/** An event that is meant: its definition, and which of its events. */
export type Meant<Definition extends EventDefinition> = readonly [
  definition: Definition,
  where?: EventPredicate<Definition>,
]

/**
 * Expects two events, stored already or to come in time, of one correlation: one command has led to both, whatever lies between.
 *
 * @example
 * import { assertCorrelated } from 'edict/testing'
 *
 * const [opened, deposited] = await assertCorrelated(
 *   bank,
 *   [AccountOpened, ({ accountNumber }) => accountNumber === 'ACC123'],
 *   [MoneyDeposited, ({ accountNumber }) => accountNumber === 'ACC123'],
 * )
 *
 * @returns the two events
 * @throws {NotRunningError} `not_running`
 * @throws {InvalidOptionError} `invalid_option` for an option that is none
 * @throws {InvalidOutcomeError} `invalid_outcome` where the predicate gives a promise
 * @throws an error that test runners take for a failed assertion, where there are no two such events in time
 */
export async function assertCorrelated<One extends EventDefinition, Other extends EventDefinition>(
  application: ApplicationUnderTest,
  one: Meant<One>,
  other: Meant<Other>,
  options: ReceiveOptions = {},
): Promise<readonly [RecordedOf<One>, RecordedOf<Other>]> {
  const inside = runningInsideOf(application, 'assertCorrelated')
  checkOptions('assertCorrelated', options, RECEIVE_OPTIONS)
  const { after = 0, timeout = DEFAULT_PATIENCE_MS } = options
  const ones = new Map<string, RecordedOf<One>>()
  const others = new Map<string, RecordedOf<Other>>()
  for await (const event of following(inside, after, timeout)) {
    if (event === undefined) continue
    const { correlationId } = event
    if (isMeant(event, ...one) && !ones.has(correlationId)) ones.set(correlationId, event)
    if (isMeant(event, ...other) && !others.has(correlationId)) others.set(correlationId, event)
    const first = ones.get(correlationId)
    const second = others.get(correlationId)
    if (first !== undefined && second !== undefined) return [first, second]
  }
  throw new ExpectationError(
    `no ${one[0].type} and ${other[0].type} of one correlation were stored within ${timeout} ms`,
    `a ${one[0].type} and a ${other[0].type} of one correlation`,
    { [one[0].type]: correlations(ones), [other[0].type]: correlations(others) },
  )
}

function correlations(found: ReadonlyMap<string, RecordedEvent>): unknown[] {
  return Array.from(found.values(), ({ position, correlationId, causationId }) => ({
    position,
    correlationId,
    causationId,
  }))
}
