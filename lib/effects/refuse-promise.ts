import { InvalidOutcomeError } from '../errors.ts'
import { isPromiseLike } from './maybe-promise.ts'

/** Whether it is a promise, of which nobody wants to hear: one that is refused and fails later must not end the process. */
export function silencedPromise(given: unknown): boolean {
  try {
    if (!isPromiseLike(given)) return false
    Promise.resolve(given).catch(() => undefined)
    return true
  } catch {
    // It throws when it is asked for its `then`: nothing that could fail later.
    return false
  }
}

/**
 * What a synchronous function of the user's gave. `who` says which, for messages: `'BankAccount.initialState'`.
 *
 * @throws {InvalidOutcomeError} `invalid_outcome` where it is a promise
 */
export function refusePromise<Value>(given: Value, who: string): Value {
  if (silencedPromise(given)) throw new InvalidOutcomeError(`${who} gave a promise: it is synchronous`)
  return given
}
