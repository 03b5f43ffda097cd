import { systemClock, type Clock } from '../effects/clock.ts'
import { randomIds, systemRandom, type Ids, type Random } from '../effects/ids.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import { consoleLogger, type Logger } from '../effects/logger.ts'
import { DefinitionError } from '../errors.ts'
import { checkedEventStore } from '../event-store/checked-event-store.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { jsonSerializer } from '../messages/json-serializer.ts'
import type { Serializer } from '../messages/serializer.ts'
import type { Upcaster } from '../messages/upcaster.ts'
import { checkedConsistency, checkedMilliseconds, checkedWholeNumber } from '../dispatch/options.ts'
import { BUILT_IN_DEFAULTS, type DispatchDefaults } from '../dispatch/route-plan.ts'
import type { Routed } from '../routing/routed.ts'
import type { EventHandler } from '../subscribers/event-handler.ts'
import { handlerModelOf, type HandlerModel } from '../subscribers/handler-model.ts'

/** What an application is made of. Only `name`, `router` and `eventStore` must be given. */
export interface ApplicationDefinition<Routes> {
  /** Unique among the running applications of a process. */
  readonly name: string
  readonly router: Routed<Routes>
  /** Where the events are. One store may serve several applications. */
  readonly eventStore: EventStore
  /** Who follows the events. */
  readonly handlers?: readonly EventHandler[]
  /** What dispatches do that neither say otherwise themselves nor have a route that does. */
  readonly defaults?: {
    /** Also governs the handlers that do not say theirs; so it is no list. @default 'eventual' */
    readonly consistency?: 'eventual' | 'strong'
    /** Milliseconds, or `Infinity`. @default 5_000 */
    readonly timeout?: number
    /** Milliseconds, or `Infinity`. @default 5_000 */
    readonly consistencyTimeout?: number
    /** How often a version conflict is tried again. @default 10 */
    readonly retryAttempts?: number
  }
  /** Encodes the data of events. @default JSON that keeps every value a message may hold; nothing, for a store that keeps values */
  readonly serializer?: Serializer
  /** From events as they were stored to the events of today. */
  readonly upcasters?: readonly Upcaster[]
  readonly cache?: {
    /** How many live aggregates are kept; the least recently used give way. @default 10_000 */
    readonly aggregates?: number
  }
  /** How many commands may wait for one aggregate. @default 10_000 */
  readonly mailboxLimit?: number
  /** The door through which time comes in. @default the machine's clock */
  readonly clock?: Clock
  /** The door through which new ids come in. @default random UUIDs */
  readonly ids?: Ids
  /** The door through which randomness comes in. @default the platform's */
  readonly random?: Random
  /** Where warnings and errors go. @default the console */
  readonly logger?: Logger
}

/** A definition that was checked, with all defaults filled in. */
export interface CheckedDefinition {
  readonly name: string
  readonly router: object
  readonly store: EventStore
  readonly handlers: readonly HandlerModel[]
  readonly defaults: DispatchDefaults
  readonly handlerConsistency: 'eventual' | 'strong'
  readonly serializer: Serializer
  readonly serializerChosen: boolean
  readonly upcasters: readonly Upcaster[]
  readonly cachedAggregates: number
  readonly mailboxLimit: number
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  readonly logger: Logger
}

const KEYS: ReadonlySet<string> = new Set([
  'name',
  'router',
  'eventStore',
  'handlers',
  'defaults',
  'serializer',
  'upcasters',
  'cache',
  'mailboxLimit',
  'clock',
  'ids',
  'random',
  'logger',
])

const DEFAULT_CACHED_AGGREGATES = 10_000
const DEFAULT_MAILBOX_LIMIT = 10_000

/** @throws {DefinitionError} `invalid_definition`, naming what is wrong */
export function checkedDefinition<Routes>(given: ApplicationDefinition<Routes> | null | undefined): CheckedDefinition {
  if (given === null || given === undefined) throw new DefinitionError('application({ … }) needs its definition')
  const { name } = given
  if (typeof name !== 'string' || name.trim() === '') throw new DefinitionError('an application needs a name')
  for (const key of Object.keys(given)) {
    if (!KEYS.has(key)) {
      throw new DefinitionError(`the application ${name} has no option ${key}; it has ${[...KEYS].join(', ')}`)
    }
  }
  if (typeof (given.eventStore as Partial<EventStore> | undefined)?.append !== 'function') {
    throw new DefinitionError(`the application ${name} needs an eventStore, such as inMemoryEventStore()`)
  }
  const random = given.random ?? systemRandom
  const defaults = { ...BUILT_IN_DEFAULTS, ...checkedDefaults(name, given.defaults ?? {}) }
  return {
    name,
    router: given.router,
    store: checkedEventStore(given.eventStore),
    handlers: checkedHandlers(name, given.handlers ?? []),
    defaults,
    handlerConsistency: defaults.consistency === 'strong' ? 'strong' : 'eventual',
    serializer: given.serializer ?? jsonSerializer,
    serializerChosen: given.serializer !== undefined,
    upcasters: given.upcasters ?? [],
    cachedAggregates: atLeastOne(name, 'cache.aggregates', given.cache?.aggregates ?? DEFAULT_CACHED_AGGREGATES),
    mailboxLimit: atLeastOne(name, 'mailboxLimit', given.mailboxLimit ?? DEFAULT_MAILBOX_LIMIT),
    clock: given.clock ?? systemClock,
    random,
    ids: given.ids ?? randomIds(random),
    logger: containedLogger(given.logger ?? consoleLogger()),
  }
}

function checkedDefaults(name: string, given: object): Partial<DispatchDefaults> {
  const checked: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    checked[key] = inDefinition(name, () => checkedDefault(key, value))
  }
  return checked
}

function checkedDefault(key: string, value: unknown): unknown {
  switch (key) {
    case 'consistency':
      if (Array.isArray(value)) throw new DefinitionError(`defaults.consistency is 'eventual' or 'strong'`)
      return checkedConsistency(value)
    case 'timeout':
    case 'consistencyTimeout':
      return checkedMilliseconds(key, value)
    case 'retryAttempts':
      return checkedWholeNumber(key, value)
    default:
      throw new DefinitionError(`there is no default ${key}`)
  }
}

function inDefinition<Value>(name: string, check: () => Value): Value {
  try {
    return check()
  } catch (cause) {
    throw new DefinitionError(`the application ${name}: ${(cause as Error).message}`, { cause })
  }
}

function atLeastOne(name: string, option: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number
  throw new DefinitionError(`the application ${name}: ${option} must be a whole number from 1`)
}

function checkedHandlers(name: string, handlers: unknown): readonly HandlerModel[] {
  if (!Array.isArray(handlers)) throw new DefinitionError(`the application ${name}: handlers must be a list`)
  const models = new Map<string, HandlerModel>()
  for (const handler of handlers) {
    const model = handlerModelOf(handler)
    if (model === undefined) {
      throw new DefinitionError(`the application ${name}: handlers holds something that is no eventHandler(…)`)
    }
    if (models.has(model.name))
      throw new DefinitionError(`the application ${name} has two handlers named ${model.name}`)
    models.set(model.name, model)
  }
  return [...models.values()]
}
