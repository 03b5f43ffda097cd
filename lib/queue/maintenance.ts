import { idleTimer } from '../effects/clock.ts'
import type { CallRuns } from './call-runs.ts'
import type { QueueServices } from './queue-services.ts'

interface MaintenanceOptions extends QueueServices {
  readonly calls: CallRuns
}

const INTERVAL_MS = 60_000
/** So many at a time, so that others get their turn in between. */
const MOST_AT_ONCE = 500

/** What is done beside the running of commands: old ones are forgotten, and those whose callers have died are found. */
export class Maintenance {
  readonly #options: MaintenanceOptions
  #cancelTimer: (() => void) | undefined
  #stopped = true

  constructor(options: MaintenanceOptions) {
    this.#options = options
  }

  start(): void {
    this.#stopped = false
    this.#arm()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #arm(): void {
    if (this.#stopped) return
    this.#cancelTimer = idleTimer(this.#options.dispatching.clock, INTERVAL_MS, () => void this.#look())
  }

  async #look(): Promise<void> {
    try {
      await this.#forget()
      await this.#findAbandoned()
    } catch (err) {
      // A store that is closed meanwhile has nothing more to be done with.
      if (!this.#stopped) {
        this.#options.dispatching.logger.warn({ err }, 'stored commands could not be looked through; it is tried again')
      }
    }
    this.#arm()
  }

  async #forget(): Promise<void> {
    const { commands, policy } = this.#options
    if (policy.retention === Infinity) return
    let purged = MOST_AT_ONCE
    while (purged === MOST_AT_ONCE && !this.#stopped) purged = await commands.purge(policy.retention, MOST_AT_ONCE)
  }

  async #findAbandoned(): Promise<void> {
    const { commands, calls } = this.#options
    let after = 0
    for (;;) {
      const running = await commands.list({ states: ['running'], after, limit: MOST_AT_ONCE })
      for (const command of running) {
        after = command.position
        if (this.#stopped) return
        if (!command.byCaller || calls.running(command.commandId) !== undefined) continue
        if ((await calls.patienceWith(command)) === 0) await calls.interrupted(command)
      }
      if (running.length < MOST_AT_ONCE) return
    }
  }
}
