import { applyByFunction, applyByTable, type Apply, type ApplyFunction, type ApplyTable } from '../aggregate/apply.ts'
import { DefinitionError, UnreadableEventError } from '../errors.ts'
import type { StartFrom } from '../event-store/start-from.ts'
import type { SubscriptionFilter } from '../event-store/subscription-filter.ts'
import { sealedDefinitionOf } from '../messages/definition.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { SealedDefinition } from '../messages/sealed-message.ts'
import { PROJECTION_CHECKPOINT, RESERVED_IN_NAMES } from './partition-names.ts'
import type { ProcessFailure, ProcessFailureContext, ProcessManagerContext } from './process-context.ts'
import { checkedSubscribeTo } from './subscribe-to.ts'
import {
  checkedConsistency,
  checkedFunction,
  checkedName,
  checkedOptions,
  checkedStart,
  checkedTable,
  checkedTypes,
  checkedWhole,
} from './subscriber-checks.ts'

type Interested = (data: unknown, recorded: RecordedEvent) => unknown
type Handle = (state: unknown, data: unknown, recorded: RecordedEvent, context: ProcessManagerContext) => unknown

/** What runs: a process manager's definition, checked and prepared. */
export interface ProcessManagerModel {
  readonly name: string
  readonly types: ReadonlySet<string>
  /** What its subscription is about: the types, and perhaps one stream or one category. */
  readonly filter: SubscriptionFilter
  readonly initialState: () => unknown
  readonly interestedByType: ReadonlyMap<string, Interested>
  /** An event that is not there leads to no command. */
  readonly handleByType: ReadonlyMap<string, Handle>
  /** Undefined where no event changes the state. */
  readonly apply: Apply | undefined
  readonly onError: ((error: unknown, failure: ProcessFailure, context: ProcessFailureContext) => unknown) | undefined
  readonly afterCommand: ((state: unknown, command: unknown, context: ProcessManagerContext) => unknown) | undefined
  /** Undefined where the application's default governs. */
  readonly consistency: 'eventual' | 'strong' | undefined
  readonly startFrom: StartFrom
  /** How many instances are at work at once, at most. */
  readonly concurrency: number
  /** How many instances are kept in memory. */
  readonly cachedInstances: number
  /** Milliseconds; undefined where an event may take for ever. */
  readonly eventTimeout: number | undefined
  /** Milliseconds; undefined where only the bound of the cache lets an instance go. */
  readonly idleTimeout: number | undefined
  readonly stateVersion: number
  readonly migrateState: ((state: unknown, version: number) => unknown) | undefined
}

const OPTIONS = [
  ...['events', 'initialState', 'interested', 'handle', 'apply', 'onError', 'afterCommand', 'consistency', 'startFrom'],
  ...['subscribeTo', 'concurrency', 'cachedInstances', 'eventTimeout', 'idleTimeout', 'stateVersion', 'migrateState'],
]

const DEFAULT_CONCURRENCY = 64
const DEFAULT_CACHED_INSTANCES = 10_000
/** The id of an instance stands beside it in an id of at most 512 characters. */
const LONGEST_NAME = 200

export function checkedProcessManager(given: unknown, definition: unknown): ProcessManagerModel {
  const name = checkedName('processManager', given, LONGEST_NAME)
  const where = `processManager('${name}')`
  if (RESERVED_IN_NAMES.test(name) || PROJECTION_CHECKPOINT.test(name)) {
    throw new DefinitionError(`${where}: the name must not contain # or @, nor end as in h:1.1`)
  }
  const options = checkedOptions(where, definition, OPTIONS, '{ events, initialState, interested, handle, … }')
  const types = checkedTypes(where, options['events'])
  const initialState = checkedFunction(where, 'initialState', options['initialState'])
  if (initialState === undefined) {
    throw new DefinitionError(`${where}: initialState must be a function that gives the state of a new instance`)
  }
  return Object.freeze({
    name,
    types,
    filter: { types, ...checkedSubscribeTo(where, options['subscribeTo']) },
    initialState,
    interestedByType: checkedTable<Interested>(where, 'interested', options['interested'], types),
    handleByType: checkedParts<Handle>(where, 'handle', options['handle'], types),
    apply: checkedApply(where, name, options['apply'], options['events'] as readonly unknown[], types),
    onError: checkedFunction(where, 'onError', options['onError']),
    afterCommand: checkedFunction(where, 'afterCommand', options['afterCommand']),
    consistency: checkedConsistency(where, options['consistency']),
    startFrom: checkedStart(where, options['startFrom']),
    concurrency: checkedWhole(where, 'concurrency', options['concurrency']) ?? DEFAULT_CONCURRENCY,
    cachedInstances: checkedWhole(where, 'cachedInstances', options['cachedInstances']) ?? DEFAULT_CACHED_INSTANCES,
    eventTimeout: checkedWhole(where, 'eventTimeout', options['eventTimeout']),
    idleTimeout: checkedWhole(where, 'idleTimeout', options['idleTimeout']),
    stateVersion: checkedWhole(where, 'stateVersion', options['stateVersion']) ?? 1,
    migrateState: checkedFunction(where, 'migrateState', options['migrateState']),
  })
}

/** As `checkedTable`, where an event may be left out: it leads to no command then, or changes nothing. */
function checkedParts<Part>(
  where: string,
  option: string,
  table: unknown,
  types: ReadonlySet<string>,
): ReadonlyMap<string, Part> {
  if (typeof table !== 'object' || table === null) return checkedTable<Part>(where, option, table, types)
  // It is looked into by keys that only data knows; what every object has is nobody's part.
  const parts = table as Readonly<Record<string, unknown>>
  const ofEveryObject = Object.prototype as unknown as Readonly<Record<string, unknown>>
  const there = [...types].filter((type) => parts[type] !== undefined && parts[type] !== ofEveryObject[type])
  return checkedTable<Part>(where, option, table, new Set(there))
}

function checkedApply(
  where: string,
  name: string,
  apply: unknown,
  events: readonly unknown[],
  types: ReadonlySet<string>,
): Apply | undefined {
  if (apply === undefined) return undefined
  if (typeof apply === 'function') {
    const definitions = new Map(events.map((event) => [sealedOf(event).type, sealedOf(event)]))
    // What it takes and gives is the business of its type.
    return applyByFunction(name, definitions, apply as ApplyFunction)
  }
  const parts = checkedParts<ApplyTable[string]>(where, 'apply', apply, types)
  const byTable = applyByTable(name, Object.fromEntries(parts))
  return (state, event) => (parts.has(event.type) ? byTable(state, event) : state)
}

function sealedOf(event: unknown): SealedDefinition {
  const sealed = sealedDefinitionOf(event)
  // The events were checked before.
  if (sealed === undefined) throw new UnreadableEventError('that is no event')
  return sealed
}
