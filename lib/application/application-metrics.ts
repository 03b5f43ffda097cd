import type { InstanceCache } from '../aggregate/instance-cache.ts'
import type { ConsistencyBoard } from '../dispatch/consistency-board.ts'
import type { Clock } from '../effects/clock.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { DispatchOutcome } from '../telemetry/dispatch-outcome.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { HandlerCounts } from '../telemetry/telemetry-counts.ts'

/** How a handler, a projection or a process manager fares. */
export interface HandlerMetrics extends HandlerCounts {
  /** Every event up to here is handled, or of no interest, as far as this node knows. */
  readonly position: number
  /** How many stored events come after `position`: some may be of no interest, and be passed over in no time. */
  readonly lagEvents: number
  /** How long ago the first event after `position` was stored, in seconds; 0 where there is none. */
  readonly lagSeconds: number
  /** False where it has stopped, by an error or by order. */
  readonly running: boolean
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
  /** By name. */
  readonly handlers: Readonly<Record<string, HandlerMetrics>>
}

interface MetricSources {
  readonly store: EventStore
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
    handlers: Object.fromEntries(handlers),
  }
}

async function handlerMetrics(
  { store, clock, board, telemetry }: MetricSources,
  name: string,
  headPosition: number,
): Promise<HandlerMetrics> {
  const handler = board.handler(name)
  const position = handler?.position ?? 0
  const lagEvents = Math.max(0, headPosition - position)
  let lagSeconds = 0
  if (lagEvents > 0) {
    const { events } = await store.readAll({ fromPosition: position + 1, maxCount: 1 })
    const [first] = events
    // Clocks of other nodes may be ahead.
    if (first !== undefined) lagSeconds = Math.max(0, clock.now() - first.createdAt) / 1_000
  }
  const { retries, skipped, parked } = telemetry.counts.handler(name)
  const running = handler !== undefined && handler.failure === undefined
  return { position, lagEvents, lagSeconds, running, retries, skipped, parked }
}
