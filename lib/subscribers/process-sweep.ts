import { idleTimer, type Clock } from '../effects/clock.ts'
import type { ProcessInstances } from './process-instances.ts'

/** Lets instances go that have had nothing to do for long. */
export class ProcessSweep {
  readonly #instances: ProcessInstances
  readonly #clock: Clock
  readonly #idleTimeout: number | undefined
  #cancelTimer: (() => void) | undefined

  /** Does nothing where there is no `idleTimeout`, in milliseconds. */
  constructor(instances: ProcessInstances, clock: Clock, idleTimeout: number | undefined) {
    this.#instances = instances
    this.#clock = clock
    this.#idleTimeout = idleTimeout
  }

  /** An instance has nothing to do from now on. */
  later(): void {
    if (this.#idleTimeout !== undefined && this.#cancelTimer === undefined)
      this.#after(this.#idleTimeout, this.#idleTimeout)
  }

  stop(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #after(milliseconds: number, idleTimeout: number): void {
    this.#cancelTimer = idleTimer(this.#clock, milliseconds, () => {
      this.#cancelTimer = undefined
      const now = this.#clock.now()
      const next = this.#instances.unload(now - idleTimeout)
      if (next !== undefined) this.#after(Math.max(1, next + idleTimeout - now), idleTimeout)
    })
  }
}
