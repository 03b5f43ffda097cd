import type { ExecutionContext } from '../aggregate/execution-context.ts'
import type { AggregateModel } from '../aggregate/model.ts'
import { Rejection } from '../aggregate/rejection.ts'
import { UnregisteredCommandError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
import { Expectations, type Happened, type ThrownMatch } from './happened.ts'

/** What `execute` knows where a test does not say it. */
export const fixedContext: Omit<ExecutionContext, 'now'> = {
  commandId: 'command-1',
  correlationId: 'command-1',
  causationId: 'command-1',
  metadata: Object.freeze({}),
}

/** The body of `given(aggregate, events)`. */
export class DecidedTest {
  readonly #model: AggregateModel
  readonly #state: unknown

  constructor(model: AggregateModel, events: readonly RecordedEvent[]) {
    this.#model = model
    this.#state = model.fold(model.initialState(), events)
  }

  when(command: unknown, context: Partial<ExecutionContext> = {}): DecidedOutcome {
    const model = this.#model
    const definition = SealedMessage.definitionOf(command)
    if (definition === undefined || model.commands.get(definition.type) !== definition) {
      throw new UnregisteredCommandError(`${definition?.type ?? 'that'} is no command of ${model.name}`)
    }
    const whole = { ...fixedContext, now: new Date(0), ...context }
    // A definition has made it, so it is one.
    const happened = this.#decided(command as SealedMessage, whole)
    return new DecidedOutcome(new Expectations(happened, `${definition.type} to ${model.name}`))
  }

  #decided(command: SealedMessage, context: ExecutionContext): Happened {
    const state = this.#state
    try {
      const outcome = this.#model.execute(state, command, context)
      const settled = this.#model.settle(state, outcome, `${this.#model.name}.execute of ${command.type}`)
      return settled instanceof Rejection
        ? { kind: 'rejected', rejection: settled, state }
        : { kind: 'decided', ...settled }
    } catch (error) {
      return { kind: 'threw', error, state }
    }
  }
}

class DecidedOutcome {
  readonly #expectations: Expectations
  readonly #further: { thenState(state: unknown): unknown }

  constructor(expectations: Expectations) {
    this.#expectations = expectations
    const further = {
      thenState: (state: unknown) => {
        expectations.state(state)
        return further
      },
    }
    this.#further = further
  }

  then(...events: readonly unknown[]): unknown {
    this.#expectations.events(events)
    return this.#further
  }

  thenNothing(): unknown {
    this.#expectations.events([])
    return this.#further
  }

  thenRejects(code: string, ...details: readonly [unknown?]): void {
    this.#expectations.rejects(code, details)
  }

  thenThrows(match?: ThrownMatch): void {
    this.#expectations.throws(match)
  }

  thenState(state: unknown): unknown {
    return this.#further.thenState(state)
  }
}
