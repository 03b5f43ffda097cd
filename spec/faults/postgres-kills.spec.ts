import { describe, expect, it } from '@jest/globals'
import { Cluster } from './cluster.ts'
import { freshPostgres, inFreshPostgres } from './fresh-postgres.ts'
import { expectEarlyWritesSeen, killRounds, WRITES_TOO_EARLY, writerOf } from './kill-rounds.ts'
import type { NodeProcess } from './node-process.ts'
import { rounds, timeFor } from './rounds.ts'
import { seenAtLast, timeToSee } from './seen-at-last.ts'

const ROUNDS = rounds(4, 51)
const EVENTS = 40
const MOST_KILLS = 4
const GAP = /^the positions have a gap/m

describe('Nodes on one PostgreSQL that are killed while they append, handle and project', () => {
  const store = freshPostgres()

  it(
    'lose nothing that was acknowledged, and their successors go on where they were',
    async () => {
      await using cluster = await Cluster.start({ store })
      await killRounds(cluster, ROUNDS)
      expect(await cluster.violations()).toEqual([])
    },
    timeFor(ROUNDS),
  )

  it(
    'would be seen to acknowledge before the commit, and to write their place before what they did',
    async () => {
      await seenAtLast(() =>
        inFreshPostgres(async (store) => {
          await using cluster = await Cluster.start({ store, plants: WRITES_TOO_EARLY }, 1)
          await expectEarlyWritesSeen(cluster)
        }),
      )
    },
    timeToSee(),
  )

  it(
    'would be seen to take positions from a sequence, at which a reader misses events',
    async () => {
      await seenAtLast(() => inFreshPostgres(gapIsSeen))
    },
    timeToSee(),
  )

  async function gapIsSeen(own: typeof store): Promise<void> {
    await using cluster = await Cluster.start({
      store: own,
      plants: ['position-from-a-sequence'],
      handles: false,
      projects: false,
    })
    await Promise.all(cluster.nodes.map((node) => node.said('acknowledged', EVENTS)))
    let found = ''
    // A kill leaves a gap only where it comes between the drawing of a position and its commit.
    for (let kills = 1; kills <= MOST_KILLS; kills++) {
      const [killed, survivor] = cluster.nodes as [NodeProcess, NodeProcess]
      await cluster.kill(killed)
      // What the killed one had drawn is a gap as soon as somebody commits behind it.
      await survivor.said('acknowledged', survivor.count('acknowledged') + EVENTS)
      await cluster.kill(survivor)
      await cluster.readerIsThere()
      found = (await cluster.violations()).join('\n')
      if (GAP.test(found)) break
      await Promise.all([killed, survivor].map(({ name }) => cluster.add(writerOf(name))))
      await Promise.all(cluster.nodes.map((node) => node.said('acknowledged', EVENTS)))
    }
    expect(found).toMatch(/^a reader that read all the while never saw position \d+/m)
    expect(found).toMatch(GAP)
  }
})
