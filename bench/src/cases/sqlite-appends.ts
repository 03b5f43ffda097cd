import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { figure, ratio, type Case, type Measure } from '../case.ts'
import { freshPlace, storeAt } from '../contenders/durable-store.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import { RawSqlite, writtenRows, type WrittenRows } from '../contenders/raw-sqlite.ts'
import type { Effort } from '../effort.ts'
import { inFlight } from '../in-flight.ts'
import { ACCOUNTS, commandsPerPass, edictInFlight, latencyRows, passesByWall } from './appends.ts'
import { amountOf } from './deposits.ts'

const RAW_BATCH = 'raw inserts, 64 a transaction'
const RAW_SINGLE = 'raw inserts, one a transaction'
const EDICT_1 = 'edict, 1 in flight'
const EDICT_64 = 'edict, 64 in flight'
const EDICT_256 = 'edict, 256 in flight'

/** What an application writes for so many deposits. */
async function rowsOfDeposits(path: string, deposits: number): Promise<WrittenRows> {
  const bank = await EdictBank.open({ eventStore: storeAt('sqlite', path) })
  await inFlight(256, ACCOUNTS.length, (index) => bank.open(ACCOUNTS[index]!))
  await inFlight(256, deposits, (index) => bank.deposit(ACCOUNTS[index % ACCOUNTS.length]!, amountOf(index)))
  await bank.close()
  return writtenRows(path)
}

const raw =
  (perTransaction: number): Measure =>
  async (effort: Effort) => {
    const { place, remove } = await freshPlace('sqlite')
    try {
      const perPass = commandsPerPass(effort, perTransaction)
      const rows = await rowsOfDeposits(place, perPass)
      const opened = rows.events.slice(0, ACCOUNTS.length)
      const deposited = rows.events.slice(ACCOUNTS.length)
      let passes = 0
      return await passesByWall(effort, perPass, async () => {
        const path = join(dirname(place), `raw-${passes++}.db`)
        const database = await RawSqlite.open(path, rows)
        database.insert(opened, opened.length)
        const begun = performance.now()
        database.insert(deposited, perTransaction)
        const elapsed = performance.now() - begun
        database.close()
        await rm(path)
        return { elapsed, times: Float64Array.of(elapsed) }
      })
    } finally {
      await remove()
    }
  }

export const sqliteAppendsCase: Case = {
  name: 'sqlite-appends',
  title: 'SQLite, every commit on disk: deposits over 1,000 aggregates',
  notes: [
    'WAL and synchronous=FULL. Raw: the rows that Edict wrote, inserted again into the same tables with the same indexes by',
    'prepared statements, without Edict. While Edict runs, a second connection looks whether what was acknowledged is there.',
  ],
  shortRounds: 1,
  contenders: {
    [RAW_BATCH]: raw(64),
    [EDICT_64]: edictInFlight('sqlite', 64),
    [RAW_SINGLE]: raw(1),
    [EDICT_1]: edictInFlight('sqlite', 1),
    [EDICT_256]: edictInFlight('sqlite', 256),
  },
  rows: [
    ...[RAW_BATCH, EDICT_64, RAW_SINGLE, EDICT_1, EDICT_256].map((name) => figure(name, 'perSecond', 'per second')),
    ratio(EDICT_64, RAW_BATCH, 'perSecond', { atLeast: 0.4 }),
    ratio(EDICT_1, RAW_SINGLE, 'perSecond', { atLeast: 0.6 }),
    ...[EDICT_1, EDICT_64, EDICT_256].flatMap(latencyRows),
  ],
}
