import type { Reply } from './outcome-type.ts'
import { ReplyWith } from './reply-with.ts'

/**
 * Answers the caller of a command handler with a value, beside the events to store: it becomes the result's `reply`.
 *
 * @example
 * async (account, { amount }) => {
 *   const receipt = await paymentProvider.charge(amount)
 *   return reply(receipt.number, MoneyCharged({ amount, receipt: receipt.number }))
 * }
 *
 * @param value anything; it is not stored
 * @param outcome what the handler would have returned without a reply. Default: nothing
 */
export function reply<const Value, const Out = undefined>(value: Value, outcome?: Out): Reply<Value, Out> {
  // The body keeps what it is given untyped; the face knows what it carries.
  return new ReplyWith(value, outcome) as unknown as Reply<Value, Out>
}
