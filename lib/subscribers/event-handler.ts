import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { StartFrom } from '../event-store/persistent-subscription.ts'
import type { EventDefinition, MessageDefinition, MessageKind } from '../messages/message.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ErrorAction } from './error-action.ts'
import type { EventHandlerContext } from './handler-context.ts'
import { checkedModel, keepModel, type FailureContext } from './handler-model.ts'

/** The recorded events of a definition. */
export type RecordedOf<Definition> =
  Definition extends MessageDefinition<MessageKind, infer Type, infer Data, never> ? RecordedEvent<Type, Data> : never

type ByType<Events extends readonly EventDefinition[], Type> = Extract<Events[number], { readonly type: Type }>

/** A function for each type of event: a type that is left out does not compile. */
export type HandleTable<Events extends readonly EventDefinition[]> = {
  readonly [Type in Events[number]['type']]: (
    data: RecordedOf<ByType<Events, Type>>['data'],
    recorded: RecordedOf<ByType<Events, Type>>,
    context: EventHandlerContext,
  ) => void | Promise<void>
}

/** One function for all: `recorded` is a union that `recorded.type` tells apart. */
export type HandleFunction<Events extends readonly EventDefinition[]> = (
  data: RecordedOf<Events[number]>['data'],
  recorded: RecordedOf<Events[number]>,
  context: EventHandlerContext,
) => void | Promise<void>

export interface EventHandlerDefinition<Events extends readonly EventDefinition[]> {
  /** The events that are handled; others cost the handler nothing. */
  readonly events: Events
  /**
   * Handles an event: a table of functions by event type, or one function. It gets every event at least once, in order, one
   * at a time (with `concurrency`, for each partition); the next one when what it returned has settled. A promise that it
   * starts and does not return is its own.
   */
  readonly handle: HandleTable<Events> | HandleFunction<Events>
  /** Whether dispatches can wait for this handler. @default the application's `defaults.consistency` */
  readonly consistency?: 'eventual' | 'strong'
  /**
   * Where a handler begins that has never run: with the first event, with what comes next, or with the event at a position,
   * inclusive. Later it goes on where it was.
   * @default 'origin'
   */
  readonly startFrom?: StartFrom
  /**
   * How many events are handled at once, over all nodes: the handler has so many partitions, each with a place of its own.
   * Events of one partition come in order, one at a time; the partitions are spread over the nodes that run the handler. Where the number
   * changes, the handler goes on at the place of the partition that was furthest behind, so that some events come again.
   * @default 1
   */
  readonly concurrency?: number
  /**
   * The key of an event: those with the same key are handled in order. Always the same for the same event: it is asked again.
   * @default the stream's id
   */
  readonly partitionBy?: (recorded: RecordedOf<Events[number]>) => string | number
  /**
   * Says what becomes of an event whose handler failed: `retry()`, `skip()` or `stop()`. What it throws, and any other answer,
   * stops the handler.
   * @default retry with growing waits, then stop
   */
  readonly onError?: (
    error: unknown,
    recorded: RecordedOf<Events[number]>,
    context: FailureContext,
  ) => MaybePromise<ErrorAction>
  /** Called each time the handler starts, before its first event. A failure stops the handler. */
  readonly afterStart?: (context: { readonly handlerName: string; readonly application: string }) => MaybePromise<void>
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
export function eventHandler<const Name extends string, const Events extends readonly EventDefinition[]>(
  name: Name,
  definition: EventHandlerDefinition<Events>,
): EventHandler<Name, Events> {
  const model = checkedModel(name, definition)
  const handler = Object.freeze({ name, events: Object.freeze([...definition.events]) as unknown as Events })
  keepModel(handler, model)
  return handler
}
