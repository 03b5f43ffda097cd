import { InvalidIdentityError } from '../errors.ts'
import { textFault } from '../event-store/argument-checks.ts'
import { MAX_STREAM_ID_LENGTH } from '../event-store/limits.ts'
import { Instance } from './instance.ts'
import type { AggregateModel } from './model.ts'
import { tenantPrefix } from './tenant.ts'

/** All live instances of one aggregate: those of no tenant, and behind them a group for each tenant that has some. */
export class InstanceGroup {
  readonly model: AggregateModel
  readonly prefix: string
  readonly tenant: string | undefined
  readonly instances = new Map<string, Instance>()
  #tenants: Map<string, InstanceGroup> | undefined

  constructor(model: AggregateModel, prefix: string, tenant?: string) {
    this.model = model
    this.prefix = prefix
    this.tenant = tenant
  }

  /** The group of a tenant's instances, which is kept while there are some. */
  of(tenant: string | undefined): InstanceGroup {
    if (tenant === undefined) return this
    return this.#tenants?.get(tenant) ?? new InstanceGroup(this.model, tenantPrefix(tenant, this.prefix), tenant)
  }

  /** Keeps a tenant's group that has got its first instance. */
  keep(group: InstanceGroup): void {
    if (group.tenant !== undefined) (this.#tenants ??= new Map<string, InstanceGroup>()).set(group.tenant, group)
  }

  /** Lets go of a tenant's group that has lost its last one. */
  release(group: InstanceGroup): void {
    if (group.tenant !== undefined) this.#tenants?.delete(group.tenant)
  }

  /** This group and those of all tenants. */
  all(): readonly InstanceGroup[] {
    return [this, ...(this.#tenants?.values() ?? [])]
  }
}

/** Live instances, the least recently used of which give way. One that is at work stays, over the capacity if it must be. */
export class InstanceCache {
  /** Told of each instance that leaves. */
  removed: ((instance: Instance) => void) | undefined
  readonly #capacity: number
  readonly #groups = new Map<AggregateModel, InstanceGroup>()
  readonly #byCategory = new Map<string, InstanceGroup>()
  #newest: Instance | undefined
  #oldest: Instance | undefined
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#size
  }

  /** How many commands wait for their instance: looks at every one. */
  waiting(): { readonly waitingCommands: number; readonly deepestMailbox: number } {
    let waitingCommands = 0
    let deepestMailbox = 0
    for (let instance = this.#newest; instance !== undefined; instance = instance.older) {
      const { length } = instance.mailbox
      waitingCommands += length
      deepestMailbox = Math.max(deepestMailbox, length)
    }
    return { waitingCommands, deepestMailbox }
  }

  group(model: AggregateModel, prefix: string): InstanceGroup {
    let group = this.#groups.get(model)
    if (group === undefined) {
      group = new InstanceGroup(model, prefix)
      this.#groups.set(model, group)
      this.#byCategory.set(model.name, group)
    }
    return group
  }

  /** A cache of its own for the same aggregates, with nothing in it. */
  emptyCopy(): InstanceCache {
    const copy = new InstanceCache(Infinity)
    for (const [model, { prefix }] of this.#groups) copy.group(model, prefix)
    return copy
  }

  groupOf(model: AggregateModel): InstanceGroup | undefined {
    return this.#groups.get(model)
  }

  /** The live instance of a stream; looking for it is no use of it. */
  find(category: string, streamId: string, tenant: string | undefined): Instance | undefined {
    const group = this.#byCategory.get(category)?.of(tenant)
    if (group === undefined || !streamId.startsWith(group.prefix)) return undefined
    return group.instances.get(streamId.slice(group.prefix.length))
  }

  /** The instance of an identity, made if it is not live. It is the most recently used one now. */
  obtain(group: InstanceGroup, aggregateId: string): Instance {
    const live = group.instances.get(aggregateId)
    if (live !== undefined) {
      if (live !== this.#newest) {
        this.#unlink(live)
        this.#linkNewest(live)
      }
      return live
    }
    const streamId = group.prefix + aggregateId
    const fault = textFault(streamId, MAX_STREAM_ID_LENGTH)
    if (fault !== undefined)
      throw new InvalidIdentityError(`the identity of a ${group.model.name} makes a stream id that ${fault}`)
    const made = new Instance(group.model, aggregateId, streamId, group.tenant)
    if (group.instances.size === 0) this.#groups.get(group.model)?.keep(group)
    group.instances.set(aggregateId, made)
    this.#linkNewest(made)
    this.#size++
    if (this.#size > this.#capacity) this.#evict(made)
    return made
  }

  remove(instance: Instance): void {
    const known = this.#groups.get(instance.model)
    const group = known?.of(instance.tenant)
    if (group?.instances.get(instance.aggregateId) !== instance) return
    group.instances.delete(instance.aggregateId)
    if (group.instances.size === 0) known?.release(group)
    this.#unlink(instance)
    this.#size--
    this.removed?.(instance)
  }

  /** Forgets all instances; the groups stay. */
  clear(): void {
    for (const known of this.#groups.values()) {
      for (const group of known.all()) {
        for (const instance of group.instances.values()) {
          // Whoever still holds one of them must not hold all of them by their links.
          instance.newer = undefined
          instance.older = undefined
          this.removed?.(instance)
        }
        group.instances.clear()
        known.release(group)
      }
    }
    this.#newest = undefined
    this.#oldest = undefined
    this.#size = 0
  }

  #evict(spared: Instance): void {
    let candidate = this.#oldest
    while (candidate !== undefined && this.#size > this.#capacity) {
      const next = candidate.newer
      if (candidate !== spared && candidate.mailbox.idle) this.remove(candidate)
      candidate = next
    }
  }

  #linkNewest(instance: Instance): void {
    instance.older = this.#newest
    instance.newer = undefined
    if (this.#newest === undefined) this.#oldest = instance
    else this.#newest.newer = instance
    this.#newest = instance
  }

  #unlink(instance: Instance): void {
    const { newer, older } = instance
    if (newer === undefined) this.#newest = older
    else newer.older = older
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    instance.newer = undefined
    instance.older = undefined
  }
}
