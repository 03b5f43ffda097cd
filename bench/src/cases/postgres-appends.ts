import { figure, ratio, type Case, type Measure } from '../case.ts'
import { freshPlace, storeAt } from '../contenders/durable-store.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import { RawPostgres, writtenEvents, type Tables, type WrittenEvents } from '../contenders/raw-postgres.ts'
import { inFlight } from '../in-flight.ts'
import { verifyAccounts } from '../verify.ts'
import { ACCOUNTS, commandsPerPass, edictInFlight, latencyRows, passesByWall, timedInFlight } from './appends.ts'
import { amountOf, balanceAfter } from './deposits.ts'

const RAW_BATCH = 'raw, 64 rows a statement'
const RAW_BATCH_EVENTS = 'raw, 64 rows a statement, events only'
const RAW_SINGLE = 'raw, one row a statement'
const RAW_SINGLE_EVENTS = 'raw, one row a statement, events only'
const EDICT_1 = 'edict, 1 in flight'
const EDICT_64 = 'edict, 64 in flight'
const EDICT_256 = 'edict, 256 in flight'
const EMMETT_64 = 'emmett, 64 in flight'

/** What an application writes for so many deposits. */
async function rowsOfDeposits(deposits: number): Promise<WrittenEvents> {
  const { place, remove } = await freshPlace('postgres')
  try {
    const bank = await EdictBank.open({ eventStore: storeAt('postgres', place) })
    await inFlight(256, ACCOUNTS.length, (index) => bank.open(ACCOUNTS[index]!))
    await inFlight(256, deposits, (index) => bank.deposit(ACCOUNTS[index % ACCOUNTS.length]!, amountOf(index)))
    await bank.close()
    return await writtenEvents(place)
  } finally {
    await remove()
  }
}

const raw =
  (perStatement: number, tables: Tables): Measure =>
  async (effort) => {
    const perPass = commandsPerPass(effort, perStatement)
    const written = await rowsOfDeposits(perPass)
    const opened = written.rows.slice(0, ACCOUNTS.length)
    const deposited = written.rows.slice(ACCOUNTS.length)
    const { place, remove } = await freshPlace('postgres')
    try {
      const database = await RawPostgres.open(place, written, tables)
      const figures = await passesByWall(effort, perPass, async () => {
        await database.clear()
        await database.insert(opened, opened.length)
        const begun = performance.now()
        await database.insert(deposited, perStatement)
        const elapsed = performance.now() - begun
        await database.check(place)
        return { elapsed, times: Float64Array.of(elapsed) }
      })
      await database.close()
      return figures
    } finally {
      await remove()
    }
  }

/** It folds the stream for each command, and does not gather appends; a pass has fewer commands, as it would take long. */
const emmett: Measure = async (effort) => {
  const { EmmettPostgresBank } = await import('../contenders/emmett-postgres-bank.ts')
  const { place, remove } = await freshPlace('postgres')
  try {
    const accounts = ACCOUNTS.slice(0, effort.short ? 250 : ACCOUNTS.length)
    const bank = await EmmettPostgresBank.open(place)
    await inFlight(64, accounts.length, (index) => bank.open(accounts[index]!))
    let turn = 0
    const figures = await passesByWall(effort, accounts.length, (commands) => {
      const amount = amountOf(turn++)
      return timedInFlight(64, commands, (index) => bank.deposit(accounts[index]!, amount))
    })
    await verifyAccounts(bank, accounts, { balance: balanceAfter(turn), version: turn + 1 })
    await bank.close()
    return figures
  } finally {
    await remove()
  }
}

export const postgresAppendsCase: Case = {
  name: 'postgres-appends',
  title: 'PostgreSQL: deposits over 1,000 aggregates',
  notes: [
    'Raw: the rows that Edict wrote, inserted again into the same tables with the same indexes by a prepared statement on one',
    'connection, without Edict; the version of each stream is a row of a table of its own. While Edict runs, other',
    'connections look whether what was acknowledged is there. Emmett folds the stream for each command.',
  ],
  postgres: true,
  shortRounds: 1,
  contenders: {
    [RAW_BATCH]: raw(64, 'events and streams'),
    [EDICT_64]: edictInFlight('postgres', 64),
    [RAW_BATCH_EVENTS]: raw(64, 'events'),
    [EMMETT_64]: emmett,
    [RAW_SINGLE]: raw(1, 'events and streams'),
    [EDICT_1]: edictInFlight('postgres', 1),
    [RAW_SINGLE_EVENTS]: raw(1, 'events'),
    [EDICT_256]: edictInFlight('postgres', 256),
  },
  rows: [
    ...[RAW_BATCH, RAW_BATCH_EVENTS, EDICT_64, EDICT_256, EMMETT_64, RAW_SINGLE, RAW_SINGLE_EVENTS, EDICT_1].map(
      (name) => figure(name, 'perSecond', 'per second'),
    ),
    ratio(EDICT_64, EMMETT_64, 'perSecond', { atLeast: 20 }),
    ratio(EDICT_64, RAW_BATCH, 'perSecond', { atLeast: 0.4 }),
    ratio(EDICT_64, RAW_BATCH_EVENTS, 'perSecond'),
    ratio(EDICT_1, RAW_SINGLE, 'perSecond', { atLeast: 0.6 }),
    ratio(EDICT_1, RAW_SINGLE_EVENTS, 'perSecond'),
    ...[EDICT_1, EDICT_64, EDICT_256, EMMETT_64].flatMap(latencyRows),
  ],
}
