import { MultiSteps } from './multi-steps.ts'
import type { Multi } from './outcome-type.ts'

/**
 * Begins a list of steps that each see the state that the earlier ones left; all of them take effect, or none (Commanded's
 * `Aggregate.Multi`).
 *
 * @example
 * WithdrawMoney: (account, { amount }) =>
 *   multi(account)
 *     .execute(() => MoneyWithdrawn({ amount }))
 *     .execute((after) => (after.balance < 0 ? reject('insufficient_funds') : undefined))
 *
 * @param state the very state that `execute` was given
 * @throws {InvalidOutcomeError} `invalid_outcome`, from the dispatch, where it is another state
 */
export function multi<State>(state: State): Multi<State> {
  // The body keeps what it is given untyped; the face knows what it carries.
  return new MultiSteps(state, []) as unknown as Multi<State>
}
