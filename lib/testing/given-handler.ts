import type { Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape, EventOf, StateOf } from '../aggregate/aggregate-shape.ts'
import type { AggregateModel } from '../aggregate/model.ts'
import type { CodesIn, ReplyIn } from '../aggregate/outcome-type.ts'
import { isRejection } from '../aggregate/rejection.ts'
import { DefinitionError } from '../errors.ts'
import type { Command, MessageOf } from '../messages/message.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
import type { HandlerContext } from '../routing/handler-context.ts'
import { fixedContext } from './given-aggregate.ts'
import { Expectations, NothingExpected, type Happened, type ThrownMatch } from './happened.ts'

type AnyHandler = (state: never, data: never, context: never) => unknown

/** A command handler, as a router registers it. */
export interface HandlerUnderTest<Shape extends AggregateShape, To> {
  readonly aggregate: Aggregate<string, Shape>
  /** A function of state, data and context; or a table of them by command type. */
  readonly to: To & (AnyHandler | Readonly<Record<string, AnyHandler>>)
  /** Runs before it, as the router's registration says. */
  readonly beforeExecute?: (state: Readonly<StateOf<Shape>>, context: never) => unknown
}

type DataTaken<Handler> = Handler extends (state: never, data: infer Data, context: never) => unknown ? Data : never

/** The commands that a command handler takes. */
export type CommandsOfHandler<To> = To extends AnyHandler
  ? Command<string, DataTaken<To>>
  : { [Type in keyof To & string]: Command<Type, DataTaken<To[Type]>> }[keyof To & string]

type OutcomeOf<To, Type> = To extends (...given: never) => infer Out
  ? Awaited<Out>
  : Type extends keyof To
    ? To[Type] extends (...given: never) => infer Out
      ? Awaited<Out>
      : never
    : never

/** What a command handler replies with. */
export type ReplyOfHandler<To> = ReplyIn<
  To extends (...given: never) => infer Out ? Awaited<Out> : OutcomeOf<To, keyof To>
>

/** A command handler and its aggregate with a past, which wait for a command. */
export interface GivenHandler<Shape extends AggregateShape, Commands extends Command, Reply, To> {
  /** The command that comes. What is left out of the context has fixed values. */
  when<Made extends Commands>(
    command: Made,
    context?: Partial<HandlerContext>,
  ): HandlerOutcome<Shape, CodesIn<OutcomeOf<To, Made['type']>>, Reply>
}

/** What a command handler came to. Each expectation is a promise, which rejects where it is not met. */
export interface HandlerOutcome<Shape extends AggregateShape, Code extends string, Reply> {
  /** Just these events, in this order. */
  then(...events: readonly MessageOf<EventOf<Shape>>[]): Promise<void>
  /** No event, and no rejection. */
  thenNothing(): Promise<void>
  /** A rejection with this code; and with these details, where some are given. */
  thenRejects(code: Code, ...details: readonly [unknown?]): Promise<void>
  /** An exception: of this class, with this in its message, or with this code. */
  thenThrows(match?: ThrownMatch): Promise<void>
  /** The whole state after the command. */
  thenState(state: StateOf<Shape>): Promise<void>
  /** What it gave with `reply(value, events)`. */
  thenReplies(value: Reply): Promise<void>
}

/** Nobody runs what a handler under test schedules. */
const executeCommands: HandlerContext['executeCommands'] = (...commands) => ({
  commands: commands.map(({ type }, index) => ({ type, commandId: `scheduled-${index + 1}` })),
  depth: 1,
})

/** The body of `given({ to, aggregate }, events)`. */
export class HandledTest {
  readonly #model: AggregateModel
  readonly #state: unknown
  readonly #subject: HandlerUnderTest<AggregateShape, unknown>

  constructor(
    model: AggregateModel,
    subject: HandlerUnderTest<AggregateShape, unknown>,
    events: readonly RecordedEvent[],
  ) {
    this.#model = model
    this.#subject = subject
    this.#state = model.fold(model.initialState(), events)
  }

  when(command: unknown, context: Partial<HandlerContext> = {}): HandledOutcome {
    const definition = SealedMessage.definitionOf(command)
    if (definition?.kind !== 'command')
      throw new DefinitionError('when(command) needs a command that its definition made')
    // A definition has made it, so it is one.
    const sealed = command as SealedMessage
    const whole = {
      ...fixedContext,
      now: new Date(0),
      signal: new AbortController().signal,
      executeCommands,
      ...context,
    }
    const what = `${sealed.type} to the command handler of ${this.#model.name}`
    return new HandledOutcome(this.#happened(sealed, whole), what)
  }

  async #happened(command: SealedMessage, context: HandlerContext): Promise<Happened> {
    const state = this.#state
    const who = `the command handler of ${command.type}`
    try {
      const refused = await this.#beforeExecute(command, context)
      const outcome = isRejection(refused) ? refused : await this.#handlerOf(command.type)(state, command.data, context)
      const settled = this.#model.settle(state, outcome, who, true)
      return isRejection(settled) ? { kind: 'rejected', rejection: settled, state } : { kind: 'decided', ...settled }
    } catch (error) {
      return { kind: 'threw', error, state }
    }
  }

  #beforeExecute(command: SealedMessage, context: HandlerContext): unknown {
    // Its context is what the registration's type says.
    const before = this.#subject.beforeExecute as ((state: unknown, context: object) => unknown) | undefined
    return before?.(this.#state, { ...context, command })
  }

  #handlerOf(type: string): (state: unknown, data: unknown, context: HandlerContext) => unknown {
    const { to } = this.#subject
    const found = typeof to === 'function' ? to : (to as Readonly<Record<string, unknown>> | undefined)?.[type]
    if (typeof found !== 'function') throw new DefinitionError(`to has no function for ${type}`)
    // The types of the overloads have held the command against it; a method of an object keeps its object.
    const call = found as (state: unknown, data: unknown, context: HandlerContext) => unknown
    return typeof to === 'function' ? call : call.bind(to)
  }
}

class HandledOutcome {
  readonly #expectations: Promise<Expectations>
  readonly #what: string

  constructor(happened: Promise<Happened>, what: string) {
    this.#what = what
    this.#expectations = happened.then((it) => new Expectations(it, what))
  }

  async #expect(check: (expectations: Expectations) => void): Promise<void> {
    check(await this.#expectations)
  }

  then(...events: readonly unknown[]): Promise<void> | undefined {
    const [resolve, reject] = events
    // An await of the outcome itself, or a test runner to which it was returned.
    if (typeof resolve === 'function' && typeof reject === 'function') {
      // What an await passes takes what it rejects with.
      const refuse = reject as (error: unknown) => void
      refuse(new NothingExpected(this.#what))
      return undefined
    }
    return this.#expect((it) => {
      it.events(events)
    })
  }

  thenNothing(): Promise<void> {
    return this.#expect((it) => {
      it.events([])
    })
  }

  thenRejects(code: string, ...details: readonly [unknown?]): Promise<void> {
    return this.#expect((it) => {
      it.rejects(code, details)
    })
  }

  thenThrows(match?: ThrownMatch): Promise<void> {
    return this.#expect((it) => {
      it.throws(match)
    })
  }

  thenState(state: unknown): Promise<void> {
    return this.#expect((it) => {
      it.state(state)
    })
  }

  thenReplies(value: unknown): Promise<void> {
    return this.#expect((it) => {
      it.reply(value)
    })
  }
}
