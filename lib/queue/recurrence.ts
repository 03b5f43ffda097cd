import { idleTimer } from '../effects/clock.ts'
import type { EnqueueOptions } from '../routing/enqueue-options.ts'
import { idOfOccurrence } from './command-ids.ts'
import type { RecurrenceOptions, RunningRecurrence } from './recurring-body.ts'

export interface Schedule {
  readonly name: string
  /** The first time after another one; undefined where there is none. */
  readonly next: (after: Date) => Date | undefined
  readonly command: (at: Date) => unknown
  readonly options: EnqueueOptions
}

const RETRY_MS = 10_000

/**
 * Keeps one occurrence stored ahead, the next one: under an id that every node finds by itself, so that it is there once, and by the store's
 * own clock, so that it is run even if no node is there at its time.
 */
export class Recurrence implements RunningRecurrence {
  readonly #schedule: Schedule
  readonly #options: RecurrenceOptions
  #cancelTimer: (() => void) | undefined
  #stopped = false
  /** The last occurrence that is known to be stored. */
  #last = -Infinity

  constructor(schedule: Schedule, options: RecurrenceOptions) {
    this.#schedule = schedule
    this.#options = options
  }

  start(): void {
    void this.#keepNext()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
  }

  async #keepNext(): Promise<void> {
    const { clock, logger } = this.#options
    const { name, next } = this.#schedule
    try {
      const at = next(new Date(Math.max(clock.now(), this.#last)))
      if (at === undefined) return
      await this.#store(at)
      this.#last = at.getTime()
      this.#lookAfter(this.#last - clock.now())
    } catch (err) {
      if (this.#stopped) return
      logger.error({ err, recurring: name }, `the next ${name} could not be stored; it is tried again`)
      this.#lookAfter(RETRY_MS)
    }
  }

  /** One that was cancelled stays so. */
  async #store(at: Date): Promise<void> {
    const { name, command, options } = this.#schedule
    const commandId = idOfOccurrence(name, at)
    const [known] = await this.#options.commands.read([commandId])
    if (known !== undefined || this.#stopped) return
    await this.#options.enqueue(command(new Date(at)), { ...options, commandId, notBefore: at })
  }

  /** A timer may come early, if the wait is longer than one can count: then the next one is the one that is stored. */
  #lookAfter(milliseconds: number): void {
    if (this.#stopped) return
    this.#cancelTimer = idleTimer(this.#options.clock, Math.max(1, milliseconds), () => {
      if (this.#last > this.#options.clock.now()) this.#lookAfter(this.#last - this.#options.clock.now())
      else void this.#keepNext()
    })
  }
}
