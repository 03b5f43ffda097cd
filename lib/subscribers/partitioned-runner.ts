import { containedLogger } from '../effects/contained-logger.ts'
import type { Logger } from '../effects/logger.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import { NotRunningError } from '../errors.ts'
import type { CheckpointState } from '../event-store/checkpoint.ts'
import type { Following } from '../event-store/checkpoint-watch.ts'
import { HandledPlaces } from '../event-store/handled-places.ts'
import type { Lease } from '../event-store/lease-keeper.ts'
import { sharedCheckpoints, type SharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import type { HandlerModel } from './handler-model.ts'
import { BoardProgress } from './handler-progress.ts'
import type { HandlerState } from './handler-control.ts'
import type { RunnerOptions } from './runner-options.ts'
import { STOP_TIMEOUT_MS } from './runner-times.ts'
import { interestOf } from './interest.ts'
import { StoredParkingLot } from './parking.ts'
import { Partition } from './partition.ts'
import { PartitionLayout } from './partition-layout.ts'
import {
  handlerCheckpoints,
  memberCheckpoint,
  partitionCheckpoint,
  type HandlerCheckpoints,
} from './partition-names.ts'
import { partitionShares } from './partition-share.ts'
import { Partitioning } from './partitioning.ts'

const STATES: readonly HandlerState[] = ['failed', 'retrying', 'catching-up', 'starting', 'live']

/**
 * A handler with several partitions, on one node: takes its share of them, gives some up when another node comes, and takes more
 * when one goes. A partition that fails stops alone; the others go on.
 */
export class PartitionedRunner {
  readonly name: string
  readonly #options: RunnerOptions
  readonly #logger: Logger
  readonly #shared: SharedCheckpoints
  readonly #layout: PartitionLayout
  readonly #partitions: readonly Partition[]
  readonly #handled: HandledPlaces
  readonly #progress: BoardProgress
  /** Whether it was started, and not stopped since. */
  #started = false
  #awaited = false
  #acknowledged = 0
  #following: Following | undefined
  #member: { readonly epoch: number; readonly lease: Lease } | undefined
  /** The look at the others that is under way. */
  #spreading: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #afterStart: unknown

  constructor(model: HandlerModel, options: RunnerOptions) {
    const { name, concurrency: count, types, filter } = model
    const { board, store, owner, consistency } = options
    this.name = name
    this.#logger = containedLogger(options.logger)
    this.#shared = options.shared ?? sharedCheckpoints(options)
    const parking = options.parking ?? new StoredParkingLot(name, store, () => options.clock.now())
    this.#options = { ...options, shared: this.#shared, parking }
    const { leases } = this.#shared
    const layout = new PartitionLayout({ model, count, store, owner, leases, logger: this.#logger })
    this.#layout = layout
    this.#handled = new HandledPlaces(model.startFrom)
    this.#progress = new BoardProgress(board, name, {
      consistency: model.consistency ?? consistency,
      types,
      selects: interestOf(model),
    })
    const reading = options.hub.shareReading(filter)
    const partitioning = new Partitioning(name, count, model.partitionBy)
    const { afterStart } = model
    const inEach: HandlerModel = {
      ...model,
      // Once on this node, before the first event of whichever partition comes first.
      afterStart: afterStart && ((context) => (this.#afterStart ??= Promise.resolve(context).then(afterStart))),
    }
    this.#partitions = Array.from({ length: count }, (_, index) => {
      const checkpoint = partitionCheckpoint(name, index, count)
      return new Partition(inEach, this.#options, {
        checkpoint,
        owns: (event) => partitioning.partitionOf(event) === index,
        ownsKey: (key) => partitioning.partitionOfKey(key) === index,
        reading,
        handled: this.#handled,
        mayRun: () => layout.stands(checkpoint),
        progressed: this.#progressed,
        failed: (error) => {
          this.#progress.failed(error)
        },
      })
    })
  }

  get state(): HandlerState {
    if (!this.#started) return this.#partitions.some(({ state }) => state === 'failed') ? 'failed' : 'stopped'
    const held = new Set(this.#partitions.map(({ state }) => state))
    return STATES.find((state) => held.has(state)) ?? 'starting'
  }

  /** Every event up to here is handled, or does not interest the handler: by whichever node. */
  get position(): number {
    return lowest(this.#partitions, (partition) => partition.position)
  }

  /** How many positions the handler is behind what is known of the store. */
  get lag(): number {
    return Math.max(0, this.#options.hub.headPosition - this.position)
  }

  /** What a partition on this node failed with; undefined where none did. */
  get lastError(): unknown {
    return this.#partitions.find(({ lastError }) => lastError !== undefined)?.lastError
  }

  /** How often the events in hand have failed. */
  get failures(): number {
    return this.#partitions.reduce((sum, { failures }) => sum + failures, 0)
  }

  /** Which partitions this node works with. */
  get partitions(): readonly number[] {
    return [...this.#partitions.keys()].filter((index) => this.#partitions[index]?.isHeld)
  }

  /** Takes this node's share of the partitions, where it can be had; they may not have caught up when this is done. */
  async start(): Promise<void> {
    if (this.#started) return
    this.#started = true
    this.#stopping = undefined
    this.#afterStart = undefined
    for (const partition of this.#partitions) partition.forgive()
    this.#progress.begun((isAwaited) => {
      this.#awaited = isAwaited
      this.#followClosely()
    })
    this.#following = this.#shared.watch.follow({
      prefix: this.name,
      seen: (states) => {
        void this.#spread(states)
      },
    })
    await this.#spread(undefined)
  }

  /** Stops all partitions after the events in hand, and leaves them to the other nodes. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#started = false
    this.#following?.end()
    this.#following = undefined
    const stopped = Promise.all(this.#partitions.map((partition) => partition.stop()))
    const { clock, stopTimeout = STOP_TIMEOUT_MS } = this.#options
    // What is being started meanwhile is stopped too; a store that does not answer is not waited for.
    if (this.#spreading) await waitAtMost(clock, stopTimeout, this.#spreading)
    await stopped
    await Promise.all(this.#partitions.map((partition) => partition.stop()))
    await this.#leave()
    this.#progress.stopped(new NotRunningError(`the handler ${this.name} is stopped`))
  }

  #spread(states: readonly CheckpointState[] | undefined): Promise<void> {
    this.#spreading ??= this.#spreadOut(states)
      .catch((error: unknown) => {
        if (error instanceof NotRunningError || !this.#started) return
        this.#logger.warn(
          { handler: this.name, error },
          `the handler ${this.name} cannot take its partitions; it is tried again`,
        )
      })
      .finally(() => {
        this.#spreading = undefined
        this.#followClosely()
      })
    return this.#spreading
  }

  async #spreadOut(known: readonly CheckpointState[] | undefined): Promise<void> {
    await this.#join()
    const { store, owner } = this.#options
    const states = known ?? (await store.listCheckpoints(this.name))
    const seen = handlerCheckpoints(this.name, states)
    this.#notePositions(states, await this.#shared.head.cover(states))
    if (!(await this.#layout.prepare(states))) return
    const share = this.#shareOf(seen)
    const held = this.#partitions.filter(({ isHeld }) => isHeld)
    for (const partition of held.slice(share)) void partition.giveUp()
    const rows = new Map(states.map((state) => [state.name, state]))
    const isFree = ({ checkpoint, isFree }: Partition): boolean => {
      const holder = rows.get(checkpoint)?.owner
      return isFree && (holder === undefined || holder === owner)
    }
    const wanted = this.#started
      ? this.#fromOwnPlace()
          .filter(isFree)
          .slice(0, Math.max(0, share - held.length))
      : []
    // Together, so that they read together what they have missed.
    await Promise.all(wanted.map((partition) => partition.start()))
  }

  /** Nodes that begin to look at different places seldom want the same partition. */
  #fromOwnPlace(): readonly Partition[] {
    const first = Math.floor(this.#options.random.number() * this.#partitions.length)
    return [...this.#partitions.slice(first), ...this.#partitions.slice(0, first)]
  }

  #shareOf({ layouts, members }: HandlerCheckpoints): number {
    const { owner } = this.#options
    const count = this.#partitions.length
    const live = members.filter((member) => member.owner !== undefined && member.count === count)
    const held = new Map([owner, ...live.map((member) => member.owner ?? owner)].map((one) => [one, 0]))
    for (const row of layouts.get(count)?.values() ?? []) {
      const soFar = row.owner === undefined ? undefined : held.get(row.owner)
      if (row.owner !== undefined && soFar !== undefined) held.set(row.owner, soFar + 1)
    }
    return partitionShares(count, held).get(owner) ?? count
  }

  /** Says that this node is there. */
  async #join(): Promise<void> {
    if (this.#member !== undefined || !this.#started) return
    const { store, owner } = this.#options
    const { leases } = this.#shared
    const name = memberCheckpoint(this.name, owner, this.#partitions.length)
    const askedAt = leases.time.moment()
    const claim = await store.claimCheckpoint(name, { owner, startAfter: 0, lease: leases.lease })
    if (claim === undefined) return
    const lease = leases.keep(claim, askedAt, () => {
      this.#member = undefined
    })
    this.#member = { epoch: claim.epoch, lease }
  }

  async #leave(): Promise<void> {
    const member = this.#member
    if (member === undefined) return
    this.#member = undefined
    member.lease.end()
    const { store, owner } = this.#options
    try {
      await store.deleteCheckpoint(memberCheckpoint(this.name, owner, this.#partitions.length))
    } catch (error) {
      this.#logger.warn({ handler: this.name, error }, `the handler ${this.name} cannot tell that it leaves this node`)
    }
  }

  #notePositions(states: readonly CheckpointState[], headPosition: number): void {
    const handled = states.filter((state) => this.#handled.isHandled(state, headPosition))
    const positions = new Map(handled.map(({ name, position }) => [name, position]))
    for (const partition of this.#partitions) partition.note(positions.get(partition.checkpoint) ?? 0)
    this.#progressed(0)
  }

  readonly #progressed = (before: number): void => {
    // As long as another partition is the last one, the handler is no further.
    if (before > this.#acknowledged) return
    this.#acknowledged = lowest(this.#partitions, (partition) => partition.handledUpTo)
    this.#progress.acknowledge(this.#acknowledged)
  }

  #followClosely(): void {
    if (this.#following === undefined) return
    this.#following.isClose = this.#awaited && this.#partitions.some(({ isHeld }) => !isHeld)
  }
}

function lowest(partitions: readonly Partition[], placeOf: (partition: Partition) => number): number {
  let found = Infinity
  for (const partition of partitions) found = Math.min(found, placeOf(partition))
  return found
}
