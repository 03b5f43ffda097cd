import { describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { Cluster } from './cluster.ts'
import { freshPostgres, inFreshPostgres } from './fresh-postgres.ts'
import { until, type NodeProcess } from './node-process.ts'
import { pauseOwner } from './owners.ts'
import { pause } from './random.ts'
import { rounds, timeFor } from './rounds.ts'
import { seenAtLast, timeToSee } from './seen-at-last.ts'

const ROUNDS = rounds(1, 10)
const EVENTS = 20

/** Milliseconds after which a transaction that still waits for its client belongs to one that is paused. */
const SETTLED = 150
const WAITED_FOR = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'
  AND state_change < clock_timestamp() - interval '100 ms'`

describe('An owner on PostgreSQL that is paused for longer than its lease', () => {
  const store = freshPostgres()

  it(
    'ends the event in hand, and leaves all others to who took over',
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await inFreshPostgres(async (own) => {
          await using cluster = await Cluster.start({ store: own })
          expect((await pauseOwner(cluster)).length).toBeLessThanOrEqual(1)
          expect(await cluster.violations()).toEqual([])
        })
      }
    },
    timeFor(ROUNDS),
  )

  it('keeps a read model from nobody, though it is paused in the middle of its transaction', async () => {
    await using cluster = await Cluster.start({ store, handles: false, impatient: true })
    const paused = await pausedInTransaction(cluster)
    const { length } = await cluster.reader.projected()
    await until(async () => (await cluster.reader.projected()).length >= length + EVENTS, 'another owner')
    paused.resume()
    await cluster.settle()
    expect(await cluster.violations()).toEqual([])
  }, 240_000)

  /** Tries until it is the server that waits for the node. */
  async function pausedInTransaction(cluster: Cluster): Promise<NodeProcess> {
    const client = new pg.Client({ connectionString: store.connectionString })
    await client.connect()
    try {
      for (;;) {
        const counts = new Map(cluster.nodes.map((node) => [node, node.count('projecting')]))
        let owner: NodeProcess | undefined
        await until(() => {
          owner = cluster.nodes.find((node) => node.count('projecting') > counts.get(node)!)
          return owner !== undefined
        }, 'a node that projects')
        owner!.pause()
        await pause(SETTLED)
        const { rowCount } = await client.query(WAITED_FOR)
        if (rowCount === 1) return owner!
        owner!.resume()
      }
    } finally {
      await client.end()
    }
  }

  it(
    'would be seen to go on where nothing fences it',
    async () => {
      await seenAtLast(() =>
        inFreshPostgres(async (store) => {
          await using cluster = await Cluster.start({ store, plants: ['no-fence'] })
          expect((await pauseOwner(cluster)).length).toBeGreaterThan(1)
        }),
      )
    },
    timeToSee(),
  )
})
