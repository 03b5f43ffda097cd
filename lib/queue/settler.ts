import { pause, type Clock } from '../effects/clock.ts'
import { backoffDelay } from '../effects/backoff.ts'
import type { Random } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import { describeThrown, InvalidOptionError, StoreError } from '../errors.ts'
import type { CommandQueueStore, QueuedCommand, Settlement } from '../event-store/command-queue-store.ts'
import { jsonText } from '../messages/json-serializer.ts'
import { leanSettlement } from './lean-settlement.ts'

interface Waiting {
  readonly settlement: Settlement
  readonly resolve: (written: boolean) => void
  readonly reject: (error: unknown) => void
}

interface SettlerOptions {
  readonly commands: Pick<CommandQueueStore, 'settle' | 'read'>
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
      await this.#writeBatch(batch)
    }
    this.#writing = false
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const written = await this.#stored(batch.map(({ settlement }) => settlement))
      for (const [index, one] of batch.entries()) one.resolve(written[index] === true)
    } catch (error) {
      // What is refused may be one of them, or their number.
      if (batch.length > 1 && isRefusal(error)) for (const one of batch) await this.#writeBatch([one])
      else for (const one of batch) await this.#refused(one, error)
    }
  }

  /** What is refused today is refused tomorrow: its command would be run time and again, and be settled never. */
  async #refused({ settlement, resolve, reject }: Waiting, error: unknown): Promise<void> {
    if (!isRefusal(error)) {
      reject(error)
      return
    }
    const { commandId, state } = settlement
    this.#options.logger.error(
      { err: error, commandId, state },
      'the store refuses the outcome of a command: it is stored without what may be large in it, its reply or its details',
    )
    try {
      const [written] = await this.#stored([leanSettlement(settlement, describeThrown(error))])
      resolve(written === true)
    } catch (thrown) {
      reject(thrown)
    }
  }

  /** An outcome that got lost would be a command run again, so it is worth some patience. */
  async #stored(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    const { commands, clock, random, logger } = this.#options
    for (let failures = 1; ; failures++) {
      try {
        const written = await commands.settle(settlements)
        return failures === 1 ? written : await this.#knownBefore(settlements, written)
      } catch (error) {
        const isTransient = error instanceof StoreError && !error.isRefusal
        if (this.#givenUp || !isTransient) throw error
        if (failures === 1) logger.warn({ err: error }, 'the outcomes of commands cannot be stored; it is tried again')
        await pause(clock, backoffDelay(BACKOFF, failures, random))
      }
    }
  }

  /** An attempt whose answer was lost may have written: then this one finds nothing to end, and its hold holds all the same. */
  async #knownBefore(settlements: readonly Settlement[], written: readonly boolean[]): Promise<readonly boolean[]> {
    const refused = settlements.filter((_, index) => written[index] !== true).map(({ commandId }) => commandId)
    if (refused.length === 0) return written
    const found = new Map((await this.#options.commands.read(refused)).map((command) => [command.commandId, command]))
    return settlements.map((settlement, index) => written[index] === true || isSettledSo(settlement, found))
  }
}

function isRefusal(error: unknown): boolean {
  // What the checks in front of the store refuse is refused for good as well.
  return error instanceof StoreError ? error.isRefusal : error instanceof InvalidOptionError
}

function isSettledSo(settlement: Settlement, found: ReadonlyMap<string, QueuedCommand>): boolean {
  const command = found.get(settlement.commandId)
  if (command?.state !== settlement.state) return false
  const [given, stored] =
    settlement.state === 'completed'
      ? [settlement.result, command.result]
      : ['failure' in settlement ? settlement.failure : command.failure, command.failure]
  return jsonText(given) === jsonText(stored)
}
