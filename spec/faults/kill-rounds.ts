import type { Cluster, Moment } from './cluster.ts'

const MOMENTS: readonly Moment[] = ['acknowledged', 'handling', 'projecting']

/** Kills one node after another, while it appends, handles and projects in turn; each gets a successor at once. */
export async function killRounds(cluster: Cluster, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const killed = await cluster.killWhile(MOMENTS[round % MOMENTS.length]!)
    cluster.launch(writerOf(killed.name))
  }
  await cluster.settle()
}

/** Kills a lone node that was given bugs, and lets another go on. */
export async function killOnce(cluster: Cluster, moment: Moment): Promise<void> {
  const killed = await cluster.killWhile(moment)
  const successor = await cluster.add(writerOf(killed.name))
  // It has the place of the one before, once that one's lease has run out.
  await successor.said(moment === 'projecting' ? 'projecting' : 'handling')
  await cluster.settle()
}

function writerOf(node: string): string {
  return node.split(':')[0]!
}
