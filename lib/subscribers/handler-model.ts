import { silencedPromise } from '../effects/refuse-promise.ts'
import { DefinitionError } from '../errors.ts'
import { textFault } from '../event-store/argument-checks.ts'
import type { StartFrom } from '../event-store/start-from.ts'
import type { SubscriptionFilter } from '../event-store/subscription-filter.ts'
import { sealedDefinitionOf } from '../messages/definition.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { checkedBatching, type Batching } from './batching.ts'
import type { EventHandlerContext } from './handler-context.ts'
import { PROJECTION_CHECKPOINT, RESERVED_IN_NAMES } from './partition-names.ts'
import type { PartitionBy } from './partitioning.ts'
import { checkedSubscribeTo } from './subscribe-to.ts'

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

export function checkedModel(name: unknown, definition: unknown): HandlerModel {
  const fault = textFault(name) ?? (String(name).trim() === '' ? 'must not be blank' : undefined)
  if (fault !== undefined || typeof name !== 'string') {
    throw new DefinitionError(`eventHandler(name, definition): the name ${fault}`)
  }
  const where = `eventHandler('${name}')`
  if (RESERVED_IN_NAMES.test(name)) {
    throw new DefinitionError(`${where}: the name must not contain # or @, which tell partitions and nodes apart`)
  }
  if (PROJECTION_CHECKPOINT.test(name)) {
    throw new DefinitionError(
      `${where}: the name must not end as in h:1.1, which is what the checkpoints of projections are called`,
    )
  }
  if (typeof definition !== 'object' || definition === null) {
    throw new DefinitionError(`${where} needs a definition: { events, handle, … }`)
  }
  for (const key of Object.keys(definition)) {
    if (!OPTIONS.includes(key)) {
      throw new DefinitionError(`${where}: unknown option ${key}; the options are ${OPTIONS.join(', ')}`)
    }
  }
  const options = definition as Readonly<Record<string, unknown>>
  const types = checkedTypes(where, options['events'])
  const batching = checkedBatching(where, options)
  return Object.freeze({
    name,
    types,
    handleByType: batching ? new Map() : checkedTable(where, 'handle', options['handle'], types),
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

export function checkedTypes(where: string, events: unknown): ReadonlySet<string> {
  if (!Array.isArray(events) || events.length === 0) {
    throw new DefinitionError(`${where}: events must be a list of the events that it handles`)
  }
  const types = new Set<string>()
  for (const [index, definition] of events.entries()) {
    const sealed = sealedDefinitionOf(definition)
    if (sealed === undefined) throw new DefinitionError(`${where}: events[${index}] is not made by event(type, schema)`)
    if (sealed.kind !== 'event') throw new DefinitionError(`${where}: ${sealed.type} is a command, not an event`)
    if (types.has(sealed.type)) throw new DefinitionError(`${where}: ${sealed.type} stands in events twice`)
    types.add(sealed.type)
  }
  return types
}

/** `option` is what the table stands under; `Handle` what its functions are called as. */
export function checkedTable<Handle = HandleEvent>(
  where: string,
  option: string,
  handle: unknown,
  types: ReadonlySet<string>,
): ReadonlyMap<string, Handle> {
  if (typeof handle === 'function') return new Map([...types].map((type) => [type, handle as Handle]))
  if (typeof handle !== 'object' || handle === null) {
    throw new DefinitionError(`${where}: ${option} must be a table of functions by event type, or one function`)
  }
  // An instance of a class may hold more than its handlers.
  const plain = Object.getPrototypeOf(handle) === Object.prototype
  const foreign = plain ? Object.keys(handle).find((key) => !types.has(key)) : undefined
  if (foreign !== undefined) {
    throw new DefinitionError(`${where}: ${option} has ${foreign}, which is not one of its events`)
  }
  const table = handle as Readonly<Record<string, unknown>>
  return new Map([...types].map((type) => [type, functionFor(where, option, table, type) as Handle]))
}

function functionFor(where: string, option: string, table: Readonly<Record<string, unknown>>, type: string): unknown {
  // A table may be an instance of a class, whose functions are its methods; those of every object are nobody's handlers.
  const found = table[type]
  // It is looked into by a key that only data knows.
  const inherited = (Object.prototype as unknown as Readonly<Record<string, unknown>>)[type]
  if (typeof found !== 'function' || found === inherited) {
    throw new DefinitionError(`${where}: ${option} has no function for ${type}`)
  }
  return found.bind(table)
}

export function checkedConsistency(where: string, consistency: unknown): 'eventual' | 'strong' | undefined {
  if (consistency === undefined || consistency === 'eventual' || consistency === 'strong') return consistency
  throw new DefinitionError(`${where}: consistency must be 'eventual' or 'strong'`)
}

export function checkedStart(where: string, startFrom: unknown): StartFrom {
  if (startFrom === undefined) return 'origin'
  if (startFrom === 'origin' || startFrom === 'current') return startFrom
  if (Number.isSafeInteger(startFrom) && (startFrom as number) >= 1) return startFrom as number
  throw new DefinitionError(`${where}: startFrom must be 'origin', 'current' or a position, a whole number from 1`)
}

function checkedConcurrency(where: string, name: string, concurrency: unknown): number {
  if (concurrency === undefined) return 1
  const whole = Number.isSafeInteger(concurrency) ? (concurrency as number) : 0
  if (whole > 1 && name.length > LONGEST_PARTITIONED_NAME) {
    throw new DefinitionError(
      `${where}: with concurrency, a name must not be longer than ${LONGEST_PARTITIONED_NAME} characters`,
    )
  }
  if (whole >= 1 && whole <= MOST_PARTITIONS) return whole
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

export function checkedFunction(
  where: string,
  option: string,
  value: unknown,
): ((...given: unknown[]) => unknown) | undefined {
  if (value === undefined || typeof value === 'function') return value as ((...given: unknown[]) => unknown) | undefined
  throw new DefinitionError(`${where}: ${option} must be a function`)
}
