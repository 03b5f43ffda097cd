import { difference } from './difference.ts'
import { isSame } from './same-value.ts'

/**
 * What an expectation of the testing kit throws: an error that every test runner takes for a failed assertion. Those that show
 * differences find `expected` and `actual`; the message shows theirs, too.
 */
export class ExpectationError extends Error {
  // By these, and not by a class of theirs, test runners know a failed assertion.
  override readonly name = 'AssertionError'
  readonly code = 'ERR_ASSERTION'
  readonly expected: unknown
  readonly actual: unknown

  constructor(message: string, expected: unknown, actual: unknown, options?: ErrorOptions) {
    super(`${message}\n\n${difference(expected, actual)}`, options)
    this.expected = expected
    this.actual = actual
  }
}

/** @throws {ExpectationError} where the two differ */
export function expectSame(actual: unknown, expected: unknown, what: string, options?: ErrorOptions): void {
  if (!isSame(actual, expected)) throw new ExpectationError(what, expected, actual, options)
}
