import type { Checkpoint, CheckpointClaim, ClaimOptions } from '../../event-store/checkpoint.ts'

interface Entry extends Checkpoint {
  readonly owner: string | undefined
}

/** The checkpoints of persistent subscriptions, each held by one owner at a time. */
export class Checkpoints {
  readonly #entries = new Map<string, Entry>()
  // One count for all names: a checkpoint that is deleted and made again gets an epoch above that of its former owner.
  #lastEpoch = 0

  claim(name: string, { owner, startAfter }: ClaimOptions): CheckpointClaim | undefined {
    const entry = this.#entries.get(name)
    if (entry?.owner !== undefined && entry.owner !== owner) return undefined
    const { position, index } = entry ?? { position: startAfter, index: 0 }
    const claimed = { name, position, index, epoch: ++this.#lastEpoch, owner }
    this.#entries.set(name, claimed)
    return asCheckpoint(claimed)
  }

  save({ name, position, index, epoch }: Checkpoint): boolean {
    const entry = this.#held(name, epoch)
    if (entry === undefined) return false
    this.#entries.set(name, { ...entry, position, index })
    return true
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

  #held(name: string, epoch: number): Entry | undefined {
    const entry = this.#entries.get(name)
    return entry?.owner !== undefined && entry.epoch === epoch ? entry : undefined
  }
}

function asCheckpoint({ name, position, index, epoch }: Entry): Checkpoint {
  return { name, position, index, epoch }
}
