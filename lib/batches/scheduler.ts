import { SchedulingRefusedError } from '../errors.ts'
import type { ScheduleCommands, ScheduledCommands } from '../routing/scheduling.ts'

/** The `executeCommands` of one function that runs: it is good for as long as the function does. */
export class Scheduler {
  readonly #who: string
  readonly #accept: (commands: readonly unknown[]) => ScheduledCommands
  #isOver = false

  constructor(who: string, accept: (commands: readonly unknown[]) => ScheduledCommands) {
    this.#who = who
    this.#accept = accept
  }

  readonly executeCommands: ScheduleCommands = (...commands) => {
    if (!this.#isOver) return this.#accept(commands)
    throw new SchedulingRefusedError(`${this.#who} called executeCommands after it was over: await what it starts`)
  }

  end(): void {
    this.#isOver = true
  }
}
