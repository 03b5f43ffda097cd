import type { InstanceCache } from '../aggregate/instance-cache.ts'
import { isOfInterest, type Interest } from '../dispatch/board-entry.ts'
import type { BoardHandler, ConsistencyBoard } from '../dispatch/consistency-board.ts'
import type { Clock } from '../effects/clock.ts'
import { contained } from '../effects/maybe-promise.ts'
import type { EventCodec } from '../event-store/event-codec.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import { storedTypes, type Upcaster } from '../messages/upcaster.ts'
import { depthOf } from '../queue/queued-commands-body.ts'
import type { DispatchOutcome } from '../telemetry/dispatch-outcome.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { HandlerCounts } from '../telemetry/telemetry-counts.ts'

/** How a handler, a projection or a process manager fares. */
export interface HandlerMetrics extends HandlerCounts {
  /** Every event up to here is handled, or of no interest, as far as this node knows. */
  readonly position: number
  /** How many events are stored from the first one on that it has still to handle, those of no interest among them; 0 where there is none. */
  readonly lagEvents: number
  /** How long ago the first event was stored that it has still to handle, in seconds; 0 where there is none. */
  readonly lagSeconds: number
  /** False where it has stopped, by an error or by order. */
  readonly running: boolean
}

/** How stored commands fare: those of the store, and what this node's workers have made of them. */
export interface CommandMetrics {
  /** How many wait for their time or for their next attempt, over all nodes. */
  readonly delayed: number
  /** How many are due, and wait for a worker. */
  readonly queued: number
  readonly running: number
  /** Dead letters that somebody has to look at. */
  readonly dead: number
  /** How long the oldest has been due that still waits for a worker, in seconds. */
  readonly oldestSeconds: number
  /** How the attempts of this node ended, since the application was made; `delayed` are those that are tried again. */
  readonly attempts: Readonly<Record<'completed' | 'rejected' | 'dead' | 'expired' | 'delayed', number>>
}

/** An application at one moment. What is counted is counted on this node, since the application was made. */
export interface ApplicationMetrics {
  /** The store's last position. */
  readonly headPosition: number
  /** How many dispatches ended in which way. */
  readonly dispatches: Readonly<Record<DispatchOutcome, number>>
  /** Dispatches that are not answered yet. */
  readonly dispatchesUnderWay: number
  /** Appends that somebody else's append came before. */
  readonly conflicts: number
  /** Aggregates in memory. */
  readonly liveAggregates: number
  /** Commands that wait for their aggregate, over all of them. */
  readonly waitingCommands: number
  /** How many wait for the aggregate for which most wait. */
  readonly deepestMailbox: number
  /** The stored commands; undefined where the store keeps none. */
  readonly commands: CommandMetrics | undefined
  /** By name. */
  readonly handlers: Readonly<Record<string, HandlerMetrics>>
}

/** What the lag of a handler is found by. */
export type LagSources = Pick<MetricSources, 'store' | 'codec' | 'upcasters' | 'clock'>

interface MetricSources {
  readonly store: EventStore
  readonly codec: EventCodec
  readonly upcasters: readonly Upcaster[]
  readonly clock: Clock
  readonly board: ConsistencyBoard
  readonly instances: InstanceCache
  readonly telemetry: Telemetry
}

export async function applicationMetrics(
  sources: MetricSources,
  handlerNames: readonly string[],
  dispatchesUnderWay: number,
): Promise<ApplicationMetrics> {
  const { store, instances, telemetry } = sources
  const { dispatches, conflicts } = telemetry.counts
  const headPosition = await store.headPosition()
  const handlers = new Map<string, HandlerMetrics>()
  for (const name of handlerNames) handlers.set(name, await handlerMetrics(sources, name, headPosition))
  return {
    headPosition,
    dispatches: { ...dispatches },
    dispatchesUnderWay,
    conflicts,
    liveAggregates: instances.size,
    ...instances.waiting(),
    commands: await commandMetrics(sources),
    handlers: Object.fromEntries(handlers),
  }
}

async function commandMetrics({ store, telemetry }: MetricSources): Promise<CommandMetrics | undefined> {
  const { commands } = store
  if (commands === undefined) return undefined
  const { states, oldestAge } = depthOf(await commands.count(COUNTED), await commands.now())
  const { delayed, queued, running, dead } = states
  return {
    delayed,
    queued,
    running,
    dead,
    oldestSeconds: oldestAge / 1_000,
    attempts: { ...telemetry.counts.commands },
  }
}

const COUNTED = ['delayed', 'queued', 'running', 'dead'] as const

async function handlerMetrics(sources: MetricSources, name: string, headPosition: number): Promise<HandlerMetrics> {
  const { board, telemetry } = sources
  const handler = board.handler(name)
  const { retries, skipped, parked } = telemetry.counts.handler(name)
  return {
    position: handler?.position ?? 0,
    ...(handler === undefined ? NO_LAG : await lagOf(sources, handler, headPosition)),
    running: handler !== undefined && handler.failure === undefined,
    ...{ retries, skipped, parked },
  }
}

const NO_LAG = { lagEvents: 0, lagSeconds: 0 }

/** How far a handler that is at a position is behind the last one. */
export async function lagOf(
  sources: LagSources,
  handler: Interest & Pick<BoardHandler, 'position'>,
  headPosition: number,
): Promise<Pick<HandlerMetrics, 'lagEvents' | 'lagSeconds'>> {
  const next = handler.position < headPosition ? await nextFor(sources, handler, headPosition) : undefined
  if (next === undefined) return NO_LAG
  return {
    lagEvents: headPosition - next.position + 1,
    // Clocks of other nodes may be ahead.
    lagSeconds: Math.max(0, sources.clock.now() - next.createdAt) / 1_000,
  }
}

/** So many events are looked at in search of one that interests a handler; behind that, the next one counts as if it did. */
const MOST_LOOKED_AT = 1_000

/** The first event that a handler has still to handle. */
async function nextFor(
  { store, codec, upcasters }: LagSources,
  handler: Interest & Pick<BoardHandler, 'position'>,
  headPosition: number,
): Promise<StoredEvent | undefined> {
  const stored = storedTypes(handler.types, upcasters)
  let looked = 0
  for (let last = handler.position; last < headPosition;) {
    const slice = await store.readAll({ fromPosition: last + 1, maxCount: 100, types: stored })
    for (const event of slice.events) {
      if (event.position > headPosition) return undefined
      const read = ++looked > MOST_LOOKED_AT ? undefined : await contained(() => codec.decode(event), unreadable)
      if (read === undefined || read.some((one) => isOfInterest(handler, one))) return event
    }
    last = Math.max(last + 1, slice.lastPosition)
  }
  return undefined
}

/** The handler cannot read it either, and so it has not got past it. */
function unreadable(): undefined {
  return undefined
}
