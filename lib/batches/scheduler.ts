import { SchedulingRefusedError } from '../errors.ts'
import type { ScheduleCommands, ScheduledCommands } from '../routing/scheduling.ts'

/** The `executeCommands` of one function that runs, and what else is good for as long as the function does. */
export class Scheduler {
  readonly #who: string
  readonly #accept: (commands: readonly unknown[]) => ScheduledCommands
  #isOver = false

  constructor(who: string, accept: (commands: readonly unknown[]) => ScheduledCommands) {
    this.#who = who
    this.#accept = accept
  }

  readonly executeCommands: ScheduleCommands = (...commands) => {
    this.mustGoOn('executeCommands')
    return this.#accept(commands)
  }

  /** @throws {SchedulingRefusedError} `scheduling_refused` where the function is over: nobody would do what it asks for */
  mustGoOn(what: string): void {
    if (!this.#isOver) return
    throw new SchedulingRefusedError(`${this.#who} called ${what} after it was over: await what it starts`)
  }

  end(): void {
    this.#isOver = true
  }
}
