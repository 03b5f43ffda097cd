import type { DefinitionOf, EventDefinition } from '../messages/message.ts'
import type { RecordedOf } from '../messages/recorded-event.ts'
import type { EventHandlerDefinition } from '../subscribers/event-handler.ts'
import { applicationBatches } from './application-batches.ts'
import { backgroundWorkflow } from './background-workflow.ts'
import type { WorkflowContext } from './workflow-context.ts'
import { keepWorkflowBody } from './workflow-body.ts'
import { checkedWorkflow } from './workflow-model.ts'

/** A function for each type of event: a type that is left out does not compile. */
export type WorkflowTable<Events extends readonly EventDefinition[]> = {
  readonly [Type in Events[number]['type']]: (
    data: RecordedOf<DefinitionOf<Events, Type>>['data'],
    recorded: RecordedOf<DefinitionOf<Events, Type>>,
    context: WorkflowContext,
  ) => void | Promise<void>
}

/** One function for all: `recorded` is a union that `recorded.type` tells apart. */
export type WorkflowFunction<Events extends readonly EventDefinition[]> = (
  data: RecordedOf<Events[number]>['data'],
  recorded: RecordedOf<Events[number]>,
  context: WorkflowContext,
) => void | Promise<void>

interface WorkflowParts<Events extends readonly EventDefinition[]> {
  /** The events that it follows. */
  readonly events: Events
  /** What is done because of an event: a table of functions by event type, or one function. */
  readonly handle: WorkflowTable<Events> | WorkflowFunction<Events>
}

/** A workflow that runs inside the transaction. */
export interface ForegroundWorkflow<Events extends readonly EventDefinition[]> extends WorkflowParts<Events> {
  /** @default false */
  readonly background?: false
}

/** A workflow that runs after the commit: it gets each event at least once, and has the options of an event handler. */
export interface BackgroundWorkflow<Events extends readonly EventDefinition[]>
  extends
    WorkflowParts<Events>,
    Pick<EventHandlerDefinition<Events>, 'consistency' | 'startFrom' | 'partitionBy' | 'concurrency' | 'onError'> {
  readonly background: true
}

/** Goes from events to commands; for an application's `workflows`. */
export interface Workflow<
  Name extends string = string,
  Events extends readonly EventDefinition[] = readonly EventDefinition[],
> {
  readonly name: Name
  readonly events: Events
  readonly isBackground: boolean
}

/**
 * Defines what follows from events, inside the transaction that they belong to, or after it. In the foreground it sees each event
 * right after the command that made it; what it schedules comes at the end of the batch, and what it throws rolls the whole batch back.
 * In the background (`background: true`) it is a handler of its own, whose commands are a batch of their own.
 *
 * @example
 * const bookkeeping = workflow('bookkeeping', {
 *   events: [MoneyDeposited],
 *   handle: {
 *     MoneyDeposited: ({ amount }, recorded, { executeCommands }) => {
 *       executeCommands(DepositMoney({ accountNumber: 'the-bank', amount }))
 *     },
 *   },
 * })
 *
 * @throws {DefinitionError} `invalid_definition` where the definition does not make sense: an unknown option, an event without
 *   a function, an option of background workflows in the foreground, …
 */
export function workflow<const Name extends string, const Events extends readonly EventDefinition[]>(
  name: Name,
  definition: ForegroundWorkflow<Events> | BackgroundWorkflow<Events>,
): Workflow<Name, Events> {
  const { model, isBackground } = checkedWorkflow(name, definition)
  const made = Object.freeze({
    name,
    // A copy of the list that the type was taken from.
    events: Object.freeze([...definition.events]) as unknown as Events,
    isBackground,
  })
  keepWorkflowBody(
    made,
    isBackground
      ? { ...backgroundWorkflow(model, definition), makeBatches: applicationBatches }
      : { kind: 'foreground', model, makeBatches: applicationBatches },
  )
  return made
}
