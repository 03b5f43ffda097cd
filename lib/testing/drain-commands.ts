import { runningInsideOf, type ApplicationUnderTest } from './application-under-test.ts'

/**
 * Runs the queued commands that are due, and those that these lead to, one after another, until there are none. For an application without
 * `workers`, so that a test says when they run. What waits for a time of its own, or for its next attempt, stays.
 *
 * @example
 * import { drainCommands } from 'edict/testing'
 *
 * await bank.start()
 * await bank.enqueue(OpenAccount({ accountNumber: 'ACC123', initialBalance: 5 }))
 * await drainCommands(bank) // => 1
 *
 * @returns how many were run
 * @throws {NotRunningError} `not_running`
 * @throws {UnsupportedCapabilityError} `unsupported_capability` where the store keeps no commands
 */
export async function drainCommands(application: ApplicationUnderTest): Promise<number> {
  return runningInsideOf(application, 'drainCommands').runQueued()
}
