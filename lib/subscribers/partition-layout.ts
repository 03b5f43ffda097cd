import type { Logger } from '../effects/logger.ts'
import { afterwards, type MaybePromise } from '../effects/maybe-promise.ts'
import type { CheckpointClaim, CheckpointState } from '../event-store/checkpoint.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { Lease, LeaseKeeper } from '../event-store/lease-keeper.ts'
import type { HandlerModel } from './handler-model.ts'
import { handlerCheckpoints, partitionCheckpoint, type HandlerCheckpoints } from './partition-names.ts'

export interface PartitionLayoutOptions {
  readonly model: Pick<HandlerModel, 'name' | 'startFrom'>
  /** How many partitions there are. */
  readonly count: number
  readonly store: EventStore
  readonly owner: string
  readonly leases: LeaseKeeper
  readonly logger: Logger
}

type Rows = ReadonlyMap<string, CheckpointState>

const none: Rows = new Map()

/** Where a checkpoint is that was made by mistake, in a claim that came after its deletion: no place, and never worked from. */
const NOWHERE = Number.MAX_SAFE_INTEGER

/**
 * The checkpoints of a handler with so many partitions, and how they come about. A handler works only while all checkpoints of
 * its layout are there and none of another one: so nothing is skipped and nobody works beside others when the number changes. The
 * new layout begins at the lowest place of the old one, whose checkpoints are deleted last, under the claims of all of them.
 */
export class PartitionLayout {
  readonly #options: PartitionLayoutOptions
  readonly #names: readonly string[]
  /** Those of this layout that were there at the last look. */
  #known: Rows = none
  #told = false

  constructor(options: PartitionLayoutOptions) {
    const { model, count } = options
    this.#options = options
    this.#names = Array.from({ length: count }, (_, index) => partitionCheckpoint(model.name, index, count))
  }

  /**
   * Makes the layout, in place of another one that nobody holds any more. False where somebody does.
   *
   * @param states what was seen of the handler's checkpoints just now; looked up where it is left out
   */
  prepare(states?: readonly CheckpointState[]): MaybePromise<boolean> {
    return afterwards(states ?? this.#list(), (found) => {
      const seen = this.#seen(found)
      const dead = seen.members.filter(({ owner }) => owner === undefined)
      if (dead.length > 0) return this.#bury(dead)
      const others = this.#others(seen)
      const complete = this.#known.size === this.#names.length
      if (others.length === 0 && (complete || this.#names.length === 1)) return true
      if (others.length === 0) return this.#create()
      const held = others.find(({ owner }) => owner !== undefined && owner !== this.#options.owner)
      const member = complete ? undefined : this.#liveMember(seen)
      if (held === undefined && member === undefined) return this.#replace(seen)
      this.#tell(held ?? member)
      return false
    })
  }

  /**
   * Whether there is no other layout: asked under the claim of one of its checkpoints. One that came into being beside another
   * layout that is whole has come too late, and is deleted.
   */
  stands(checkpoint = this.#names[0] as string): MaybePromise<boolean> {
    return afterwards(this.#list(), (states) => {
      const seen = this.#seen(states)
      const isThere = this.#known.has(checkpoint)
      if (isThere && this.#others(seen).length === 0) return true
      if (isThere && !this.#isAnotherWhole(seen)) return false
      return afterwards(this.#options.store.deleteCheckpoint(checkpoint), () => false)
    })
  }

  #list(): MaybePromise<readonly CheckpointState[]> {
    return this.#options.store.listCheckpoints(this.#options.model.name)
  }

  #seen(states: readonly CheckpointState[]): HandlerCheckpoints {
    const seen = handlerCheckpoints(this.#options.model.name, states)
    const rows = seen.layouts.get(this.#options.count) ?? none
    this.#known = new Map([...rows].filter(([, { position }]) => position !== NOWHERE))
    return seen
  }

  #others({ layouts }: HandlerCheckpoints): readonly CheckpointState[] {
    if (layouts.size === 0) return []
    return [...layouts].flatMap(([count, rows]) => (count === this.#options.count ? [] : [...rows.values()]))
  }

  #isAnotherWhole({ layouts }: HandlerCheckpoints): boolean {
    return [...layouts].some(([count, rows]) => {
      const there = [...rows.values()].filter(({ position }) => position !== NOWHERE)
      return count !== this.#options.count && there.length === count
    })
  }

  /** A node that works with another layout that is there, or is about to. */
  #liveMember({ layouts, members }: HandlerCheckpoints): CheckpointState | undefined {
    return members.find(
      ({ count, owner }) => owner !== undefined && count !== this.#options.count && layouts.has(count),
    )
  }

  /** Nodes that are gone leave nothing behind. One that was only away says anew that it is there. */
  async #bury(dead: readonly CheckpointState[]): Promise<boolean> {
    for (const { name } of dead) await this.#options.store.deleteCheckpoint(name)
    return this.prepare()
  }

  /** All checkpoints at one place, before anyone works with one of them. */
  async #create(): Promise<boolean> {
    await this.#createMissing(Math.min(...[...this.#known.values()].map(({ position }) => position)))
    return true
  }

  /** `lowest` is where whatever was there before has come to; Infinity where there was nothing. */
  async #createMissing(lowest: number): Promise<void> {
    const { store, owner, leases } = this.#options
    const startAfter = lowest === Infinity ? await this.#startAfter() : lowest
    for (const name of this.#names) {
      if (this.#known.has(name)) continue
      const claim = await store.claimCheckpoint(name, { owner, startAfter, lease: leases.lease })
      if (claim?.position === NOWHERE) await store.saveCheckpoint({ ...claim, position: startAfter, index: 0 })
      if (claim) await store.releaseCheckpoint(name, claim.epoch)
    }
  }

  #startAfter(): MaybePromise<number> {
    const { startFrom } = this.#options.model
    if (startFrom === 'origin') return 0
    return startFrom === 'current' ? this.#options.store.headPosition() : startFrom - 1
  }

