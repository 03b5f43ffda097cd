import type { SnapshotPolicy } from '../aggregate/snapshots.ts'
import { systemClock, type Clock } from '../effects/clock.ts'
import { randomIds, systemRandom, type Ids, type Random } from '../effects/ids.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import { consoleLogger, type Logger } from '../effects/logger.ts'
import { DefinitionError } from '../errors.ts'
import { checkedEventStore } from '../event-store/checked-event-store.ts'
import { projectionsOf } from '../event-store/checked-projection-store.ts'
import { DEFAULT_LEASE_MS } from '../event-store/checkpoint.ts'
import { DEFAULT_CLAIM_INTERVAL_MS } from '../event-store/checkpoint-watch.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { jsonSerializer } from '../messages/json-serializer.ts'
import type { Serializer } from '../messages/serializer.ts'
import type { Upcaster } from '../messages/upcaster.ts'
import { checkedConsistency, checkedMilliseconds, checkedWholeNumber } from '../dispatch/options.ts'
import { BUILT_IN_DEFAULTS, type DispatchDefaults } from '../dispatch/route-plan.ts'
import { routingOf } from '../routing/routing.ts'
import type { Routed } from '../routing/routed.ts'
import type { EventHandler } from '../subscribers/event-handler.ts'
import { handlerModelOf, type HandlerModel } from '../subscribers/handler-model.ts'
import { projectionBodyOf, type ProjectionBody } from '../subscribers/projection-body.ts'
import type { Projection } from '../subscribers/projection.ts'

/** What an application is made of. Only `name`, `router` and `eventStore` must be given. */
export interface ApplicationDefinition<Routes> {
  /** Unique among the running applications of a process. */
  readonly name: string
  readonly router: Routed<Routes>
  /** Where the events are. One store may serve several applications. */
  readonly eventStore: EventStore
  /** Who follows the events: event handlers, and projections made for this store. */
  readonly handlers?: readonly (EventHandler | Projection)[]
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
  /**
   * By the name of the aggregate: when its state is kept, so that it need not be folded from its first event.
   * @default none
   */
  readonly snapshots?: Readonly<Record<string, SnapshotPolicy>>
  /** How the nodes that run this application share its handlers. The same on all of them. */
  readonly subscriptions?: {
    /**
     * Milliseconds for which a node keeps its handlers without being heard of; it is heard of four times as often. So long it
     * takes until others take over from a node that was killed. @default 5_000
     */
    readonly lease?: number
    /** Milliseconds between looks at the handlers that other nodes run. @default 500 */
    readonly claimInterval?: number
  }
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
  readonly projections: readonly ProjectionBody[]
  readonly defaults: DispatchDefaults
  readonly handlerConsistency: 'eventual' | 'strong'
  readonly serializer: Serializer
  readonly serializerChosen: boolean
  readonly upcasters: readonly Upcaster[]
  readonly snapshots: ReadonlyMap<string, Required<SnapshotPolicy>>
  readonly lease: number
  readonly claimInterval: number
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
  'snapshots',
  'subscriptions',
  'cache',
  'mailboxLimit',
  'clock',
  'ids',
  'random',
  'logger',
])

const DEFAULT_CACHED_AGGREGATES = 10_000
const DEFAULT_MAILBOX_LIMIT = 10_000
/** A shorter one would run out while a process is merely busy. */
const SHORTEST_LEASE_MS = 100

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
  const store = checkedEventStore(given.eventStore)
  const defaults = { ...BUILT_IN_DEFAULTS, ...checkedDefaults(name, given.defaults ?? {}) }
  return {
    name,
    router: given.router,
    store,
    ...checkedHandlers(name, given.handlers ?? [], store),
    defaults,
    handlerConsistency: defaults.consistency === 'strong' ? 'strong' : 'eventual',
    serializer: given.serializer ?? jsonSerializer,
    serializerChosen: given.serializer !== undefined,
    upcasters: given.upcasters ?? [],
    snapshots: checkedSnapshots(name, given.router, given.snapshots ?? {}),
    ...checkedSubscriptions(name, given.subscriptions ?? {}),
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

function checkedSnapshots(
  name: string,
  router: object,
  given: Readonly<Record<string, SnapshotPolicy>>,
): ReadonlyMap<string, Required<SnapshotPolicy>> {
  const known = new Set([...(routingOf(router)?.routes.values() ?? [])].map((route) => route.aggregate.name))
  const policies = new Map<string, Required<SnapshotPolicy>>()
  for (const [aggregate, policy] of Object.entries(given)) {
    if (!known.has(aggregate)) {
      throw new DefinitionError(
        `the application ${name}: snapshots names ${aggregate}, and its aggregates are ${[...known].join(', ')}`,
      )
    }
    const unknown = Object.keys(policy).find((key) => key !== 'every' && key !== 'version')
    if (unknown !== undefined) {
      throw new DefinitionError(
        `the application ${name}: snapshots.${aggregate} has no ${unknown}; it has every, version`,
      )
    }
    policies.set(aggregate, {
      every: atLeastOne(name, `snapshots.${aggregate}.every`, policy.every),
      version: atLeastOne(name, `snapshots.${aggregate}.version`, policy.version ?? 1),
    })
  }
  return policies
}

function checkedSubscriptions(name: string, given: object): { readonly lease: number; readonly claimInterval: number } {
  const {
    lease = DEFAULT_LEASE_MS,
    claimInterval = DEFAULT_CLAIM_INTERVAL_MS,
    ...others
  } = given as Readonly<Record<string, unknown>>
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) {
    throw new DefinitionError(`the application ${name}: subscriptions has no ${unknown}; it has lease, claimInterval`)
  }
  return {
    lease: atLeast(SHORTEST_LEASE_MS, name, 'subscriptions.lease', lease),
    claimInterval: atLeastOne(name, 'subscriptions.claimInterval', claimInterval),
  }
}

function atLeastOne(name: string, option: string, value: unknown): number {
  return atLeast(1, name, option, value)
}

function atLeast(least: number, name: string, option: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
  throw new DefinitionError(`the application ${name}: ${option} must be a whole number from ${least}`)
}

function checkedHandlers(
  name: string,
  given: unknown,
  store: EventStore,
): { readonly handlers: readonly HandlerModel[]; readonly projections: readonly ProjectionBody[] } {
  if (!Array.isArray(given)) throw new DefinitionError(`the application ${name}: handlers must be a list`)
  const names = new Set<string>()
  const handlers: HandlerModel[] = []
  const projections: ProjectionBody[] = []
  for (const one of given) {
    const handler = handlerModelOf(one)
    const projection = projectionBodyOf(one)
    const model = handler ?? projection
    if (model === undefined) {
      throw new DefinitionError(
        `the application ${name}: handlers holds something that is no eventHandler(…) and no projection(…)`,
      )
    }
    if (names.has(model.name)) throw new DefinitionError(`the application ${name} has two handlers named ${model.name}`)
    names.add(model.name)
    if (handler !== undefined) handlers.push(handler)
    if (projection !== undefined) projections.push(checkedProjection(name, projection, store))
  }
  return { handlers, projections }
}

function checkedProjection(name: string, model: ProjectionBody, store: EventStore): ProjectionBody {
  const { kind } = projectionsOf(store)
  if (model.storeKind === undefined || model.storeKind === kind) return model
  throw new DefinitionError(
    `the application ${name}: the projection ${model.name} was made by edict/${model.storeKind}, and the event store is ` +
      `of the kind ${kind}: import projection from edict/${kind}`,
  )
}
