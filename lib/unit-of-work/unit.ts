import { Hydration, type VersionedState } from '../aggregate/hydrate.ts'
import { NOT_LOADED, type Instance } from '../aggregate/instance.ts'
import type { InstanceGroup } from '../aggregate/instance-cache.ts'
import type { EventSource } from '../dispatch/new-events.ts'
import { refusalOfChange, refusalOfOwnChange, runningHere } from '../dispatch/running-handler.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import {
  AggregateNotAddedError,
  describeThrown,
  ReentrantDispatchError,
  SchedulingRefusedError,
  SeveralAggregatesError,
  StoreError,
  UnitOfWorkMisuseError,
  UnitRolledBackError,
  type UniqueValueTakenError,
  type VersionConflictError,
} from '../errors.ts'
import type { StreamAppend } from '../event-store/event-store.ts'
import type { StoredEvent } from '../event-store/stored-event.ts'
import { NOTHING_STORED, UnitCommit, type Committed } from './unit-commit.ts'
import type { UnitOwner } from './unit-owner.ts'
import { UnitRoot } from './unit-root.ts'

export interface UnitRules {
  /** Whether it may persist more than one aggregate. */
  readonly multipleAggregates: boolean
  /** The workflow that follows an event of this type inside the transaction, where the unit has no queue for what it would schedule. */
  readonly followerOf?: (type: string) => string | undefined
}

/** A command that committed before, found in a stream that the unit loads: its first result is the answer. */
export interface CommittedBefore {
  readonly source: EventSource
  readonly instance: Instance
  readonly events: readonly StoredEvent[]
}

/** Ends a unit whose command committed before. No error of Edict's: who runs the unit answers with the first result. */
export class CommittedBeforeSignal extends Error {
  override readonly name = 'CommittedBeforeSignal'
  readonly found: CommittedBefore

  constructor(found: CommittedBefore) {
    super(`${found.source.commandId} committed before: its first result is the answer`)
    this.found = found
  }
}

/**
 * A transaction over aggregates: each is loaded once, in an order that is kept, and what becomes of them is stored by one append,
 * or not at all. One unit runs once; after a conflict everything is run again in a fresh one.
 */
export class Unit {
  readonly #services: DispatchServices
  readonly #owner: UnitOwner
  readonly #rules: UnitRules
  /** By stream id. */
  readonly #loads = new Map<string, Promise<UnitRoot>>()
  /** Of those that were asked for, by stream id, how many were before. */
  readonly #places = new Map<string, number>()
  readonly #roots = new Map<string, UnitRoot>()
  readonly #lookedFor = new Map<string, Set<string>>()
  #committedBefore: CommittedBefore | undefined
  /** Those that each command has changed. A batch has many commands, and many roots. */
  readonly #changedBy = new Map<EventSource, Set<UnitRoot>>()
  #asked = 0
  /** How many units within it have not ended. */
  #open = 0
  #broken: { readonly cause: unknown } | undefined
  #commit: UnitCommit | undefined
  #ended = false

  constructor(services: DispatchServices, owner: UnitOwner, rules: UnitRules) {
    this.#services = services
    this.#owner = owner
    this.#rules = rules
  }

