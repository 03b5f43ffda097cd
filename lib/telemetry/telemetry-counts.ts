import type { DispatchOutcome } from './dispatch-outcome.ts'

/** What one handler, projection or process manager met since its application was made. */
export interface HandlerCounts {
  readonly retries: number
  readonly skipped: number
  readonly parked: number
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] }

/** What is counted whether or not somebody listens, since a sum cannot be asked for later. */
export class TelemetryCounts {
  readonly dispatches: Record<DispatchOutcome, number> = {
    executed: 0,
    rejected: 0,
    halted: 0,
    failed: 0,
    unknown: 0,
    refused: 0,
  }
  conflicts = 0
  /** How the attempts of this node's workers at stored commands ended. */
  readonly commands: Record<'completed' | 'rejected' | 'dead' | 'expired' | 'delayed', number> = {
    ...{ completed: 0, rejected: 0, dead: 0, expired: 0, delayed: 0 },
  }
  readonly #handlers = new Map<string, Mutable<HandlerCounts>>()

  handler(name: string): HandlerCounts {
    return this.#of(name)
  }

  count(name: string, what: keyof HandlerCounts): void {
    this.#of(name)[what]++
  }

  #of(name: string): Mutable<HandlerCounts> {
    let counts = this.#handlers.get(name)
    if (counts === undefined) {
      counts = { retries: 0, skipped: 0, parked: 0 }
      this.#handlers.set(name, counts)
    }
    return counts
  }
}
