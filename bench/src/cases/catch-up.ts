import pg from 'pg'
import Database from 'better-sqlite3'
import { figure, ratio, type Case, type Figures, type Measure, type Prepared } from '../case.ts'
import { freshPlace, storeAt, type StoreKind } from '../contenders/durable-store.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import { AccountOpened, MoneyDeposited } from '../domain/edict-account.ts'
import { eventHandler } from '../edict.ts'
import type { Effort } from '../effort.ts'
import { inFlight } from '../in-flight.ts'
import { verify } from '../verify.ts'
import { ACCOUNTS } from './appends.ts'
import { amountOf } from './deposits.ts'

const BARE = 'bare driver'
const EDICT = 'edict, an event handler'
/** As many rows at a time as Edict's own reader asks for. */
const PAGE = 1_000

export const eventsOf = ({ short }: Effort): number => (short ? 100_000 : 1_000_000)

export const totalOf = (events: number): number => {
  let total = 0
  for (let turn = 0; turn < events - ACCOUNTS.length; turn++) total += amountOf(turn)
  return total
}

export const prepare =
  (kind: StoreKind) =>
  async (effort: Effort): Promise<Prepared> => {
    const { place, remove } = await freshPlace(kind)
    try {
      const bank = await EdictBank.open({ eventStore: storeAt(kind, place) })
      await inFlight(256, ACCOUNTS.length, (index) => bank.open(ACCOUNTS[index]!))
      await inFlight(256, eventsOf(effort) - ACCOUNTS.length, (index) =>
        bank.deposit(ACCOUNTS[index % ACCOUNTS.length]!, amountOf(index)),
      )
      await bank.close()
      return { place, remove }
    } catch (error) {
      await remove()
      throw error
    }
  }

/** Megabytes matter here, which the operating system counts. */
export const figuresOf = (effort: Effort, milliseconds: number): Figures => ({
  perSecond: eventsOf(effort) / (milliseconds / 1_000),
  peakBytes: process.resourceUsage().maxRSS * 1_024,
})

/** Every row with all its columns, page by page; nothing is made of them. */
const bareSqlite: Measure = async (effort, path) => {
  const database = new Database(path, { readonly: true })
  const page = database.prepare<[number, number], { position: number }>(
    'SELECT * FROM edict_events WHERE position > ? ORDER BY position LIMIT ?',
  )
  const begun = performance.now()
  const last = await pages(async (after) => page.all(after, PAGE).map(({ position }) => position))
  const elapsed = performance.now() - begun
  database.close()
  verify('the last position', last, eventsOf(effort))
  return figuresOf(effort, elapsed)
}

const barePostgres: Measure = async (effort, connectionString) => {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const text = 'SELECT * FROM edict.events WHERE position > $1 ORDER BY position LIMIT $2'
  const begun = performance.now()
  const last = await pages(async (after) => {
    const { rows } = await client.query<{ position: string }>({ name: 'page', text, values: [after, PAGE] })
    return rows.map(({ position }) => Number(position))
  })
  const elapsed = performance.now() - begun
  await client.end()
  verify('the last position', last, eventsOf(effort))
  return figuresOf(effort, elapsed)
}

/** The last position, once every page was read. */
async function pages(read: (after: number) => Promise<readonly number[]>): Promise<number> {
  for (let last = 0; ;) {
    const positions = await read(last)
    if (positions.length === 0) return last
    verify('the first position of a page', positions[0]!, last + 1)
    last += positions.length
    verify('the last position of a page', positions.at(-1)!, last)
  }
}

export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((fulfil) => (resolve = fulfil))
  return { promise, resolve }
}

/** A handler that has never run, on events that are all there. */
const handler =
  (kind: StoreKind): Measure =>
  async (effort, place) => {
    const events = eventsOf(effort)
    const caughtUp = deferred()
    let handled = 0
    let total = 0
    let inOrder = true
    const take = (position: number, amount: number): void => {
      handled++
      total += amount
      inOrder &&= position === handled
      if (handled === events) caughtUp.resolve()
    }
    // The name is new in every process, so that there is no checkpoint yet.
    const catchingUp = eventHandler(`catching-up-${process.pid}`, {
      events: [AccountOpened, MoneyDeposited],
      handle: {
        AccountOpened: (_opened, { position }) => take(position, 0),
        MoneyDeposited: ({ amount }, { position }) => take(position, amount),
      },
    })
    const begun = performance.now()
    const bank = await EdictBank.open({ eventStore: storeAt(kind, place), handlers: [catchingUp] })
    await caughtUp.promise
    const elapsed = performance.now() - begun
    await bank.close()
    verify('the number of handled events', handled, events)
    verify('the sum of all amounts', total, totalOf(events))
    verify('the number of events out of order', inOrder ? 0 : 1, 0)
    return figuresOf(effort, elapsed)
  }

const catchUp = (kind: StoreKind, title: string, bare: Measure): Case => ({
  name: `${kind}-catch-up`,
  title: `${title}: a new handler catches up on 1,000,000 events (100,000 in a short run)`,
  notes: [
    'From the start of the application to the last event handled, each decoded and recorded in full. The bare driver reads',
    'the same rows with all their columns, page by page, and makes nothing of them. Memory is the whole process at its peak.',
  ],
  rounds: 3,
  shortRounds: 1,
  ...(kind === 'postgres' && { postgres: true as const }),
  prepare: prepare(kind),
  contenders: { [BARE]: bare, [EDICT]: handler(kind) },
  rows: [
    figure(BARE, 'perSecond', 'per second'),
    figure(EDICT, 'perSecond', 'per second'),
    ratio(EDICT, BARE, 'perSecond', { atLeast: 0.7 }),
    { ...figure(BARE, 'peakBytes', 'bytes'), label: `${BARE}, peak memory` },
    { ...figure(EDICT, 'peakBytes', 'bytes'), label: `${EDICT}, peak memory` },
  ],
})

export const sqliteCatchUpCase = catchUp('sqlite', 'SQLite', bareSqlite)
export const postgresCatchUpCase = catchUp('postgres', 'PostgreSQL', barePostgres)
