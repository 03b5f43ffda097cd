import type { Backoff } from '../effects/backoff.ts'

/** How an application runs queued commands, with all defaults filled in. */
export interface QueuePolicy {
  readonly maxAttempts: number
  readonly backoff: Backoff
  /** Whether later commands of an aggregate wait for one that failed, where the command itself does not say it. */
  readonly order: 'relaxed' | 'strict'
  /** Milliseconds for which a worker pool that is not heard of keeps the aggregates whose commands it runs. */
  readonly lease: number
  /** Milliseconds between looks at the store behind its wake-ups. */
  readonly pollInterval: number
  /** Milliseconds that a command is kept that is over. */
  readonly retention: number
}

const DAY_MS = 24 * 60 * 60 * 1_000

export const DEFAULT_QUEUE_POLICY: QueuePolicy = Object.freeze({
  maxAttempts: 5,
  backoff: Object.freeze({ base: 200, longest: 60_000 }),
  order: 'relaxed',
  lease: 5_000,
  pollInterval: 1_000,
  retention: 7 * DAY_MS,
})
