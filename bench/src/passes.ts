import type { Effort } from './effort.ts'
import { processorTime } from './processor-time.ts'

/** Collects all garbage. */
export function collect(): void {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
}

/** The milliseconds that some work takes of a processor. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = processorTime()
  await work()
  return processorTime() - begun
}

/**
 * Runs a pass until it is warm, and then as often as the effort says; gives what the measured passes gave.
 *
 * The heap is collected once, before what is measured, and not before every pass: a collection while nothing is alive makes V8
 * forget the shapes of objects, and with them the code that it has optimized for these. Each pass pays for its own garbage.
 */
export async function repeated<Result>(effort: Effort, pass: () => Promise<Result>): Promise<Result[]> {
  await passesFor(effort.warmUp, 1, pass)
  collect()
  await passesFor(effort.warmUp / 2, 1, pass)
  return passesFor(effort.measured, effort.passes, pass)
}

async function passesFor<Result>(milliseconds: number, least: number, pass: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  const end = processorTime() + milliseconds
  while (processorTime() < end || results.length < least) results.push(await pass())
  return results
}
