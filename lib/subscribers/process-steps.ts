import { frozenState } from '../aggregate/frozen-state.ts'
import { silencedPromise } from '../effects/refuse-promise.ts'
import { InvalidOutcomeError } from '../errors.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { ProcessManagerContext } from './process-context.ts'
import type { ProcessManagerModel } from './process-manager-model.ts'
import { plainData } from './process-records.ts'

// What an application and a test of a process manager do alike with what its functions give.

/** The state of an instance that begins. */
export function initialStateOf({ name, initialState }: Pick<ProcessManagerModel, 'name' | 'initialState'>): unknown {
  return frozenState(plainData(initialState(), `the initialState of ${name}`))
}

/** Whether `afterCommand` stops the instance. */
export function stopsAfter(
  { name, afterCommand }: Pick<ProcessManagerModel, 'name' | 'afterCommand'>,
  commands: Iterable<SealedMessage>,
  state: unknown,
  context: ProcessManagerContext,
): boolean {
  if (afterCommand === undefined) return false
  let stops = false
  for (const command of commands) {
    const answer: unknown = afterCommand(state, command, context)
    if (answer === 'stop') stops = true
    else if (answer !== undefined) {
      silencedPromise(answer)
      throw new InvalidOutcomeError(`${name}'s afterCommand of ${command.type} must give 'stop' or nothing`)
    }
  }
  return stops
}
