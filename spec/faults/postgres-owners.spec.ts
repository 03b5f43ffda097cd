import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { freshDatabase, type FreshDatabase } from '../support/postgres-server.ts'
import { Cluster } from './cluster.ts'
import type { StoreConfiguration } from './node-configuration.ts'
import { pauseOwner } from './owners.ts'
import { rounds, timeFor } from './rounds.ts'

const ROUNDS = rounds(1, 10)

describe('An owner on PostgreSQL that is paused for longer than its lease', () => {
  let database: FreshDatabase
  let store: StoreConfiguration

  beforeEach(async () => {
    database = await freshDatabase()
    store = { kind: 'postgres', connectionString: database.connectionString }
  }, 60_000)

  afterEach(() => database.drop())

  it(
    'ends the event in hand, and leaves all others to who took over',
    async () => {
      await using cluster = await Cluster.start({ store })
      for (let round = 0; round < ROUNDS; round++) {
        expect((await pauseOwner(cluster)).length).toBeLessThanOrEqual(1)
      }
      expect(await cluster.violations()).toEqual([])
    },
    timeFor(ROUNDS),
  )

  it('would be seen to go on where nothing fences it', async () => {
    await using cluster = await Cluster.start({ store, plants: ['no-fence'] })
    expect((await pauseOwner(cluster)).length).toBeGreaterThan(1)
  }, 60_000)
})
