import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { temporaryFile, type TemporaryFile } from '../adapters/sqlite/temporary-file.ts'
import { freshPostgres } from './fresh-postgres.ts'
import { postgresReader } from './postgres-reader.ts'
import { queueRun, type QueueRun } from './queue-run.ts'
import { rounds, timeFor } from './rounds.ts'
import { seenAtLast, timeToSee } from './seen-at-last.ts'
import { sqliteReader } from './sqlite-reader.ts'

const DESKS = rounds(50, 100)
const NUMBERS = rounds(12, 100)
const KILLS = rounds(2, 20)

type Place = Pick<QueueRun, 'address' | 'reader'>

function onSqlite(): () => Place {
  let file: TemporaryFile
  beforeEach(() => {
    file = temporaryFile()
  })
  afterEach(() => {
    file.remove()
  })
  return () => ({ address: file.path, reader: sqliteReader(file.path) })
}

async function onFreshFile(body: (place: Place) => Promise<void>): Promise<void> {
  const file = temporaryFile()
  try {
    await body({ address: file.path, reader: sqliteReader(file.path) })
  } finally {
    file.remove()
  }
}

function onPostgres(): () => Place {
  const store = freshPostgres()
  return () => ({ address: store.connectionString, reader: postgresReader(store.connectionString) })
}

async function violations(place: Place, run: Omit<QueueRun, keyof Place>): Promise<string> {
  try {
    return (await queueRun({ ...place, ...run })).join('\n')
  } finally {
    await place.reader.close()
  }
}

describe.each([
  { kind: 'a SQLite file', share: onSqlite },
  { kind: 'PostgreSQL', share: onPostgres },
])('Two servers on $kind that are killed while they run queued commands', ({ share }) => {
  const place = share()

  it(
    'run each command once and in the order of its aggregate, and lose none',
    async () => {
      expect(await violations(place(), { desks: DESKS, numbers: NUMBERS, servers: 2, kills: KILLS })).toBe('')
    },
    timeFor(KILLS) + DESKS * NUMBERS * 20,
  )
})

describe('The spec of killed servers', () => {
  it(
    'would see that commands are lost which were written down as done before they ran',
    async () => {
      const run = { desks: 10, numbers: 20, servers: 1, kills: 1, killAt: 5, plant: 'done-before-run' } as const
      await seenAtLast(async () => {
        await onFreshFile(async (own) => expect(await violations(own, run)).toMatch(/has lost numbers/))
      })
    },
    timeToSee(),
  )

  it(
    'would see that commands of an aggregate are run out of order',
    async () => {
      const run = { desks: 5, numbers: 5, servers: 1, kills: 0, plant: 'reversed' } as const
      await seenAtLast(async () => {
        await onFreshFile(async (own) => expect(await violations(own, run)).toMatch(/out of order/))
      })
    },
    timeToSee(),
  )

  it(
    'would see that commands are run twice whose id does not travel',
    async () => {
      const run = { desks: 3, numbers: 2, servers: 1, kills: 0, plant: 'fresh-ids', untilEvents: 12 } as const
      await seenAtLast(async () => {
        await onFreshFile(async (own) => expect(await violations(own, run)).toMatch(/took a number twice/))
      })
    },
    timeToSee(),
  )
})
