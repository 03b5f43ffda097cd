import { describe, expect, it } from '@jest/globals'
import { Cluster } from './cluster.ts'
import { expectEarlyWritesSeen, killOnce, killRounds, WRITES_TOO_EARLY } from './kill-rounds.ts'
import { rounds, timeFor } from './rounds.ts'
import { seenAtLast, timeToSee } from './seen-at-last.ts'

const ROUNDS = rounds(4, 102)

describe('Nodes on one SQLite file that are killed while they append, handle and project', () => {
  it(
    'lose nothing that was acknowledged, and their successors go on where they were',
    async () => {
      await using cluster = await Cluster.start({})
      await killRounds(cluster, ROUNDS)
      expect(await cluster.violations()).toEqual([])
    },
    timeFor(ROUNDS),
  )

  it(
    'would be seen to acknowledge before the commit, and to write their place before what they did',
    async () => {
      await seenAtLast(async () => {
        await using cluster = await Cluster.start({ plants: WRITES_TOO_EARLY }, 1)
        await expectEarlyWritesSeen(cluster)
      })
    },
    timeToSee(),
  )

  it(
    'would be seen to forget their place',
    async () => {
      await seenAtLast(async () => {
        await using cluster = await Cluster.start({ plants: ['place-is-forgotten'], projects: false }, 1)
        await killOnce(cluster, 'handling')
        expect((await cluster.violations()).join('\n')).toMatch(/^position \d+ was never handled/m)
      })
    },
    timeToSee(),
  )
})
