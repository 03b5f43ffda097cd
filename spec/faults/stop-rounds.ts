import type { Cluster, Moment } from './cluster.ts'
import { writerOf } from './kill-rounds.ts'
import { pause } from './random.ts'

const MOMENTS: readonly Moment[] = ['acknowledged', 'handling', 'projecting']

/**
 * Asks a lone node to end while it appends, handles and projects in turn: once, and twice right after. Each gets a successor at once.
 *
 * @returns what was wrong with how they ended, in sentences
 */
export async function stopRounds(cluster: Cluster, rounds: number): Promise<string[]> {
  const faults: string[] = []
  for (let round = 0; round < rounds; round++) {
    const node = await cluster.oneThatIs(MOMENTS[round % MOMENTS.length]!)
    await cluster.terminate(node, 1 + (round % 2))
    if (node.exitCode !== 0 || node.count('stopped') === 0) faults.push(`${node.name} ended with ${node.exitCode}`)
    for (const { message } of node.of('logged')) faults.push(`${node.name} said: ${message}`)
    cluster.launch(writerOf(node.name))
  }
  await cluster.settle()
  return faults
}

/** A kill comes after so many milliseconds at most. */
const MOST_PATIENCE = 30

/** Asks a node to end, asks again, and then kills it before it may have ended; or asks it while it is being started. */
export async function impatientRounds(cluster: Cluster, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const node = await cluster.oneThatIs(MOMENTS[round % MOMENTS.length]!)
    node.terminate()
    node.terminate()
    await pause(cluster.random(MOST_PATIENCE))
    await cluster.kill(node)
    const early = cluster.launch(writerOf(node.name))
    await early.said('starting')
    await cluster.terminate(early)
    cluster.launch(writerOf(node.name))
  }
  await cluster.settle()
}

/** Positions of which the handler has had the event more than once. */
export function handledTwice(cluster: Cluster): number[] {
  const seen = new Set<number>()
  return cluster.handled.map(({ position }) => position).filter((position) => seen.has(position) || !seen.add(position))
}
