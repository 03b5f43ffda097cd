import { silencedPromise } from '../effects/refuse-promise.ts'
import { DefinitionError } from '../errors.ts'
import type { StartFrom } from '../event-store/start-from.ts'
import type { SubscriptionFilter } from '../event-store/subscription-filter.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { isWhole } from '../messages/whole-number.ts'
import { checkedBatching, type Batching } from './batching.ts'
import type { EventHandlerContext } from './handler-context.ts'
import { PROJECTION_CHECKPOINT, RESERVED_IN_NAMES } from './partition-names.ts'
import type { PartitionBy } from './partitioning.ts'
import { checkedSubscribeTo } from './subscribe-to.ts'
import {
  checkedConsistency,
  checkedFunction,
  checkedName,
  checkedOptions,
  checkedStart,
  checkedTable,
  checkedTypes,
} from './subscriber-checks.ts'

/** What `onError` may know beside the error and the event. */
export interface FailureContext {
  /** How often this event has failed in a row, from 1. */
  readonly failures: number
  /** What the callback puts in here is there again when the same event fails next. */
  readonly assigns: Record<string, unknown>
  /** All events that were handled at once, with `handleBatch`. */
  readonly batch?: readonly RecordedEvent[]
  readonly handlerName: string
  /** The application's name. */
  readonly application: string
}

/** A function that handles events of one type, as the runner calls it. */
export type HandleEvent = (data: unknown, recorded: RecordedEvent, context: EventHandlerContext<unknown>) => unknown

/** What callbacks around the handling may know. */
export interface HandlerOccasion {
  readonly handlerName: string
  /** The application's name. */
  readonly application: string
}

/** What runs: a handler's definition, checked and prepared. */
export interface HandlerModel {
  readonly name: string
  readonly types: ReadonlySet<string>
  /** Empty where `batching` handles. */
  readonly handleByType: ReadonlyMap<string, HandleEvent>
  readonly batching: Batching | undefined
  /** What its subscription is about: the types, and perhaps one stream or one category. */
  readonly filter: SubscriptionFilter
  /** Undefined where the application's default governs. */
  readonly consistency: 'eventual' | 'strong' | undefined
  readonly startFrom: StartFrom
  /** How many partitions it has. */
  readonly concurrency: number
  /** Which of the events it wants; undefined where all. */
  readonly selector: ((recorded: RecordedEvent) => boolean) | undefined
  /** Undefined where the stream's id is the key. */
  readonly partitionBy: PartitionBy | undefined
  readonly onError: ((error: unknown, recorded: RecordedEvent, context: FailureContext) => unknown) | undefined
  readonly initialState: (() => unknown) | undefined
  readonly afterStart: ((context: HandlerOccasion) => unknown) | undefined
  readonly beforeReset: ((context: HandlerOccasion) => unknown) | undefined
}

const OPTIONS = [
  'events',
  'handle',
  'handleBatch',
  'batchSize',
  'batchTimeout',
  'subscribeTo',
  'selector',
  'consistency',
  'startFrom',
  'concurrency',
  'partitionBy',
  'initialState',
  'onError',
  'afterStart',
  'beforeReset',
]

const MOST_PARTITIONS = 1_000
/** The names of its partitions and of its nodes are longer than that of a handler, and have a limit too. */
const LONGEST_PARTITIONED_NAME = 200

/**
 * @param given its name
 * @param definition what it was defined as
 * @param maker the function that makes it, for messages
 * @throws {DefinitionError} `invalid_definition`
 */
export function checkedModel(given: unknown, definition: unknown, maker = 'eventHandler'): HandlerModel {
  const name = checkedName(maker, given)
  const where = `${maker}('${name}')`
  if (RESERVED_IN_NAMES.test(name)) {
    throw new DefinitionError(`${where}: the name must not contain # or @, which tell partitions and nodes apart`)
  }
  if (PROJECTION_CHECKPOINT.test(name)) {
    throw new DefinitionError(
      `${where}: the name must not end as in h:1.1, which is what the checkpoints of projections are called`,
    )
  }
  const options = checkedOptions(where, definition, OPTIONS, '{ events, handle, … }')
  const types = checkedTypes(where, options['events'])
  const batching = checkedBatching(where, options)
  return Object.freeze({
    name,
    types,
    handleByType: batching ? new Map() : checkedTable<HandleEvent>(where, 'handle', options['handle'], types),
    batching,
    filter: { types, ...checkedSubscribeTo(where, options['subscribeTo']) },
    consistency: checkedConsistency(where, options['consistency']),
    startFrom: checkedStart(where, options['startFrom']),
    concurrency: checkedConcurrency(where, name, options['concurrency']),
    selector: checkedSelector(where, options['selector']),
    partitionBy: checkedFunction(where, 'partitionBy', options['partitionBy']),
    onError: checkedFunction(where, 'onError', options['onError']),
    initialState: checkedFunction(where, 'initialState', options['initialState']),
    afterStart: checkedFunction(where, 'afterStart', options['afterStart']),
    beforeReset: checkedFunction(where, 'beforeReset', options['beforeReset']),
  })
}

function checkedConcurrency(where: string, name: string, concurrency: unknown): number {
  if (concurrency === undefined) return 1
  if (isWhole(concurrency, 2) && name.length > LONGEST_PARTITIONED_NAME) {
    throw new DefinitionError(
      `${where}: with concurrency, a name must not be longer than ${LONGEST_PARTITIONED_NAME} characters`,
    )
  }
  if (isWhole(concurrency, 1) && concurrency <= MOST_PARTITIONS) return concurrency
  throw new DefinitionError(`${where}: concurrency must be a whole number from 1 to ${MOST_PARTITIONS}`)
}

/** A selector that gives a promise would select everything. */
function checkedSelector(where: string, given: unknown): HandlerModel['selector'] {
  const selector = checkedFunction(where, 'selector', given)
  if (selector === undefined) return undefined
  return (recorded) => {
    const answer = selector(recorded)
    if (typeof answer === 'boolean') return answer
    const kind = silencedPromise(answer) ? 'a promise' : typeof answer
    throw new DefinitionError(`${where}: selector gave ${kind} for ${recorded.type}, and must give true or false`)
  }
}
