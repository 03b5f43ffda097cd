import type { Checkpoint } from './checkpoint.ts'
import type { StartFrom } from './start-from.ts'

/**
 * Tells whether what is stored up to a checkpoint was handled. It was not where the checkpoint is beyond the last event: then it is of
 * another history (the store was restored from a backup), or was made by mistake. Nor was it once the store has grown so far.
 */
export class HandledPlaces {
  readonly #startFrom: StartFrom
  /** By name: the checkpoints that were beyond the last event when they were seen there. */
  readonly #beyond = new Map<string, number>()

  constructor(startFrom: StartFrom) {
    this.#startFrom = startFrom
  }

  /** `headPosition` is that of the store, asked for after the checkpoint was read. */
  isHandled(checkpoint: Pick<Checkpoint, 'name' | 'position'>, headPosition: number): boolean {
    const { name, position } = checkpoint
    // One that is to begin later is not interested in what comes before.
    if (position + 1 === this.#startFrom) return true
    if (this.#beyond.get(name) === position) return false
    if (position > headPosition) this.#beyond.set(name, position)
    else this.#beyond.delete(name)
    return position <= headPosition
  }
}
