import { silencedPromise } from '../effects/refuse-promise.ts'
import { InvalidOutcomeError } from '../errors.ts'
import { SealedMessage } from '../messages/sealed-message.ts'

/**
 * The commands that `handle` of a process manager gave for an event.
 *
 * @throws {InvalidOutcomeError} `invalid_outcome` where it gave something else
 */
export function commandsOf(name: string, type: string, given: unknown): readonly SealedMessage[] {
  if (given === undefined || given === null) return NONE
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.every((one) => SealedMessage.definitionOf(one)?.kind === 'command')) {
    // The definition of each says that it is one.
    return list as readonly SealedMessage[]
  }
  list.forEach(silencedPromise)
  throw new InvalidOutcomeError(`${name}'s handle of ${type} must give commands, a list of them, or nothing`)
}

const NONE: readonly SealedMessage[] = Object.freeze([])
