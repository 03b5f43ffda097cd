import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { temporaryFile, type TemporaryFile } from '../adapters/sqlite/temporary-file.ts'
import { freshPostgres } from './fresh-postgres.ts'
import type { QueuePlant } from './planted-queue.ts'
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

interface PlantedRun extends Omit<QueueRun, keyof Place> {
  readonly plant: QueuePlant
}

describe('The spec of killed servers', () => {
  it.each<[what: string, run: PlantedRun, seen: RegExp]>([
    [
      'commands are lost which were written down as done before they ran',
      { desks: 10, numbers: 20, servers: 1, kills: 1, killAt: 5, plant: 'done-before-run' },
      /has lost numbers/,
    ],
    [
      'commands of an aggregate are run out of order',
      { desks: 5, numbers: 5, servers: 1, kills: 0, plant: 'reversed' },
      /out of order/,
    ],
    [
      'commands are run twice whose id does not travel',
      { desks: 3, numbers: 2, servers: 1, kills: 0, plant: 'fresh-ids', untilEvents: 12 },
      /took a number twice/,
    ],
  ])(
    'would see that %s',
    async (_what, run, seen) => {
      await seenAtLast(async () => {
        const file = temporaryFile()
        try {
          expect(await violations({ address: file.path, reader: sqliteReader(file.path) }, run)).toMatch(seen)
        } finally {
          file.remove()
        }
      })
    },
    timeToSee(),
  )
})
