import type { EventProcessing } from './event-processing.ts'
import type { Event } from './message.ts'
import { SealedMessage } from './sealed-message.ts'

/**
 * Marks an event, so that the command that leads to it is answered when every handler that the event interests is done with it:
 * event handlers, process managers and projections, whatever their consistency. It wins over the application's `eventProcessing`.
 * The mark is not stored.
 *
 * @example
 * DepositMoney: (_account, { accountNumber, amount }) => synchronously(MoneyDeposited({ accountNumber, amount }))
 *
 * @returns the event with its mark; the one that was given is as it was
 * @throws {TypeError} where it is no event that its definition made
 */
export function synchronously<Marked extends Event>(event: Marked): Marked {
  return marked('synchronously', event, 'sync')
}

/**
 * Marks an event, so that the command that leads to it does not wait for the handlers of the event, where the application's
 * `eventProcessing` is `'sync'`. A dispatch that asks for strong consistency waits for it all the same. The mark is not stored.
 *
 * @example
 * DepositMoney: (_account, { accountNumber, amount }) => asynchronously(MoneyDeposited({ accountNumber, amount }))
 *
 * @returns the event with its mark; the one that was given is as it was
 * @throws {TypeError} where it is no event that its definition made
 */
export function asynchronously<Marked extends Event>(event: Marked): Marked {
  return marked('asynchronously', event, 'async')
}

function marked<Marked extends Event>(who: string, event: Marked, processing: EventProcessing): Marked {
  const given: unknown = event
  if (SealedMessage.definitionOf(given)?.kind === 'event') {
    // What the body is for, the types of `Marked` say of the face.
    return SealedMessage.marked(given as SealedMessage, processing) as unknown as Marked
  }
  throw new TypeError(`${who}(event) needs an event that its definition made`)
}
