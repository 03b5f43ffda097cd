import { DefinitionError } from '../errors.ts'
import type { Command } from '../messages/message.ts'
import { SealedMessage } from '../messages/sealed-message.ts'

/** What becomes of a command of a process manager that failed, beside what `ErrorAction` says: made by `skipCommand` and `continueWith`. */
export class CommandAction {
  /** Dispatched instead of the one that failed and of those after it; undefined where those after it are. */
  readonly commands: readonly SealedMessage[] | undefined

  constructor(commands?: readonly SealedMessage[]) {
    this.commands = commands
    Object.freeze(this)
  }
}

const skipOne = new CommandAction()

/**
 * From `onError` of a process manager, for a command that failed: it is left out, and the commands after it are dispatched.
 * (`skip()` leaves those out too.)
 *
 * @example
 * onError: (error, failure) => (failure.during === 'command' ? skipCommand() : retry())
 */
export function skipCommand(): CommandAction {
  return skipOne
}

/**
 * From `onError` of a process manager, for a command that failed: these are dispatched instead of it and of the commands after it. The
 * decision is stored before they are, so that an event which comes again is not decided anew.
 *
 * @example
 * onError: (error, failure) =>
 *   failure.during === 'command' ? continueWith([CloseAccount({ accountNumber: failure.instanceId })]) : stop()
 *
 * @throws {DefinitionError} `invalid_definition` where that is no list of commands
 */
export function continueWith(commands: readonly Command[]): CommandAction {
  const given: unknown = commands
  if (Array.isArray(given) && given.every((one) => SealedMessage.definitionOf(one)?.kind === 'command')) {
    return new CommandAction(Object.freeze([...(given as SealedMessage[])]))
  }
  throw new DefinitionError('continueWith(commands) needs a list of commands')
}