  /** Those that are loaded, in the order in which they were asked for. What was only looked at was not changed. */
  get roots(): readonly UnitRoot[] {
    return [...this.#places.keys()].flatMap((streamId) => this.#roots.get(streamId) ?? [])
  }

  /** Those of them that were changed in somebody's name. */
  changedBy(source: EventSource): readonly UnitRoot[] {
    return [...(this.#changedBy.get(source) ?? [])].sort((one, other) => this.#placeOf(one) - this.#placeOf(other))
  }

  #placeOf({ streamId }: UnitRoot): number {
    return this.#places.get(streamId) ?? Infinity
  }

  /** One that is loaded. */
  rootOf(streamId: string): UnitRoot | undefined {
    return this.#roots.get(streamId)
  }

  /** Set as soon as a stream is loaded in which the command that asked for it committed before: nothing is to be stored then. */
  get committedBefore(): CommittedBefore | undefined {
    return this.#committedBefore
  }

  /** Whether others are not to change it: also one that is being loaded. */
  hasLoaded(streamId: string): boolean {
    return this.#loads.has(streamId)
  }

  get isEnded(): boolean {
    return this.#ended
  }

  /**
   * The aggregate as the store knows it now, or as the unit has left it; a new one where it has no events.
   *
   * @throws {CommittedBeforeSignal} where the id of the command was given, and committed in the stream before
   */
  async load(group: InstanceGroup, aggregateId: string, source: EventSource): Promise<UnitRoot> {
    this.#mustGoOn()
    const { streamId } = this.#services.instances.obtain(group, aggregateId)
    if (!this.#places.has(streamId)) this.#places.set(streamId, this.#asked++)
    return this.lookAt(group, aggregateId, source)
  }

  /**
   * As `load`, for whoever runs a command and not for its handler: that it is looked at says nothing of the order in which the handler
   * loads it. So it is not to be changed either.
   */
  async lookAt(group: InstanceGroup, aggregateId: string, source: EventSource): Promise<UnitRoot> {
    this.#mustGoOn()
    const instance = this.#services.instances.obtain(group, aggregateId)
    const { streamId } = instance
    let loading = this.#loads.get(streamId)
    if (loading === undefined) {
      loading = this.#hydrate(instance)
      this.#loads.set(streamId, loading)
      // One that could not be read may be asked for again.
      loading.catch(() => {
        this.#loads.delete(streamId)
        this.#places.delete(streamId)
      })
    }
    const root = await loading
    await this.#lookFor(source, root)
    this.#mustGoOn()
    return root
  }

  async #hydrate(instance: Instance): Promise<UnitRoot> {
    const from: VersionedState =
      instance.version === NOT_LOADED
        ? await this.#services.snapshots.load(instance)
        : { state: instance.state, version: instance.version, snapshotVersion: instance.snapshotVersion }
    const loaded = await new Hydration(this.#services, instance, from, this.#owner).run()
    const snapshotVersion = from.snapshotVersion ?? 0
    const root = new UnitRoot(instance, { ...loaded, snapshotVersion }, this.#isChangedBy)
    this.#keepWarm(root, loaded.state, loaded.version)
    this.#roots.set(instance.streamId, root)
    return root
  }

  /**
   * After the state, so that nothing can come between: what commits later makes the append conflict, and the fresh unit finds it here.
   */
  async #lookFor(source: EventSource, { instance }: UnitRoot): Promise<void> {
    const { commandId } = source.options
    if (commandId === undefined) return
    const { streamId } = instance
    const known = this.#lookedFor.get(streamId) ?? new Set()
    if (known.has(commandId)) return
    this.#lookedFor.set(streamId, known.add(commandId))
    let events: readonly StoredEvent[]
    try {
      events = await this.#services.store.readCommand(streamId, commandId)
    } catch (cause) {
      const what = `whether ${source.command?.type ?? commandId} was executed before cannot be read`
      throw new StoreError(`${what}: ${describeThrown(cause)}`, { cause, outcome: 'unknown' })
    }
    if (events.length === 0) return
    this.#committedBefore ??= { source, instance, events }
    throw new CommittedBeforeSignal(this.#committedBefore)
  }

  readonly #isChangedBy = (root: UnitRoot, source: EventSource): void => {
    const roots = this.#changedBy.get(source) ?? new Set()
    this.#changedBy.set(source, roots.add(root))
  }

  /** Live instances keep what is newest, unless somebody else's command is at work on them. */
  #keepWarm(root: UnitRoot, state: unknown, version: number): boolean {
    const { instance, snapshotVersion } = root
    const { mailbox } = instance
    if (!mailbox.idle && mailbox.current !== this.#owner) return false
    if (instance.version >= version) return instance.version === version
    if (instance.version === NOT_LOADED) instance.snapshotVersion = snapshotVersion
    instance.state = state
    instance.version = version
    return true
  }

  /**
   * Says that an aggregate's events are to be stored.
   *
   * @throws {SeveralAggregatesError} `several_aggregates` where another one has some that are, and the rules allow one
   */
  add(root: UnitRoot): void {
    this.#mustGoOn()
    if (root.isChanged && !this.#rules.multipleAggregates) {
      this.#refuseSeveral([...this.#toStore().filter((other) => other !== root), root])
    }
    root.added = true
  }

  #toStore(): UnitRoot[] {
    return this.roots.filter((root) => root.added && root.isChanged)
  }

  #refuseSeveral(roots: readonly UnitRoot[]): void {
    if (this.#rules.multipleAggregates || roots.length < 2) return
    throw new SeveralAggregatesError(roots.map(({ streamId }) => streamId))
  }

  /** To store them without what has to be stored with them would be half of the work. */
  #refuseFollowed(roots: readonly UnitRoot[]): void {
    const { followerOf } = this.#rules
    if (followerOf === undefined) return
    for (const { type } of roots.flatMap(({ runs }) => runs.flatMap(({ events }) => events))) {
      const workflow = followerOf(type)
      if (workflow === undefined) continue
      const what = `the workflow ${workflow} follows ${type} inside the transaction, and a unit of work of your own runs none`
      throw new SchedulingRefusedError(`${what}: dispatch a command that leads to it`)
    }
  }

  /** Whoever waits for it would conflict with it, and run it again each time. */
  #refuseChangeOf(roots: readonly UnitRoot[]): void {
    const from = runningHere()
    if (from === undefined) return
    for (const { streamId, instance } of roots) {
      const refusal =
        refusalOfChange('a unit of work', from, this.#services, streamId) ??
        refusalOfOwnChange('a unit of work', from, instance)
      if (refusal !== undefined) throw new ReentrantDispatchError(refusal)
    }
  }

  /** Another one within it has begun: it does not commit before that has ended. */
  joined(): void {
    this.#open++
  }

  left(): void {
    this.#open--
  }

  /** Something within it failed: it never commits, whoever catches that. The first cause is kept. */
  breakBy(cause: unknown): void {
    this.#broken ??= { cause }
  }

  /** @throws {UnitRolledBackError} `unit_rolled_back` where something within it failed, or has not ended: half of the work is not all of it */
  mustBeWhole(): void {
    if (this.#broken !== undefined) throw new UnitRolledBackError(this.#broken.cause)
    if (this.#open > 0) throw new UnitRolledBackError(new UnitOfWorkMisuseError('a unit within it has not ended'))
  }

  /**
   * Stores all that was added by one append, and ends the unit.
   *
   * @param also what is stored together with it, where anything is; one event for each stream
   * @throws {VersionConflictError} `version_conflict` where somebody else wrote to one of the streams meanwhile: nothing is stored, and
   *   all may be run again in a fresh unit
   * @throws {AggregateNotAddedError} `aggregate_not_added`; SeveralAggregatesError `several_aggregates`; UnitRolledBackError
   *   `unit_rolled_back`; UniqueValueTakenError `value_taken`; StreamClosedError `stream_closed`; ReentrantDispatchError `reentrant_dispatch`;
   *   StoreError `store_failed`
   */
  async commit(also: readonly StreamAppend[] = []): Promise<Committed> {
    this.#mustGoOn()
    this.#ended = true
    this.mustBeWhole()
    const lost = this.roots.filter((root) => root.isChanged && !root.added)
    if (lost.length > 0) throw new AggregateNotAddedError(lost.map(({ streamId }) => streamId))
    const roots = this.#toStore()
    this.#refuseSeveral(roots)
    if (roots.length === 0) return NOTHING_STORED
    this.#refuseFollowed(roots)
    this.#refuseChangeOf(roots)
    const commit = new UnitCommit(this.#services, this.#owner, roots)
    this.#commit = commit
    const committed = await commit.run(also)
    for (const { root, version } of committed.roots) {
      if (this.#keepWarm(root, root.state, version)) this.#services.snapshots.afterCommit(root.instance)
    }
    return committed
  }

  /** Whether its own commit met a conflict, and this is what told of it: nothing is stored. */
  hasConflicted(error: VersionConflictError): boolean {
    return this.#commit?.conflict === error
  }

  /** What a conflict of its commit is for a caller, where nobody tries again. */
  async asToldOf(conflict: VersionConflictError): Promise<VersionConflictError | UniqueValueTakenError> {
    return (await this.#commit?.asToldOf(conflict)) ?? conflict
  }

  /** Ends it without a trace. */
  rollBack(): void {
    this.#ended = true
  }

  #mustGoOn(): void {
    if (this.#ended) throw new UnitOfWorkMisuseError('the unit of work has ended: begin another one')
    this.#owner.fence()
  }
}
