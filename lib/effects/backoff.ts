import type { Random } from './ids.ts'

export interface Backoff {
  /** Milliseconds: the wait after n failures in a row is n² of these. */
  readonly base: number
  /** Milliseconds: no wait is longer. */
  readonly longest: number
}

/** Milliseconds to wait after so many failures in a row, with up to one base of jitter so that many do not come back at once. */
export function backoffDelay(backoff: Backoff, failures: number, random: Random): number {
  return Math.min(backoff.longest, backoff.base * failures ** 2 + backoff.base * random.number())
}
