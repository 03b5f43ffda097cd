import { callLater, type Clock } from '../effects/clock.ts'
import { backoffDelay } from '../effects/backoff.ts'
import type { Random } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import { StoreError } from '../errors.ts'
import type { CommandQueueStore, Settlement } from '../event-store/command-queue-store.ts'

interface Waiting {
  readonly settlement: Settlement
  readonly resolve: (written: boolean) => void
  readonly reject: (error: unknown) => void
}

interface SettlerOptions {
  readonly commands: Pick<CommandQueueStore, 'settle'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const MOST_AT_ONCE = 500
const BACKOFF = { base: 50, longest: 1_000 }

/** Stores how commands ended: what comes while the store writes goes together with the next call. */
export class Settler {
  readonly #options: SettlerOptions
  #waiting: Waiting[] = []
  #writing = false
  #givenUp = false

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  /** Whether it was written; false where another worker has taken the command over. Rejects where the store does not answer for long. */
  settle(settlement: Settlement): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ settlement, resolve, reject })
      if (!this.#writing) void this.#write()
    })
  }

  /** As from the start: there is patience with the store. */
  begin(): void {
    this.#givenUp = false
  }

  /** Nobody waits for the store any more: what cannot be written is left to those who take over. */
  giveUp(): void {
    this.#givenUp = true
  }

  async #write(): Promise<void> {
    this.#writing = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_AT_ONCE)
      try {
        const written = await this.#stored(batch.map(({ settlement }) => settlement))
        for (const [index, one] of batch.entries()) one.resolve(written[index] === true)
      } catch (error) {
        for (const one of batch) one.reject(error)
      }
    }
    this.#writing = false
  }

  /** An outcome that got lost would be a command run again, so it is worth some patience. */
  async #stored(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    const { commands, clock, random, logger } = this.#options
    for (let failures = 1; ; failures++) {
      try {
        return await commands.settle(settlements)
      } catch (error) {
        const isTransient = error instanceof StoreError
        if (this.#givenUp || !isTransient) throw error
        if (failures === 1) logger.warn({ err: error }, 'the outcomes of commands cannot be stored; it is tried again')
        await new Promise<void>((resolve) => callLater(clock, backoffDelay(BACKOFF, failures, random), resolve))
      }
    }
  }
}
