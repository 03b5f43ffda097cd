import type { BatchLimits } from '../batches/batch-type.ts'
import type { Workflow } from '../batches/workflow.ts'
import type { WorkflowBody } from '../batches/workflow-body.ts'
import type { SnapshotPolicy } from '../aggregate/snapshots.ts'
import { systemClock, type Clock } from '../effects/clock.ts'
import { randomIds, systemRandom, type Ids, type Random } from '../effects/ids.ts'
import { containedLogger } from '../effects/contained-logger.ts'
import { consoleLogger, type Logger } from '../effects/logger.ts'
import { DefinitionError } from '../errors.ts'
import { checkedEventStore } from '../event-store/checked-event-store.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { EventProcessing } from '../messages/event-processing.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { jsonSerializer } from '../messages/json-serializer.ts'
import type { Serializer } from '../messages/serializer.ts'
import type { Upcaster } from '../messages/upcaster.ts'
import { BUILT_IN_DEFAULTS, type DispatchDefaults } from '../dispatch/route-plan.ts'
import type { Lifespan } from '../routing/lifespan.ts'
import type { Instrumentation } from '../telemetry/instrumentation.ts'
import type { Recurring } from '../queue/recurring-body.ts'
import type { Routed } from '../routing/routed.ts'
import type { EventHandler } from '../subscribers/event-handler.ts'
import type { ErrorAction } from '../subscribers/error-action.ts'
import type { FailureContext, HandlerModel } from '../subscribers/handler-model.ts'
import { checkedFunction } from '../subscribers/subscriber-checks.ts'
import type { ProcessManager } from '../subscribers/process-manager.ts'
import type { Projection } from '../subscribers/projection.ts'
import { checkedBatches, checkedWorkflows } from './workflow-checks.ts'
import {
  atLeastOne,
  checkedCache,
  checkedDefaultLifespan,
  checkedDefaults,
  checkedDoor,
  checkedEventProcessing,
  checkedInstrumentation,
  checkedSnapshots,
  checkedSubscriptions,
  checkedUpcasters,
  checkAtomicStreams,
} from './definition-checks.ts'
import { checkedHandlers, type CheckedHandlers } from './handler-checks.ts'
import { checkedQueue, type CheckedQueue, type CommandProcessing, type QueueDefinition } from './queue-definition.ts'

/** What an application is made of. Only `name`, `router` and `eventStore` must be given. */
export interface ApplicationDefinition<Routes, Processing extends CommandProcessing = CommandProcessing> {
  /** Unique among the running applications of a process. */
  readonly name: string
  readonly router: Routed<Routes>
  /** Where the events are. One store may serve several applications. */
  readonly eventStore: EventStore
  /** Who follows the events: event handlers, process managers, and projections made for this store. */
  readonly handlers?: readonly (EventHandler | ProcessManager | Projection)[]
  /**
   * Says what becomes of an event whose handler failed and has no `onError` of its own: `retry()`, `skip()`, `stop()` or `park()`.
   * @default retry with growing waits, then stop
   */
  readonly onHandlerError?: (
    error: unknown,
    recorded: RecordedEvent,
    context: FailureContext,
  ) => MaybePromise<ErrorAction>
  /**
   * Whether `process` runs a command now, or stores it for a worker, where the call does not say it.
   * @default 'sync'
   */
  readonly commandProcessing?: Processing
  /** Of how many aggregates this process runs queued commands at once; 0 where others do that. @default 0 */
  readonly workers?: number
  /** How queued commands are run. */
  readonly queue?: QueueDefinition
  /** What is run again and again, at times of its own: what `recurring` of `edict/recurring` makes. */
  readonly recurring?: readonly Recurring[]
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
  /**
   * Whether a command is answered when the handlers of its events are done (`'sync'`), or when its events are stored (`'async'`).
   * What `synchronously(event)` and `asynchronously(event)` say of an event wins.
   * @default 'async'
   */
  readonly eventProcessing?: EventProcessing
  /** Encodes the data of events. @default JSON that keeps every value a message may hold; nothing, for a store that keeps values */
  readonly serializer?: Serializer
  /** From events as they were stored to the events of today. */
  readonly upcasters?: readonly Upcaster[]
  /**
   * By the name of the aggregate: when its state is kept, so that it need not be folded from its first event.
   * @default none
   */
  readonly snapshots?: Readonly<Record<string, SnapshotPolicy>>
  /** What follows from events, inside the transaction that they belong to or after it. The store needs `atomicStreams`. */
  readonly workflows?: readonly Workflow[]
  /** How far a cascade of commands that schedule commands may go. The store needs `atomicStreams`. */
  readonly batches?: BatchLimits
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
  /**
   * How long aggregates stay in memory when idle, where the route does not say it.
   * @default as long as the cache has room
   */
  readonly lifespan?: Lifespan
  readonly cache?: {
    /** How many live aggregates are kept; the least recently used give way. @default 10_000 */
    readonly aggregates?: number
  }
  /** How many commands may wait for one aggregate. @default 10_000 */
  readonly mailboxLimit?: number
  /**
   * How long a chain of commands may be that handlers dispatch because of the events of the command before: a longer one is taken for
   * one without an end, and refused. @default 100
   */
  readonly maxDepth?: number
  /** The door through which time comes in. @default the machine's clock */
  readonly clock?: Clock
  /** The door through which new ids come in. @default random UUIDs */
  readonly ids?: Ids
  /** The door through which randomness comes in. @default the platform's */
  readonly random?: Random
  /** Where warnings and errors go. @default the console */
  readonly logger?: Logger
  /** Goes around what the application does, as a tracer does: `openTelemetry()` of `edict/opentelemetry`. @default none */
  readonly instrumentation?: Instrumentation
}

