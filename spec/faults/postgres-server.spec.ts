import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { onServer, startPostgres, type PrivatePostgres } from '../support/postgres-server.ts'
import { postgresEventStore } from 'edict/postgres'
import { Cluster } from './cluster.ts'
import { freshPostgres } from './fresh-postgres.ts'
import type { StoreConfiguration } from './node-configuration.ts'
import { until } from './node-process.ts'
import { rounds, timeFor } from './rounds.ts'
import { seenAtLast, timeToSee } from './seen-at-last.ts'

const ROUNDS = rounds(3, 20)
/** So much goes on between two blows. */
const EVENTS = 60

const TERMINATE_ALL = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()`

/** Waits until the nodes have got on. */
async function more(cluster: Cluster): Promise<void> {
  const { length } = cluster.handled
  await until(
    () => cluster.handled.length >= length + EVENTS,
    'the nodes to get on',
    () => {
      cluster.assertAlive()
    },
  )
}

describe('Nodes whose connections PostgreSQL terminates', () => {
  const store = freshPostgres()

  it(
    'go on by themselves, and neither lose nor repeat what they were about to write',
    async () => {
      await using cluster = await Cluster.start({ store })
      for (let round = 0; round < ROUNDS; round++) {
        await more(cluster)
        await onServer(store.connectionString, TERMINATE_ALL)
      }
      await more(cluster)
      await cluster.settle()
      expect(await cluster.violations()).toEqual([])
    },
    timeFor(ROUNDS),
  )
})

describe('Nodes whose PostgreSQL is restarted', () => {
  let server: PrivatePostgres

  beforeAll(async () => {
    server = await startPostgres()
  }, 180_000)

  afterAll(() => server.stop(), 60_000)

  const databaseOf = async (name: string): Promise<string> => {
    await onServer(server.connectionString, `CREATE DATABASE ${name}`)
    const url = new URL(server.connectionString)
    url.pathname = `/${name}`
    return url.href
  }

  it(
    'go on by themselves, whether it was shut down or crashed',
    async () => {
      const connectionString = await databaseOf('quick')
      // An acknowledged event is on disk, also where the database is set up to be quicker than that.
      await onServer(connectionString, 'ALTER DATABASE quick SET synchronous_commit = off')
      const store: StoreConfiguration = { kind: 'postgres', connectionString }
      await using cluster = await Cluster.start({ store, placesMayGoBack: true })
      for (let round = 0; round < ROUNDS; round++) {
        await more(cluster)
        await server.restart(round % 3 === 1 ? 'fast' : 'immediate')
      }
      await more(cluster)
      await cluster.settle()
      expect(await cluster.violations()).toEqual([])
    },
    timeFor(ROUNDS),
  )

  it('never give an epoch twice, though the database is set up not to wait for the disk', async () => {
    const connectionString = await databaseOf('epochs')
    const store = postgresEventStore({ connectionString })
    await store.open()
    await onServer(connectionString, 'ALTER DATABASE epochs SET synchronous_commit = off')
    await onServer(connectionString, TERMINATE_ALL)
    const claims: number[] = []
    const claim = async (owner: string): Promise<boolean> => {
      try {
        const taken = await store.claimCheckpoint('handler', { owner, startAfter: 0, lease: 1 })
        if (taken) claims.push(taken.epoch)
        return taken !== undefined
      } catch {
        return false
      }
    }
    for (const owner of ['one', 'other']) {
      await until(() => claim(owner), `the claim of ${owner}`)
      await server.restart('immediate')
    }
    await until(() => claim('third'), 'the claim of a third')
    await store.close()
    expect(claims).toEqual([...new Set(claims)].sort((one, other) => one - other))
    expect(claims).toHaveLength(3)
  }, 240_000)

  it(
    'would be seen to lose what was acknowledged before the commit',
    async () => {
      let attempts = 0
      await seenAtLast(async () => {
        const connectionString = await databaseOf(`planted_${++attempts}`)
        await using cluster = await Cluster.start(
          {
            store: { kind: 'postgres', connectionString },
            plants: ['acknowledge-before-commit'],
            handles: false,
            projects: false,
          },
          1,
        )
        await cluster.nodes[0]!.said('acknowledged', EVENTS)
        await server.restart('immediate')
        await cluster.settle()
        expect((await cluster.violations()).join('\n')).toMatch(/was acknowledged, and is lost/)
      })
    },
    timeToSee(),
  )
})
