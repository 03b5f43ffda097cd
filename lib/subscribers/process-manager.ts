import type { ApplyFunction } from '../aggregate/apply-type.ts'
import type { Draft } from '../aggregate/draft.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { StartFrom } from '../event-store/start-from.ts'
import type { Command, DefinitionOf, EventDefinition } from '../messages/message.ts'
import type { RecordedOf } from '../messages/recorded-event.ts'
import { identityText } from '../routing/identity.ts'
import type { ErrorAction } from './error-action.ts'
import type { ProcessFailure, ProcessFailureContext, ProcessManagerContext } from './process-context.ts'
import type { CommandAction } from './process-error-action.ts'
import type { ProcessInterest } from './process-interest.ts'
import { keepProcessManagerBody } from './process-manager-body.ts'
import { checkedProcessManager } from './process-manager-model.ts'
import { checkInstanceId, processStateId } from './process-name.ts'
import { ProcessRecordReader } from './process-records.ts'
import type { SubscribeTo } from './subscribe-to.ts'
import { runningProcessManager } from './running-process-manager.ts'

declare const state: unique symbol

type RecordedAs<Events extends readonly EventDefinition[], Type> = RecordedOf<DefinitionOf<Events, Type>>
type AnyRecorded<Events extends readonly EventDefinition[]> = RecordedOf<Events[number]>

/** For each type of event, which instance it concerns: a type that is left out does not compile. */
export type InterestedTable<Events extends readonly EventDefinition[]> = {
  readonly [Type in Events[number]['type']]: (
    data: RecordedAs<Events, Type>['data'],
    recorded: RecordedAs<Events, Type>,
  ) => ProcessInterest | undefined
}

/** One function for all: `recorded` is a union that `recorded.type` tells apart. */
export type InterestedFunction<Events extends readonly EventDefinition[]> = (
  data: AnyRecorded<Events>['data'],
  recorded: AnyRecorded<Events>,
) => ProcessInterest | undefined

/** What an event leads to: a command, several in their order, or none. */
export type ProcessCommands = Command | readonly Command[] | undefined | void

/** For types of event, the commands that one leads to; one that is left out leads to none. */
export type ProcessHandleTable<Events extends readonly EventDefinition[], State> = {
  readonly [Type in Events[number]['type']]?: (
    state: Readonly<State>,
    data: RecordedAs<Events, Type>['data'],
    recorded: RecordedAs<Events, Type>,
    context: ProcessManagerContext,
  ) => MaybePromise<ProcessCommands>
}

/** One function for all: `recorded` is a union that `recorded.type` tells apart. */
export type ProcessHandleFunction<Events extends readonly EventDefinition[], State> = (
  state: Readonly<State>,
  data: AnyRecorded<Events>['data'],
  recorded: AnyRecorded<Events>,
  context: ProcessManagerContext,
) => MaybePromise<ProcessCommands>

/** For types of event, what one does to the state; one that is left out changes nothing. */
export type ProcessApplyTable<Events extends readonly EventDefinition[], State> = {
  readonly [Type in Events[number]['type']]?: (
    draft: Draft<State>,
    data: RecordedAs<Events, Type>['data'],
  ) => State | Draft<State> | void
}

