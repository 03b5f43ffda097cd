import { DefinitionError, frameworkCodes, type FrameworkCode } from '../errors.ts'
import type { EdictTypeError } from './type-error.ts'

/** What `reject` gives: the domain says no. The dispatch fails with `CommandRejectedError`, whose `code` is this one. */
export class Rejection<out Code extends string = string> {
  readonly code: Code
  readonly details: unknown
  /** Exists in types only, so that an object that merely looks like a rejection does not compile. */
  declare private readonly nominal: undefined

  constructor(code: Code, details: unknown) {
    this.code = code
    this.details = details
  }
}

/** Whether user code gave a rejection. */
export function isRejection(value: unknown): value is Rejection {
  return value instanceof Rejection
}

/**
 * Refuses a command, from `execute`, a command handler or `beforeExecute`. Nothing is stored.
 *
 * @example
 * WithdrawMoney: (account, { amount }) =>
 *   account.balance < amount ? reject('insufficient_funds', { missing: amount - account.balance }) : MoneyWithdrawn({ amount })
 *
 * @param code a code of your own; it becomes the error's code, typed in the result of `tryDispatch`
 * @param details anything that the caller should know; it becomes the error's `details`
 * @throws {DefinitionError} `invalid_definition` where the code is empty, or one of Edict's own
 */
export function reject<const Code extends string>(
  code: Code & (Code extends FrameworkCode ? EdictTypeError<`${Code} is one of Edict's own codes`> : unknown),
  details?: unknown,
): Rejection<Code> {
  if (typeof code !== 'string' || code === '') throw new DefinitionError('reject(code) needs a non-empty code')
  if (frameworkCodes.has(code)) {
    throw new DefinitionError(`reject('${code}'): that code is one of Edict's own, choose another`)
  }
  return new Rejection(code, details)
}
