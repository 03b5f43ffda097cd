import { DefinitionError, UnregisteredCommandError } from '../errors.ts'
import type { CommandDefinition, EventDefinition, MessageOf } from '../messages/message.ts'
import type { RecordedEvent, RecordedOf } from '../messages/recorded-event.ts'
import { SealedMessage } from '../messages/sealed-message.ts'
import type { AggregateShape, CodesOf, CommandOf, EventOf, StateOf } from './aggregate-shape.ts'
import type { ApplyCheck, ApplyFunction, ApplyTable } from './apply-type.ts'
import type { ExecuteCheck, ExecuteFunction, ExecuteTable } from './execute-type.ts'
import type { ExecutionContext } from './execution-context.ts'
import { frozenState } from './frozen-state.ts'
import { AggregateModel, type AggregateDefinition } from './model.ts'
import { Rejection } from './rejection.ts'
import type { UniqueValues } from './unique.ts'
import type { EdictTypeError } from './type-error.ts'

declare const shape: unique symbol

/** Who decides: the pure functions that turn commands into events, and events into state. Frozen. */
export interface Aggregate<out Name extends string = string, out Shape extends AggregateShape = AggregateShape> {
  // Whatever has a name (a function does) would otherwise be asked for this one, where both may stand.
  readonly name: NoInfer<Name>
  readonly commands: readonly CommandOf<Shape>[]
  readonly events: readonly EventOf<Shape>[]
  /** The state of a new aggregate. Frozen. */
  initialState(): Readonly<StateOf<Shape>>
  /**
   * What `execute` decides, without a store: the events, or the rejection.
   *
   * @example
   * BankAccount.decide(undefined, OpenAccount({ accountNumber: 'ACC123', initialBalance: 5 })) // [AccountOpened({ … })]
   *
   * @param state `undefined` for that of a new aggregate; it is frozen
   * @param command made by its definition
   * @param context what is left out has fixed values, so that the same call decides the same
   * @throws {UnregisteredCommandError} `unregistered_command` where it is no command of this aggregate
   * @throws {InvalidOutcomeError} `invalid_outcome` where `execute` gives something else
   */
  decide<Made extends MessageOf<CommandOf<Shape>>>(
    state: Readonly<StateOf<Shape>> | undefined,
    command: Made,
    context?: Partial<ExecutionContext>,
  ): readonly MessageOf<EventOf<Shape>>[] | Rejection<CodesOf<Shape, Made['type']>>
  /**
   * The state that events lead to; takes made events and recorded ones.
   *
   * @example
   * BankAccount.fold(undefined, [AccountOpened({ accountNumber: 'ACC123', initialBalance: 5 })]).balance // 5
   *
   * @param state `undefined` for that of a new aggregate; it is frozen
   * @param events in the order in which they happened
   * @throws {UnreadableEventError} `unreadable_event` where one is no event of this aggregate
   */
  fold(
    state: Readonly<StateOf<Shape>> | undefined,
    events: Iterable<MessageOf<EventOf<Shape>> | RecordedOf<EventOf<Shape>>>,
  ): Readonly<StateOf<Shape>>
  readonly [shape]: Shape
}

/**
 * Defines an aggregate: what its commands decide, and what its events do to its state.
 *
 * @example
 * const BankAccount = aggregate('BankAccount', {
 *   commands: [OpenAccount, DepositMoney],
 *   events: [AccountOpened, MoneyDeposited],
 *   initialState: () => ({ status: 'new' as 'new' | 'open', balance: 0 }),
 *   execute: {
 *     OpenAccount: (account, command) =>
 *       account.status === 'open' ? reject('account_already_open') : AccountOpened(command),
 *     DepositMoney: (account, command) =>
 *       account.status === 'new' ? reject('account_not_open') : MoneyDeposited(command),
 *   },
 *   apply: {
 *     AccountOpened: (account, { initialBalance }) => { account.status = 'open'; account.balance = initialBalance },
 *     MoneyDeposited: (account, { amount }) => { account.balance += amount },
 *   },
 * })
 *
 * @param name a stored contract: it becomes the category of its streams, and never changes once events are stored
 * @param definition its commands and events, and the pure functions over them
 * @throws {DefinitionError} `invalid_definition`, naming what is missing or unknown
 */
