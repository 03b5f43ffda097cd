import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { StartFrom } from '../event-store/start-from.ts'
import type { DefinitionOf, EventDefinition } from '../messages/message.ts'
import type { RecordedOf } from '../messages/recorded-event.ts'
import type { ErrorAction } from './error-action.ts'
import type { BatchHandlerContext } from './batch-context.ts'
import { keepHandlerBody } from './handler-body.ts'
import type { EventHandlerContext } from './handler-context.ts'
import { checkedModel, type FailureContext, type HandlerOccasion } from './handler-model.ts'
import type { RunnerOptions } from './runner-options.ts'
import { runningEventHandler } from './running-event-handler.ts'
import type { SubscribeTo } from './subscribe-to.ts'

/** A function for each type of event: a type that is left out does not compile. */
export type HandleTable<Events extends readonly EventDefinition[], State = undefined> = {
  readonly [Type in Events[number]['type']]: (
    data: RecordedOf<DefinitionOf<Events, Type>>['data'],
    recorded: RecordedOf<DefinitionOf<Events, Type>>,
    context: EventHandlerContext<State>,
  ) => void | Promise<void>
}

/** One function for all: `recorded` is a union that `recorded.type` tells apart. */
export type HandleFunction<Events extends readonly EventDefinition[], State = undefined> = (
  data: RecordedOf<Events[number]>['data'],
  recorded: RecordedOf<Events[number]>,
  context: EventHandlerContext<State>,
) => void | Promise<void>

/** What every handler can say of itself. */
interface HandlerOptions<Events extends readonly EventDefinition[], State> {
  /** The events that are handled; others cost the handler nothing. */
  readonly events: Events
  /**
   * Whose events: those of all streams, of one stream (`{ stream: 'bank-account-ACC123' }`), or of all streams of an aggregate
   * (`{ category: BankAccount }`, or its name). Others cost the handler nothing, and nobody waits for it because of them.
   * @default 'all'
   */
  readonly subscribeTo?: SubscribeTo
  /**
   * Says of an event whether the handler wants it; what it does not want counts as handled. Always the same for the same event. What it
   * throws is a failure of the handler at this event.
   * @default all are wanted
   */
  readonly selector?: (recorded: RecordedOf<Events[number]>) => boolean
  /**
   * Makes the state that `context.state` begins with: each time the handler starts on a node, and for each partition.
   * @default none
   */
  readonly initialState?: () => State
  /** Whether dispatches can wait for this handler. @default the application's `defaults.consistency` */
  readonly consistency?: 'eventual' | 'strong'
  /**
   * Where a handler begins that has never run: with the first event, with what comes next, or with the event at a position,
   * inclusive. Later it goes on where it was.
   * @default 'origin'
   */
  readonly startFrom?: StartFrom
  /**
   * The key of an event: those with the same key are handled in order. Always the same for the same event: it is asked again.
   * @default the stream's id
   */
  readonly partitionBy?: (recorded: RecordedOf<Events[number]>) => string | number
  /**
   * Says what becomes of an event whose handler failed: `retry()`, `skip()`, `stop()` or `park()`. What it throws, and any other
   * answer, stops the handler.
   * @default the application's `onHandlerError`; without that, retry with growing waits, then stop
   */
  readonly onError?: (
    error: unknown,
    recorded: RecordedOf<Events[number]>,
    context: FailureContext,
  ) => MaybePromise<ErrorAction>
  /** Called each time the handler starts, before its first event. A failure stops the handler. */
  readonly afterStart?: (context: HandlerOccasion) => MaybePromise<void>
  /**
   * Called before the handler begins anew by `application.handler(…).reset()`, while nobody handles its events: to empty its read
   * model. A failure leaves the handler where it was.
   */
  readonly beforeReset?: (context: HandlerOccasion) => MaybePromise<void>
}

/** An event handler that gets one event at a time. */
export interface EventHandlerDefinition<
  Events extends readonly EventDefinition[],
  State = undefined,
> extends HandlerOptions<Events, State> {
  /**
   * Handles an event: a table of functions by event type, or one function. It gets every event at least once, in order, one
   * at a time (with `concurrency`, for each partition); the next one when what it returned has settled. A promise that it
   * starts and does not return is its own.
   */
  readonly handle: HandleTable<Events, State> | HandleFunction<Events, State>
  /**
   * How many events are handled at once, over all nodes: the handler has so many partitions, each with a place of its own.
   * Events of one partition come in order, one at a time; the partitions are spread over the nodes that run the handler. Where the number
   * changes, the handler goes on at the place of the partition that was furthest behind, so that some events come again.
   * @default 1
   */
  readonly concurrency?: number
  readonly handleBatch?: undefined
  readonly batchSize?: undefined
  readonly batchTimeout?: undefined
}

/** An event handler that gets several events at once. */
export interface BatchHandlerDefinition<
  Events extends readonly EventDefinition[],
  State = undefined,
> extends HandlerOptions<Events, State> {
  readonly handle?: undefined
  /**
   * Handles several events at once, in order: all of them, or none. They come again together where it fails, and `onError` is asked once,
   * with the first of them. Not together with `concurrency`.
   */
  readonly handleBatch: (
    events: readonly RecordedOf<Events[number]>[],
    context: BatchHandlerContext<State>,
  ) => void | Promise<void>
  /** How many events make a batch, at most 10,000. */
  readonly batchSize: number
  /** Milliseconds after which a batch is handled that is not full, counted from its first event. @default 100 */
  readonly batchTimeout?: number
  readonly concurrency?: undefined
}

/** A handler of events, for an application's `handlers`, and for the `consistency` of a dispatch. */
export interface EventHandler<
  Name extends string = string,
  Events extends readonly EventDefinition[] = readonly EventDefinition[],
> {
  readonly name: Name
  readonly events: Events
}

/**
 * Defines a handler that follows events: it keeps a read model, sends mails, dispatches commands. An application that lists it
 * in `handlers` runs it. Its name is a stored contract: its place is kept under it.
 *
 * @example
 * const accountBalances = eventHandler('account-balances', {
 *   events: [AccountOpened, MoneyDeposited],
 *   consistency: 'strong',
 *   handle: {
 *     AccountOpened: ({ accountNumber, initialBalance }) => { balances.set(accountNumber, initialBalance) },
 *     MoneyDeposited: ({ accountNumber, amount }, recorded, { dispatch }) => { … },
 *   },
 * })
 *
 * @throws {DefinitionError} `invalid_definition` where the definition does not make sense: an unknown option, an event without
 *   a function, an event that stands there twice, …
 */
export function eventHandler<
  const Name extends string,
  const Events extends readonly EventDefinition[],
  State = undefined,
>(
  name: Name,
  definition: EventHandlerDefinition<Events, State> | BatchHandlerDefinition<Events, State>,
): EventHandler<Name, Events> {
  const model = checkedModel(name, definition)
  // A copy has the same definitions in the same order.
  const events = Object.freeze([...definition.events]) as unknown as Events
  const handler = Object.freeze({ name, events })
  const makeRunner = (options: RunnerOptions) => runningEventHandler(model, options)
  keepHandlerBody(handler, { name, model, makeRunner })
  return handler
}
