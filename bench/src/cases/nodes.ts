import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { NodeReport } from '../bank-node.ts'
import { figure, ratio, type Case, type Measure } from '../case.ts'
import { freshStore } from '../contenders/durable-store.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import { inFlight } from '../in-flight.ts'
import { median, sum } from '../median.ts'
import { Witness } from '../witness.ts'
import { ACCOUNTS } from './appends.ts'

const NODE = fileURLToPath(new URL('../bank-node.js', import.meta.url))
const ONE = '1 process'
const TWO = '2 processes'
const FOUR = '4 processes'

/** All begin at once, when all are ready. */
async function runNodes(count: number, place: string, milliseconds: number): Promise<NodeReport[]> {
  const nodes = Array.from({ length: count }, () => fork(NODE, [place]))
  await Promise.all(nodes.map((node) => once(node, 'message')))
  return Promise.all(
    nodes.map(async (node) => {
      const answer = once(node, 'message')
      node.send(milliseconds)
      const [report] = (await answer) as [NodeReport]
      await once(node, 'exit')
      return report
    }),
  )
}

const nodes =
  (count: number): Measure =>
  async (effort) => {
    const { place, eventStore, witness, remove } = await freshStore('postgres')
    try {
      const bank = await EdictBank.open({ eventStore })
      await inFlight(256, ACCOUNTS.length, (index) => bank.open(ACCOUNTS[index]!))
      await bank.close()
      const reports = await runNodes(count, place, effort.short ? 1_000 : 3_000)
      await new Witness(witness).sees(ACCOUNTS.length + sum(reports.map(({ stored }) => stored)))
      const deposits = sum(reports.map((report) => report.deposits))
      const conflicts = sum(reports.map((report) => report.conflicts))
      return {
        perSecond: sum(reports.map((report) => report.deposits / (report.milliseconds / 1_000))),
        conflicts: conflicts / deposits,
        p50: median(reports.map(({ p50 }) => p50)),
        p99: Math.max(...reports.map(({ p99 }) => p99)),
      }
    } finally {
      await remove()
    }
  }

export const nodesCase: Case = {
  name: 'postgres-nodes',
  title: 'several processes on one PostgreSQL, 64 in flight in each, all over the same 1,000 aggregates',
  notes: [
    'Every process writes to every account, at random: there is no worse way to spread commands over nodes. A conflict is an',
    'append that found the stream changed by another process; the command was decided again, and took effect.',
  ],
  rounds: 3,
  shortRounds: 1,
  postgres: true,
  contenders: { [ONE]: nodes(1), [TWO]: nodes(2), [FOUR]: nodes(4) },
  rows: [
    ...[ONE, TWO, FOUR].map((name) => figure(name, 'perSecond', 'per second')),
    ratio(TWO, ONE, 'perSecond'),
    ratio(FOUR, ONE, 'perSecond'),
    ...[TWO, FOUR].map((name) => ({
      label: `${name}, conflicts for each command`,
      unit: 'ratio' as const,
      value: (read: (contender: string, figure: string) => number) => read(name, 'conflicts'),
    })),
    ...[ONE, TWO, FOUR].flatMap((name) => [
      { ...figure(name, 'p50', 'milliseconds'), label: `${name}, p50` },
      { ...figure(name, 'p99', 'milliseconds'), label: `${name}, p99` },
    ]),
  ],
}
