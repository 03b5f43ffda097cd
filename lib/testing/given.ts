import { modelOf, type Aggregate } from '../aggregate/aggregate.ts'
import type { AggregateShape, CodesOf, CommandOf, EventOf, StateOf } from '../aggregate/aggregate-shape.ts'
import type { ExecutionContext } from '../aggregate/execution-context.ts'
import { DefinitionError } from '../errors.ts'
import type { EventDefinition, MessageOf } from '../messages/message.ts'
import type { RecordedEvent, RecordedOf } from '../messages/recorded-event.ts'
import type { ProcessManager } from '../subscribers/process-manager.ts'
import { processManagerBodyOf } from '../subscribers/process-manager-body.ts'
import { DecidedTest } from './given-aggregate.ts'
import type { CommandsOfHandler, GivenHandler, HandlerUnderTest, ReplyOfHandler } from './given-handler.ts'
import { HandledTest } from './given-handler.ts'
import { ManagedTest, type FollowedEvent, type GivenProcessManager } from './given-process-manager.ts'
import type { ThrownMatch } from './happened.ts'

/** What a test may say to begin with: the events of an aggregate, made or recorded. */
export type GivenEvents<Shape extends AggregateShape> = readonly (
  MessageOf<EventOf<Shape>> | RecordedOf<EventOf<Shape>>
)[]

/** An aggregate with a past, which waits for a command. */
export interface GivenAggregate<Shape extends AggregateShape> {
  /**
   * The command that comes. What is left out of the context has fixed values, so that the same test decides the same every time.
   *
   * @throws {UnregisteredCommandError} `unregistered_command` where it is no command of this aggregate
   */
  when<Made extends MessageOf<CommandOf<Shape>>>(
    command: Made,
    context?: Partial<ExecutionContext>,
  ): AggregateOutcome<Shape, CodesOf<Shape, Made['type']>>
}

/** What a command came to, for a test to say what it expects. Each expectation throws at once where it is not met. */
export interface AggregateOutcome<Shape extends AggregateShape, Code extends string> {
  /** Just these events, in this order. */
  then(...events: readonly MessageOf<EventOf<Shape>>[]): FurtherExpectations<StateOf<Shape>>
  /** No event, and no rejection. */
  thenNothing(): FurtherExpectations<StateOf<Shape>>
  /** A rejection with this code; and with these details, where some are given. */
  thenRejects(code: Code, ...details: readonly [unknown?]): void
  /** An exception: of this class, with this in its message, or with this code. */
  thenThrows(match?: ThrownMatch): void
  /** The whole state after the command, which is the one before where it was rejected. */
  thenState(state: StateOf<Shape>): FurtherExpectations<StateOf<Shape>>
}

/** What else a test may expect. It is no promise, so that a test may return it. */
export interface FurtherExpectations<State> {
  /** The whole state after the command. */
  thenState(state: State): FurtherExpectations<State>
}

/**
 * Begins a test of an aggregate: given these events, when a command comes, then … No store, no clock, no mock. Give
 * `{ to, aggregate }` as in a registration for a command handler, or a process manager, to which an event comes; their expectations are
 * promises.
 *
 * @example
 * import { given } from 'edict/testing'
 *
 * given(BankAccount, [AccountOpened({ accountNumber: 'ACC123', initialBalance: 100 })])
 *   .when(DepositMoney({ accountNumber: 'ACC123', amount: 50 }))
 *   .then(MoneyDeposited({ accountNumber: 'ACC123', amount: 50 }))
 *
 * given(BankAccount)
 *   .when(DepositMoney({ accountNumber: 'ACC123', amount: 50 }))
 *   .thenRejects('account_not_open')
 *
 * @param subject an aggregate, or a command handler with its aggregate
 * @param events what has happened, in order
 * @throws {UnreadableEventError} `unreadable_event` where one is no event of the aggregate
 */
export function given<Shape extends AggregateShape>(
  subject: Aggregate<string, Shape>,
  events?: GivenEvents<Shape>,
): GivenAggregate<Shape>
export function given<Shape extends AggregateShape, To>(
  subject: HandlerUnderTest<Shape, To>,
  events?: GivenEvents<Shape>,
): GivenHandler<Shape, CommandsOfHandler<To>, ReplyOfHandler<To>, To>
export function given<Events extends readonly EventDefinition[], State>(
  subject: ProcessManager<string, Events, State>,
  events?: readonly FollowedEvent<Events>[],
): GivenProcessManager<Events, State>
export function given(subject: object, events: readonly unknown[] = []): unknown {
  // JavaScript gives null too.
  if (typeof subject !== 'object' || (subject as unknown) === null) throw unfit()
  if (!Array.isArray(events)) throw new DefinitionError('given(subject, events) needs a list of events')
  // Both are held against their types by the overloads; here they are only what will be folded and called.
  const past = events as readonly RecordedEvent[]
  const model = modelOf(subject)
  if (model !== undefined) return new DecidedTest(model, past)
  const manager = processManagerBodyOf(subject)
  if (manager !== undefined) return new ManagedTest(manager.model, past)
  const { aggregate } = subject as Partial<HandlerUnderTest<AggregateShape, unknown>>
  const handled = modelOf(aggregate)
  if (handled === undefined) throw unfit()
  return new HandledTest(handled, subject as HandlerUnderTest<AggregateShape, unknown>, past)
}

function unfit(): DefinitionError {
  return new DefinitionError('given(subject, events) needs an aggregate, { to, aggregate }, or a process manager')
}
