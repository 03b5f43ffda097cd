import pTimeout from 'p-timeout'
import type { Clock } from './clock.ts'

const late = Symbol('late')

/** Waits for a promise, but no longer than so many milliseconds: whether it was settled by then. Rejects where it does. */
export async function waitAtMost(clock: Clock, milliseconds: number, promise: PromiseLike<unknown>): Promise<boolean> {
  const answer = await pTimeout<unknown, symbol>(promise, {
    milliseconds,
    fallback: () => late,
    customTimers: timersOf(clock),
  })
  return answer !== late
}

/** p-timeout calls them with no `this`, with a callback, a time and the handle, which is all that a Clock takes. */
function timersOf(clock: Clock): { setTimeout: typeof setTimeout; clearTimeout: typeof clearTimeout } {
  return {
    setTimeout: (callback: () => void, milliseconds: number) => clock.setTimeout(callback, milliseconds),
    clearTimeout: (handle: unknown) => {
      clock.clearTimeout(handle)
    },
  } as unknown as { setTimeout: typeof setTimeout; clearTimeout: typeof clearTimeout }
}
