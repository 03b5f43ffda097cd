import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from '@jest/globals'
import { Cluster } from './cluster.ts'
import { pauseOwner } from './owners.ts'
import { rounds, timeFor } from './rounds.ts'
import { seenAtLast, timeToSee } from './seen-at-last.ts'

const ROUNDS = rounds(1, 10)

/** A process that is stopped in the middle of a transaction keeps all others from writing: nothing in a file ends that. */
function isFree(cluster: Cluster): boolean {
  const database = new Database(join(cluster.directory, 'events.db'), { timeout: 0 })
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK')
    return true
  } catch {
    return false
  } finally {
    database.close()
  }
}

describe('An owner on one SQLite file that is paused for longer than its lease', () => {
  it(
    'ends the event in hand, and leaves all others to who took over',
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await using cluster = await Cluster.start({})
        const handled = await pauseOwner(cluster, () => isFree(cluster))
        expect(handled.length).toBeLessThanOrEqual(1)
        expect(await cluster.violations()).toEqual([])
      }
    },
    timeFor(ROUNDS),
  )

  it(
    'would be seen to go on where nothing fences it',
    async () => {
      await seenAtLast(async () => {
        await using cluster = await Cluster.start({ plants: ['no-fence'] })
        const handled = await pauseOwner(cluster, () => isFree(cluster))
        expect(handled.length).toBeGreaterThan(1)
      })
    },
    timeToSee(),
  )
})
