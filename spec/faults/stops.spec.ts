import { describe, expect, it } from '@jest/globals'
import { Cluster } from './cluster.ts'
import { freshPostgres } from './fresh-postgres.ts'
import { rounds, timeFor } from './rounds.ts'
import { handledTwice, impatientRounds, stopRounds } from './stop-rounds.ts'

const STOPS = rounds(3, 40)
const KILLS = rounds(2, 40)

describe.each([
  { kind: 'a SQLite file', share: () => ({}) },
  { kind: 'PostgreSQL', share: () => ({ store: freshPostgres() }) },
])('A node on $kind that is asked to end in the middle of its work', ({ share }) => {
  const shared = share()

  it(
    'ends what it has in hand, also when it is asked twice, and its successor goes on with the next event',
    async () => {
      // A node gives its place back as it ends: nobody waits for a lease, and none runs out where the machine is slow.
      await using cluster = await Cluster.start({ ...shared, lease: 60_000 }, 1)
      expect(await stopRounds(cluster, STOPS)).toEqual([])
      expect(await cluster.violations()).toEqual([])
      expect(handledTwice(cluster)).toEqual([])
    },
    timeFor(STOPS),
  )

  it(
    'loses nothing where it is killed before it has ended, or asked to end while it is being started',
    async () => {
      await using cluster = await Cluster.start(shared)
      await impatientRounds(cluster, KILLS)
      expect(await cluster.violations()).toEqual([])
    },
    timeFor(2 * KILLS),
  )
})
