import { backoffDelay } from '../effects/backoff.ts'
import { pause } from '../effects/clock.ts'
import type { DispatchServices } from '../dispatch/services.ts'

/** Milliseconds. Those who met over one aggregate should not meet again at once. */
const BACKOFF = { base: 4, longest: 500 }

/** The wait after so many conflicts in a row. */
export function pauseAfter(conflicts: number, { clock, random }: DispatchServices): Promise<void> {
  return pause(clock, backoffDelay(BACKOFF, conflicts, random))
}
