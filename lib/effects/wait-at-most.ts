import { callLater, type Clock } from './clock.ts'

/** Waits for a promise, but no longer than so many milliseconds: whether it was settled by then. Rejects where it does. */
export async function waitAtMost(clock: Clock, milliseconds: number, promise: PromiseLike<unknown>): Promise<boolean> {
  let cancel: () => void = () => undefined
  const late = new Promise<boolean>((resolve) => {
    cancel = callLater(clock, milliseconds, () => {
      resolve(false)
    })
  })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    cancel()
  }
}
