import { v5 } from 'uuid'
import { Hydration } from '../aggregate/hydrate.ts'
import { NOT_LOADED, type Instance } from '../aggregate/instance.ts'
import type { InstanceGroup } from '../aggregate/instance-cache.ts'
import { Executed } from '../dispatch/executed.ts'
import type { DispatchServices } from '../dispatch/services.ts'
import { DuplicateCommandError, StoreError, StreamClosedError, describeThrown } from '../errors.ts'
import type { StreamAppend, StreamSlice } from '../event-store/event-store.ts'
import { factOf, ownFact } from '../event-store/own-facts.ts'
import { fingerprint } from '../messages/fingerprint.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { UnitRoot } from '../unit-of-work/unit-root.ts'
import type { BatchEntry } from './batch-entry.ts'
import { synchronousAgain, type CommandOutcome } from './command-outcome.ts'

const CATEGORY = 'edict.batch'
const COMMITTED = 'edict.BatchCommitted'
const NAMESPACE = '6f1c1f0e-8b0a-5b0e-9d6a-3a1f0c7d2e54'

/** Where events stand: so many of a stream, from a version on. */
interface Place {
  readonly streamId: string
  readonly from: number
  readonly count: number
}

/** What is kept of a command that committed. */
interface Kept {
  readonly type: string
  readonly fingerprint: string
  readonly commandId: string
  readonly scheduledBy?: string
  readonly aggregateId: string
  readonly tenant?: string
  /** The version of its own aggregate after it. */
  readonly version: number
  readonly events: readonly Place[]
}

/**
 * Knows a batch again whose ids were given: a fact that is stored together with its events says which commands they were, and what they
 * came to. So one that comes again, from wherever, is answered as a whole, or has never been.
 */
export class BatchMarker {
  readonly #services: DispatchServices
  readonly #commandIds: readonly string[]
  readonly #isDispatch: boolean
  readonly #groupOf: (type: string) => InstanceGroup | undefined

  constructor(
    services: DispatchServices,
    commandIds: readonly string[],
    groupOf: (type: string) => InstanceGroup | undefined,
    isDispatch: boolean,
  ) {
    this.#services = services
    this.#commandIds = commandIds
    this.#isDispatch = isDispatch
    this.#groupOf = groupOf
  }

  /**
   * Tenants know nothing of each other's ids; that of a command may come from its middleware. The id of one command by itself is known
   * in the stream of its aggregate alone.
   */
  #streamOf(given: readonly BatchEntry[], ofWhom: readonly (string | undefined)[]): string {
    const tenants = ofWhom.map((tenant) => tenant ?? null)
    const ofTenants = tenants.some((tenant) => tenant !== null) ? [this.#commandIds, tenants] : this.#commandIds
    const own = this.#isDispatch ? given.map(({ plan, aggregateId }) => [plan.model.name, aggregateId]) : undefined
    return `${CATEGORY}-${v5(JSON.stringify(own === undefined ? ofTenants : { own, ofTenants }), NAMESPACE)}`
  }

  /**
   * What the batch came to when it committed before; undefined where it did not.
   *
   * @param given the commands that were given
   * @param tenants theirs
   * @throws {DuplicateCommandError} `duplicate_command` where it was made of other commands
   */
  async find(
    given: readonly BatchEntry[],
    tenants: readonly (string | undefined)[],
  ): Promise<readonly CommandOutcome[] | undefined> {
    const streamId = this.#streamOf(given, tenants)
    const [fact] = (await this.#read(streamId)).events
    if (fact === undefined) return undefined
    // Written by `appends`.
    const kept = factOf(fact)['commands'] as readonly Kept[]
    for (const [index, { command, commandId }] of given.entries()) {
      if (kept[index]?.fingerprint === fingerprint(command)) continue
      throw new DuplicateCommandError(commandId, streamId)
    }
    return Promise.all(kept.map((one, index) => this.#recalled(one, given[index])))
  }

  async #read(streamId: string): Promise<StreamSlice> {
    try {
      return await this.#services.store.readStream(streamId, { maxCount: 1 })
    } catch (cause) {
      const what = 'whether the batch was executed before cannot be read'
      throw new StoreError(`${what}: ${describeThrown(cause)}`, { cause, outcome: 'unknown' })
    }
  }

  async #recalled(kept: Kept, entry: BatchEntry | undefined): Promise<CommandOutcome> {
    const { type, commandId, scheduledBy } = kept
    const result = await this.#resultOf(kept)
    const synchronous = synchronousAgain(this.#services, result)
    return { type, commandId, scheduledBy, awaited: entry?.awaited ?? [], synchronous, result }
  }

  async #resultOf({ type, aggregateId, tenant, version, events: places }: Kept): Promise<ExecutionResult> {
    const { instances, store, codec } = this.#services
    const group = this.#groupOf(type)
    if (group === undefined) throw new StoreError(`no router registers ${type}, which the batch was made of`)
    const instance = instances.obtain(group.of(tenant), aggregateId)
    const events: RecordedEvent[] = []
    for (const { streamId, from, count } of places) {
      const slice = await store.readStream(streamId, { fromVersion: from, maxCount: count })
      for (const stored of slice.events) {
        // It took effect, whatever became of its events since.
        if (stored.tombstone === true) throw new StreamClosedError(streamId, 'deleted', { outcome: 'executed' })
        events.push(...(await codec.decode(stored)))
      }
    }
    const state = await this.#stateAt(instance, version)
    return new Executed(instance, version, Object.freeze(events), events[0]?.metadata ?? {}, state, undefined)
  }

  async #stateAt(instance: Instance, version: number): Promise<unknown> {
    if (instance.version !== NOT_LOADED && instance.version === version) return instance.state
    const from = await this.#services.snapshots.load(instance, version)
    if (from.version === version) return from.state
    return (await new Hydration(this.#services, instance, from, undefined, version).run()).state
  }

  /** The fact that is stored together with the events of the batch. */
  appends(
    entries: readonly BatchEntry[],
    given: readonly BatchEntry[],
    roots: readonly UnitRoot[],
  ): readonly StreamAppend[] {
    const [first] = entries
    if (first === undefined || !roots.some(({ isChanged }) => isChanged)) return []
    const places = placesOf(roots)
    const commands = entries.map((entry): Kept => {
      const { command, commandId, scheduledBy, aggregateId, tenant, provisional } = entry
      return {
        ...{ type: command.type, fingerprint: fingerprint(command), commandId, aggregateId },
        ...(scheduledBy !== undefined && { scheduledBy: scheduledBy.name }),
        ...(tenant !== undefined && { tenant }),
        version: provisional?.aggregateVersion ?? 0,
        events: places.get(entry) ?? [],
      }
    })
    // Of all batches there is one that has this stream.
    const { causationId, correlationId, now } = first
    const tenants = given.map(({ tenant }) => tenant)
    const streamId = this.#streamOf(given, tenants)
    const origin = { commandId: streamId, causationId, correlationId, now }
    const fact = ownFact(COMMITTED, `${streamId}-1`, { commands }, origin)
    return [{ streamId, category: CATEGORY, expectedVersion: 'none', events: [fact], deduplicate: false }]
  }
}

function placesOf(roots: readonly UnitRoot[]): ReadonlyMap<unknown, readonly Place[]> {
  const places = new Map<unknown, Place[]>()
  for (const { streamId, loadedVersion, runs } of roots) {
    let from = loadedVersion + 1
    for (const { source, events } of runs) {
      places.set(source, [...(places.get(source) ?? []), { streamId, from, count: events.length }])
      from += events.length
    }
  }
  return places
}
