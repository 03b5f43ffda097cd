import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subscribe, type EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { freshDatabase, type FreshDatabase } from '../support/postgres-server.ts'
import { Cluster } from './cluster.ts'
import { countAppend } from './count-append.ts'
import { until } from './node-process.ts'
import { rounds, timeFor } from './rounds.ts'
import { TcpProxy } from './tcp-proxy.ts'

const ROUNDS = rounds(1, 10)
const EVENTS = 40

/** Milliseconds after which an event will not be heard of any more where nobody looks by itself: who does, looks each second. */
const SILENCE = 4_000
/** Milliseconds within which an event is heard of, on a machine that may be busy. */
const PATIENCE = 40_000

let database: FreshDatabase
let proxy: TcpProxy

beforeEach(async () => {
  database = await freshDatabase()
  proxy = await TcpProxy.start(Number(new URL(database.connectionString).port))
}, 180_000)

afterEach(async () => {
  await proxy.close()
  await database.drop()
})

describe('A store whose connection for notifications fails', () => {
  let writing: EventStore
  let listening: EventStore
  let heard: number

  beforeEach(async () => {
    const { connectionString } = database
    heard = 0
    writing = postgresEventStore({ connectionString })
    listening = postgresEventStore({ connectionString, listen: { connectionString: proxy.through(connectionString) } })
    await writing.open()
    await listening.open()
  }, 180_000)

  afterEach(async () => {
    await listening.close()
    await writing.close()
  })

  /** Whether an event that another store appends is heard of in time. */
  const isHeard = async (patience = PATIENCE): Promise<boolean> => {
    await writing.append([countAppend(`writer.0.${heard + 1}`)])
    const head = await writing.headPosition()
    return until(() => heard === head, 'the event', undefined, patience).then(
      () => true,
      () => false,
    )
  }

  /** Both ways in which a connection fails: with a word, and without one, which is to be heard within the patience that is given. */
  const hearsThroughout = async (
    patience = PATIENCE,
    quiet: () => Promise<void> = () => Promise.resolve(),
  ): Promise<boolean> => {
    const { opened } = proxy
    const first = await isHeard()
    proxy.cut()
    await until(() => proxy.opened > opened, 'a new connection')
    const afterCut = await isHeard()
    proxy.deafen()
    await quiet()
    return first && afterCut && (await isHeard(patience))
  }

  it('is told of every event all the same, whether the connection was cut or is half-open', async () => {
    await using _subscription = subscribe(listening, {
      handle: ({ position }) => {
        expect(position).toBe(heard + 1)
        heard = position
      },
    })
    expect(await hearsThroughout()).toBe(true)
  }, 240_000)

  it('would be seen to wait for ever where it read only when it is told to', async () => {
    let told = 0
    let read = 0
    const end = listening.watch(() => {
      told++
      void Promise.resolve(listening.headPosition()).then((head) => {
        heard = head
        read++
      })
    })
    // What it was told before the connection fell silent must not be read so late that it covers the next event.
    const quiet = async (): Promise<void> => {
      for (let before = -1; before !== told || read !== told;) {
        before = told
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    }
    // Sooner or later it falls silent for good; what it hears by a chance before says nothing.
    let hears = true
    for (let round = 0; hears && round < 4; round++) hears = await hearsThroughout(SILENCE, quiet)
    expect(hears).toBe(false)
    end()
  }, 400_000)
})

describe('Nodes whose connections are all half-open', () => {
  it(
    'give them up by themselves, and neither lose nor repeat what they were about to write',
    async () => {
      const { connectionString } = database
      await using cluster = await Cluster.start({
        store: { kind: 'postgres', connectionString },
        impatient: true,
        nodeStore: { kind: 'postgres', connectionString: proxy.through(connectionString) },
      })
      const more = async (): Promise<void> => {
        const handled = cluster.handled.length
        const projected = (await cluster.reader.projected()).length
        const alive = () => {
          cluster.assertAlive()
        }
        await until(() => cluster.handled.length >= handled + EVENTS, 'more to be handled', alive)
        const got = async () => (await cluster.reader.projected()).length
        await until(async () => (await got()) >= projected + EVENTS, 'more to be projected', alive)
      }
      await more()
      for (let round = 0; round < ROUNDS; round++) {
        proxy.deafen()
        await more()
      }
      await cluster.settle()
      expect(await cluster.violations()).toEqual([])
    },
    timeFor(ROUNDS),
  )
})