/** A definition that was checked, with all defaults filled in. */
export interface CheckedDefinition extends CheckedQueue, CheckedHandlers {
  readonly name: string
  readonly router: object
  readonly store: EventStore
  readonly onHandlerError: HandlerModel['onError']
  readonly workflows: readonly WorkflowBody[]
  readonly batches: Required<BatchLimits>
  readonly defaults: DispatchDefaults
  readonly handlerConsistency: 'eventual' | 'strong'
  readonly eventProcessing: EventProcessing
  readonly serializer: Serializer
  readonly serializerChosen: boolean
  readonly upcasters: readonly Upcaster[]
  readonly snapshots: ReadonlyMap<string, Required<SnapshotPolicy>>
  readonly lease: number
  readonly claimInterval: number
  readonly lifespan: Lifespan | undefined
  readonly cachedAggregates: number
  readonly mailboxLimit: number
  readonly maxDepth: number
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  readonly logger: Logger
  readonly instrumentation: Instrumentation | undefined
}

const KEYS: ReadonlySet<string> = new Set([
  'name',
  'router',
  'eventStore',
  'handlers',
  'workflows',
  'batches',
  'onHandlerError',
  'defaults',
  'eventProcessing',
  'serializer',
  'upcasters',
  'snapshots',
  'subscriptions',
  'lifespan',
  'cache',
  'mailboxLimit',
  'maxDepth',
  'clock',
  'ids',
  'random',
  'logger',
  'instrumentation',
  'commandProcessing',
  'workers',
  'queue',
  'recurring',
])

const DEFAULT_MAILBOX_LIMIT = 10_000
const DEFAULT_MAX_DEPTH = 100

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
  const random = checkedDoor(name, 'random', given.random, ['number', 'fill']) ?? systemRandom
  const store = checkedEventStore(given.eventStore)
  checkAtomicStreams(given.router, store)
  const handlers = checkedHandlers(name, given.handlers ?? [], store)
  const defaults = { ...BUILT_IN_DEFAULTS, ...checkedDefaults(name, given.defaults ?? {}) }
  return {
    name,
    router: given.router,
    store,
    ...handlers,
    workflows: checkedWorkflows(name, given.workflows ?? [], store, namesOf(handlers)),
    batches: checkedBatches(name, given.batches, store),
    onHandlerError: checkedFunction(`the application ${name}`, 'onHandlerError', given.onHandlerError),
    defaults,
    handlerConsistency: defaults.consistency === 'strong' ? 'strong' : 'eventual',
    eventProcessing: checkedEventProcessing(name, given.eventProcessing ?? 'async'),
    serializer: checkedDoor(name, 'serializer', given.serializer, ['encode', 'decode']) ?? jsonSerializer,
    serializerChosen: given.serializer !== undefined,
    upcasters: checkedUpcasters(name, given.router, given.upcasters ?? []),
    snapshots: checkedSnapshots(name, given.router, given.snapshots ?? {}),
    ...checkedSubscriptions(name, given.subscriptions ?? {}),
    ...checkedQueue(name, given, store),
    lifespan: checkedDefaultLifespan(name, given.lifespan),
    cachedAggregates: checkedCache(name, given.cache ?? {}),
    mailboxLimit: atLeastOne(name, 'mailboxLimit', given.mailboxLimit ?? DEFAULT_MAILBOX_LIMIT),
    maxDepth: atLeastOne(name, 'maxDepth', given.maxDepth ?? DEFAULT_MAX_DEPTH),
    clock: checkedDoor(name, 'clock', given.clock, ['now', 'setTimeout', 'clearTimeout']) ?? systemClock,
    random,
    ids: checkedDoor(name, 'ids', given.ids, ['next']) ?? randomIds(random),
    instrumentation: checkedInstrumentation(name, given.instrumentation),
    logger: containedLogger(
      checkedDoor(name, 'logger', given.logger, ['debug', 'info', 'warn', 'error']) ?? consoleLogger(),
    ),
  }
}

function namesOf(lists: object): readonly string[] {
  return Object.values(lists).flatMap((list: readonly { readonly name: string }[]) => list.map(({ name }) => name))
}
