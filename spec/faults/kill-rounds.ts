import { expect } from '@jest/globals'
import type { Cluster, Moment } from './cluster.ts'
import type { Plant } from './node-configuration.ts'
import { until } from './node-process.ts'

const MOMENTS: readonly Moment[] = ['acknowledged', 'handling', 'projecting']

/** Kills one node after another, while it appends, handles and projects in turn; each gets a successor at once. */
export async function killRounds(cluster: Cluster, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const killed = await cluster.killWhile(MOMENTS[round % MOMENTS.length]!)
    cluster.launch(writerOf(killed.name))
  }
  await cluster.settle()
}

/** So far a handler must have come, that a kill finds something behind its place. */
const EVENTS = 20

/** Kills a lone node that was given bugs, when its handlers have written down a place, and lets another go on. */
export async function killOnce(cluster: Cluster, moment: Moment): Promise<void> {
  const isUnderWay = async () => {
    const places = await cluster.reader.checkpoints().catch(() => [])
    return places.length > 0 && places.every(({ position }) => position >= EVENTS)
  }
  await until(isUnderWay, 'the handlers to be under way', () => {
    cluster.assertAlive()
  })
  const [lone] = cluster.nodes
  await cluster.kill(lone!)
  const successor = await cluster.add(writerOf(lone!.name))
  // It has the place of the one before, once that one's lease has run out.
  await successor.said(moment === 'projecting' ? 'projecting' : 'handling')
  // With a bug, the last event of all may be the one that is lost: it is waited for in vain, and found among the violations.
  await cluster.settle().catch(() => cluster.readerIsThere())
}

/** It acknowledges before the commit, and writes its places before what it did. */
export const WRITES_TOO_EARLY: readonly Plant[] = [
  'acknowledge-before-commit',
  'place-before-effect',
  'write-outside-of-the-transaction',
]

/** Kills a lone node with these bugs, and asserts that each of them is seen. */
export async function expectEarlyWritesSeen(cluster: Cluster): Promise<void> {
  await killOnce(cluster, 'projecting')
  const found = (await cluster.violations()).join('\n')
  expect(found).toMatch(/was acknowledged, and is lost/)
  expect(found).toMatch(/^position \d+ was never handled/m)
  expect(found).toMatch(/^the read model has/m)
}

/** The writer of which a node is one life. */
export function writerOf(node: string): string {
  return node.split(':')[0]!
}