/** What a process manager is made of: which instance an event concerns, what it does about it, and what it remembers. */
export interface ProcessManagerDefinition<Events extends readonly EventDefinition[], State> {
  /** The events that it follows; others cost it nothing. */
  readonly events: Events
  /** Whose events: those of one stream, or of all streams of an aggregate. @default 'all' */
  readonly subscribeTo?: SubscribeTo
  /** Gives the state of a new instance: plain data, as events hold it. */
  readonly initialState: () => State
  /**
   * Says which instance an event concerns: a table of functions by event type, or one function. It gives `{ start: id }`,
   * `{ continue: id }`, each with `strict: true` if need be, `{ stop: id }`, or nothing; a list of ids means several instances. Pure:
   * the same event always means the same.
   */
  readonly interested: InterestedTable<Events> | InterestedFunction<Events>
  /**
   * Says which commands an event leads to, in a state: a table of functions by event type, or one function. They are dispatched one
   * after another, each with an id that derives from event, instance and place, so that an event that comes again has no second
   * effect. Pure, therefore: the same state and event always lead to the same commands. May be asynchronous.
   */
  readonly handle: ProcessHandleTable<Events, NoInfer<State>> | ProcessHandleFunction<Events, NoInfer<State>>
  /**
   * What an event does to the state, once its commands are executed: a table by event type of functions on an Immer draft, which
   * change it or return the next state; or one pure function that takes state and event.
   * @default nothing
   */
  readonly apply?: ProcessApplyTable<Events, NoInfer<State>> | ApplyFunction<NoInfer<State>, Events[number]>
  /**
   * Says what becomes of an event that was routed wrongly (`skip()`, `stop()`), of one that could not be handled (those, and `retry()`),
   * and of a command that failed (those, `skipCommand()` and `continueWith(commands)`). What it throws, and any other answer, stops
   * the process manager.
   * @default retry with growing waits, then stop; stop at once where an event was routed wrongly, or ran out of its time
   */
  readonly onError?: (
    error: unknown,
    failure: ProcessFailure<AnyRecorded<Events>, NoInfer<State>>,
    context: ProcessFailureContext,
  ) => MaybePromise<ErrorAction | CommandAction>
  /** Called for each command that was executed, with the state after the event; `'stop'` stops the instance, as `{ stop: id }` does. */
  readonly afterCommand?: (
    state: Readonly<NoInfer<State>>,
    command: Command,
    context: ProcessManagerContext,
  ) => 'stop' | undefined | void
  /** Whether dispatches can wait for this process manager. @default the application's `defaults.consistency` */
  readonly consistency?: 'eventual' | 'strong'
  /** Where a process manager begins that has never run: as for an event handler. @default 'origin' */
  readonly startFrom?: StartFrom
  /** How many instances are at work at once, at most; each with one event. @default 64 */
  readonly concurrency?: number
  /** How many instances are kept in memory; the least recently used give way, and are read from the store again. @default 10_000 */
  readonly cachedInstances?: number
  /** Milliseconds for an event to be handled, waits before a retry not counted. Then it fails with `event_timeout`. @default none */
  readonly eventTimeout?: number
  /** Milliseconds after which an instance that has nothing to do is let go from memory. @default none */
  readonly idleTimeout?: number
  /** The version of the state's shape, a whole number from 1. Raise it when the shape changes, and give `migrateState`. @default 1 */
  readonly stateVersion?: number
  /** Gives the state of today for one that was stored with another `stateVersion`. Without it, such a state is an error. */
  readonly migrateState?: (stored: unknown, version: number) => State
}

/** A process manager, for an application's `handlers`, for the `consistency` of a dispatch, and for `processState`. */
export interface ProcessManager<
  Name extends string = string,
  Events extends readonly EventDefinition[] = readonly EventDefinition[],
  out State = unknown,
> {
  readonly name: Name
  readonly events: Events
  /** Exists in types only. */
  readonly [state]?: State
}

/** What tells an event handler from a process manager, in types. */
export interface NoProcessManager {
  readonly [state]?: never
}

/**
 * Defines a process manager: it follows events and leads to commands, with a state for each instance of the process. An application
 * that lists it in `handlers` runs it. Its name is a stored contract: its place and the states are kept under it.
 *
 * @example
 * const welcome = processManager('welcome', {
 *   events: [AccountOpened, MoneyDeposited],
 *   initialState: () => ({ gifts: 0 }),
 *   interested: {
 *     AccountOpened: ({ accountNumber }) => ({ start: accountNumber }),
 *     MoneyDeposited: ({ accountNumber }) => ({ continue: accountNumber }),
 *   },
 *   handle: {
 *     AccountOpened: (_state, { accountNumber }) => DepositMoney({ accountNumber, amount: 5 }),
 *   },
 *   apply: {
 *     AccountOpened: (state) => { state.gifts += 1 },
 *   },
 * })
 *
 * @throws {DefinitionError} `invalid_definition` where the definition does not make sense: an unknown option, an event in which nobody
 *   says who is interested, …
 */
export function processManager<const Name extends string, const Events extends readonly EventDefinition[], State>(
  name: Name,
  definition: ProcessManagerDefinition<Events, State>,
): ProcessManager<Name, Events, State> {
  const model = checkedProcessManager(name, definition)
  const value: ProcessManager<Name, Events, State> = Object.freeze({
    name,
    // The list is the very one, frozen; what a copy of a tuple holds is known only by its elements.
    events: Object.freeze([...definition.events]) as unknown as Events,
  })
  keepProcessManagerBody(value, {
    name,
    model,
    makeRunner: (options) => runningProcessManager(model, options),
    readState: async (store, codec, id, tenant) => {
      const instanceId = identityText(id, `the id of an instance of ${name}`)
      checkInstanceId(name, instanceId, tenant)
      const stateId = processStateId(name, instanceId, tenant)
      const record = await new ProcessRecordReader({ model, store, codec }).read({ stateId, tenant })
      return record.status === 'running' ? record.state : undefined
    },
  })
  return value
}
