import type { Clock } from '../../effects/clock.ts'
import {
  DEFAULT_LEASE_MS,
  type Checkpoint,
  type CheckpointClaim,
  type CheckpointHold,
  type CheckpointState,
  type ClaimOptions,
} from '../../event-store/checkpoint.ts'

interface Entry extends Checkpoint {
  readonly owner: string | undefined
  readonly lease: number
  /** When the lease runs out. */
  readonly until: number
}

/** The checkpoints of persistent subscriptions, each held by one owner at a time. */
export class Checkpoints {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Pick<Clock, 'now'>
  // One count for all names: a checkpoint that is deleted and made again gets an epoch above that of its former owner.
  #lastEpoch = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  claim(
    name: string,
    { owner, startAfter, lease = DEFAULT_LEASE_MS, force = false }: ClaimOptions,
  ): CheckpointClaim | undefined {
    const entry = this.#entries.get(name)
    const holder = entry && this.#holder(entry)
    if (holder !== undefined && holder !== owner && !force) return undefined
    const { position, index } = entry ?? { position: startAfter, index: 0 }
    const until = this.#clock.now() + lease
    const claimed = { name, position, index, epoch: ++this.#lastEpoch, owner, lease, until }
    this.#entries.set(name, claimed)
    return asCheckpoint(claimed)
  }

  renew(holds: readonly CheckpointHold[]): boolean[] {
    return holds.map(({ name, epoch }) => {
      const entry = this.#held(name, epoch)
      if (entry === undefined) return false
      this.#entries.set(name, { ...entry, until: this.#clock.now() + entry.lease })
      return true
    })
  }

  save({ name, position, index, epoch }: Checkpoint): boolean {
    const entry = this.#held(name, epoch)
    if (entry === undefined) return false
    this.#entries.set(name, { ...entry, position, index })
    return true
  }

  /** Forgets all of them; the epochs go on. */
  empty(): void {
    this.#entries.clear()
  }

  holds({ name, epoch }: CheckpointHold): boolean {
    return this.#held(name, epoch) !== undefined
  }

  release(name: string, epoch: number): void {
    const entry = this.#held(name, epoch)
    if (entry !== undefined) this.#entries.set(name, { ...entry, owner: undefined })
  }

  /** When the store closes its owners are gone, whether they gave up their checkpoints or not. */
  releaseAll(): void {
    for (const [name, entry] of this.#entries) this.#entries.set(name, { ...entry, owner: undefined })
  }

  read(name: string): Checkpoint | undefined {
    const entry = this.#entries.get(name)
    return entry && asCheckpoint(entry)
  }

  delete(name: string): void {
    this.#entries.delete(name)
  }

  list(prefix: string): CheckpointState[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.name.startsWith(prefix))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
      .map((entry) => ({ ...asCheckpoint(entry), owner: this.#holder(entry) }))
  }

  /** Whom the checkpoint is kept for against others. */
  #holder(entry: Entry): string | undefined {
    return this.#clock.now() < entry.until ? entry.owner : undefined
  }

  /** Until another owner claims it, a lease that has run out takes nothing from the one who had it. */
  #held(name: string, epoch: number): Entry | undefined {
    const entry = this.#entries.get(name)
    return entry?.owner !== undefined && entry.epoch === epoch ? entry : undefined
  }
}

function asCheckpoint({ name, position, index, epoch }: Entry): Checkpoint {
  return { name, position, index, epoch }
}
