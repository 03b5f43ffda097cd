import { backoffDelay } from '../effects/backoff.ts'
import type { DispatchServices } from '../dispatch/services.ts'

/** Milliseconds. Those who met over one aggregate should not meet again at once. */
const BACKOFF = { base: 4, longest: 500 }

/** The wait after so many conflicts in a row. */
export function pauseAfter(conflicts: number, { clock, random }: DispatchServices): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, backoffDelay(BACKOFF, conflicts, random))
  })
}
