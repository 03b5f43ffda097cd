import { openSync, readSync } from 'node:fs'

const SCHEDULER = '/proc/self/schedstat'

function openScheduler(): number | undefined {
  try {
    return openSync(SCHEDULER, 'r')
  } catch {
    return undefined
  }
}

const scheduler = openScheduler()
const text = Buffer.alloc(64)
const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

/** Whether time is that which the main thread had a processor, or, where the system does not tell, the wall's. */
export const clockName = scheduler === undefined ? 'wall clock' : "the main thread's processor time"

/**
 * Milliseconds that the main thread had a processor. All that is measured is the work of one thread that never rests, so that on
 * an idle machine this is what the wall clock shows; on a busy one it leaves out what the neighbours took.
 */
export function processorTime(): number {
  if (scheduler === undefined) return performance.now()
  // The system brings its account up to date when a thread goes to sleep; otherwise it is some milliseconds behind.
  Atomics.wait(cell, 0, 0, 0.001)
  const length = readSync(scheduler, text, 0, text.length, 0)
  return Number(text.toString('latin1', 0, length).split(' ')[0]) / 1e6
}