export function aggregate<
  const Name extends string,
  State,
  const Commands extends readonly CommandDefinition[],
  const Events extends readonly EventDefinition[],
  Execute extends ExecuteTable<State, Commands[number]> | ExecuteFunction<State, Commands[number]>,
  Apply extends ApplyTable<State, Events[number]> | ApplyFunction<State, Events[number]>,
  const Shape extends AggregateShape,
>(
  name: Name & KnownKeys<Shape>,
  definition: Shape & {
    /** The commands that `execute` decides on. */
    readonly commands: Commands
    /** The events that `execute` may give, and `apply` knows. */
    readonly events: Events
    /** Gives the state of a new aggregate. */
    readonly initialState: () => State
    /**
     * Pure: from state and command to an event, a list of events, nothing, a rejection, or a multi. A table by command type of
     * functions `(state, data, context)`, or one function that takes the whole message.
     */
    readonly execute: ExecuteCheck<Shape['execute'], Name, Commands[number], Events[number]> & Execute
    /**
     * From state and event to the next state. A table by event type of functions on an Immer draft, which change it or return the
     * next state; or one pure function that takes the whole event.
     */
    readonly apply: ApplyCheck<Shape['apply'], Name, State, Events[number]['type']> & Apply
    /**
     * Values of the state that no other aggregate may have, by keys of your own. They are reserved, and released, together with
     * the events that change the state. @default none
     */
    readonly unique?: UniqueValues<State>
  },
): Aggregate<Name, Shape> {
  // What `definition` was checked for above is all that the shape says; of the types nothing is left at run time.
  return define(name, definition) as unknown as Aggregate<Name, Shape>
}

type KnownKeys<Shape> =
  Exclude<keyof Shape, keyof AggregateShape | 'unique'> extends infer Unknown extends string
    ? [Unknown] extends [never]
      ? unknown
      : EdictTypeError<`an aggregate has no ${Unknown}`>
    : unknown

const KEYS: ReadonlySet<string> = new Set(['commands', 'events', 'initialState', 'execute', 'apply', 'unique'])
const models = new WeakMap<object, AggregateModel>()

/** The run-time of an aggregate; undefined where the value is none. */
export function modelOf(aggregate: unknown): AggregateModel | undefined {
  return typeof aggregate === 'object' && aggregate !== null ? models.get(aggregate) : undefined
}

function define(name: string, definition: unknown): object {
  if (definition === null || typeof definition !== 'object') {
    throw new DefinitionError(`aggregate('${name}', …) needs its commands, events, initialState, execute and apply`)
  }
  for (const key of Object.keys(definition)) {
    if (!KEYS.has(key)) throw new DefinitionError(`${name}: an aggregate has no ${key}`)
  }
  const given = definition as Omit<AggregateDefinition, 'name'>
  const model = new AggregateModel({ ...given, name })
  const value = Object.freeze({
    name,
    commands: Object.freeze([...given.commands]),
    events: Object.freeze([...given.events]),
    initialState: () => model.initialState(),
    decide: (state: unknown, command: unknown, context?: Partial<ExecutionContext>) =>
      decide(model, state, command, context),
    fold: (state: unknown, events: Iterable<RecordedEvent>) => model.fold(startOf(model, state), events),
  })
  models.set(value, model)
  return value
}

const FIXED_CONTEXT = {
  commandId: 'decide',
  correlationId: 'decide',
  causationId: 'decide',
  metadata: Object.freeze({}),
}

function decide(model: AggregateModel, state: unknown, command: unknown, context?: Partial<ExecutionContext>): unknown {
  const definition = SealedMessage.definitionOf(command)
  if (definition === undefined || model.commands.get(definition.type) !== definition) {
    throw new UnregisteredCommandError(`${definition?.type ?? 'that'} is no command of ${model.name}`)
  }
  const current = startOf(model, state)
  const outcome = model.execute(current, command as SealedMessage, { ...FIXED_CONTEXT, now: new Date(0), ...context })
  const settled = model.settle(current, outcome, `${model.name}.execute of ${definition.type}`)
  return settled instanceof Rejection ? settled : settled.events
}

function startOf(model: AggregateModel, state: unknown): unknown {
  return state === undefined ? model.initialState() : frozenState(state)
}
