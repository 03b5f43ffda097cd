import { emptyInMemoryEventStore } from '../adapters/in-memory/in-memory-event-store.ts'
import { insideOf, runningApplications } from '../application/inside.ts'
import { InvalidOptionError, UnsupportedCapabilityError } from '../errors.ts'
import { runningInsideOf, type ApplicationUnderTest } from './application-under-test.ts'

/**
 * Gives an application that runs on a store in memory back as new: what is under way ends, its store is emptied, its aggregates are
 * forgotten, and its handlers begin anew, with `beforeReset` and `afterStart`. It goes on running under its name, and takes no commands
 * meanwhile.
 *
 * @example
 * import { resetApplication } from 'edict/testing'
 *
 * await bank.start()
 * await resetApplication(bank)
 *
 * @throws {NotRunningError} `not_running`
 * @throws {UnsupportedCapabilityError} `unsupported_capability` where its store is not one in memory
 * @throws {InvalidOptionError} `invalid_option` where another running application has the same store
 */
export async function resetApplication(application: ApplicationUnderTest): Promise<void> {
  const inside = runningInsideOf(application, 'resetApplication')
  const { store } = inside
  if (store.name !== 'in-memory') throw new UnsupportedCapabilityError(store.name, 'reset')
  for (const [name, other] of runningApplications) {
    if (other === application || insideOf(other)?.store !== store) continue
    throw new InvalidOptionError(`resetApplication: ${name} runs on the store of ${inside.name}, too: stop one of them`)
  }
  await inside.beginAnew(() => {
    if (!emptyInMemoryEventStore(store)) throw new UnsupportedCapabilityError(store.name, 'reset')
  })
}
