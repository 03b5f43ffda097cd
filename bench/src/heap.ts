import { collect } from './passes.ts'

/** The bytes that live on, in V8's heap and in array buffers beside it. */
export async function liveBytes(): Promise<number> {
  for (let time = 0; time < 4; time++) {
    collect()
    // Finalizers and finished promises let go in a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