  /** Under the claims of all that is there: nobody works, and nobody else can change the layout meanwhile. */
  async #replace(seen: HandlerCheckpoints): Promise<boolean> {
    const { store } = this.#options
    const mine = [...this.#known.values()]
    const complete = mine.length === this.#names.length
    // Beside a layout that is worked with, or is the only whole one, what there is of another only has to go.
    const remains = complete && (mine.some(({ owner }) => owner !== undefined) || !this.#isAnotherWhole(seen))
    const wanted = (now: HandlerCheckpoints): readonly string[] =>
      [...this.#others(now), ...(remains ? [] : this.#known.values())].map(({ name }) => name).sort()
    const names = wanted(seen)
    const claims = new Claims(this.#options)
    try {
      if (!(await claims.take(names))) return false
      const now = this.#seen(await this.#list())
      if (wanted(now).join('\n') !== names.join('\n')) return false
      if (!remains) await this.#createMissing(claims.lowest)
      for (const { name } of this.#others(now)) {
        if (claims.areLost) return false
        await store.deleteCheckpoint(name)
      }
      this.#told = false
      return true
    } finally {
      await claims.release()
    }
  }

  #tell(state: CheckpointState | undefined): void {
    if (this.#told || state === undefined) return
    this.#told = true
    const { model, count, logger } = this.#options
    logger.warn(
      { handler: model.name, checkpoint: state.name, owner: state.owner },
      `the handler ${model.name} is to run with concurrency ${count} and waits: a node that runs it with another one holds ${state.name}`,
    )
  }
}

/** Several checkpoints that are held together. */
class Claims {
  readonly #options: PartitionLayoutOptions
  readonly #held: { readonly claim: CheckpointClaim; readonly lease: Lease }[] = []
  #lost = false

  constructor(options: PartitionLayoutOptions) {
    this.#options = options
  }

  get areLost(): boolean {
    return this.#lost
  }

  /** Every event up to here was handled by whoever held them. */
  get lowest(): number {
    return Math.min(...this.#held.map(({ claim }) => claim.position))
  }

  /** In the order given, which is the same everywhere: of two who want them, one gets all. */
  async take(names: readonly string[]): Promise<boolean> {
    const { store, owner, leases } = this.#options
    for (const name of names) {
      const askedAt = leases.time.moment()
      const claim = await store.claimCheckpoint(name, { owner, startAfter: NOWHERE, lease: leases.lease })
      if (claim === undefined) return false
      if (claim.position === NOWHERE) {
        // It was deleted since it was seen: what was seen is not true any more.
        await store.deleteCheckpoint(name)
        return false
      }
      const lease = leases.keep(claim, askedAt, () => {
        this.#lost = true
      })
      this.#held.push({ claim, lease })
    }
    return true
  }

  async release(): Promise<void> {
    for (const { claim, lease } of this.#held) {
      lease.end()
      await this.#options.store.releaseCheckpoint(claim.name, claim.epoch)
    }
  }
}
