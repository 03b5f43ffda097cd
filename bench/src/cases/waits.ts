import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { figure, ratio, type Case, type Figures, type Measure } from '../case.ts'
import { freshStore } from '../contenders/durable-store.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import { postgresEventStore } from '../edict-postgres.ts'
import type { Effort } from '../effort.ts'
import { inFlight } from '../in-flight.ts'
import { median, quantile } from '../median.ts'
import { verify } from '../verify.ts'
import { Witness } from '../witness.ts'
import { ACCOUNTS, commandsPerPass, passesByWall, timedInFlight } from './appends.ts'
import { amountOf } from './deposits.ts'

const QUIET = 'nobody else'
const HELD = 'behind a held transaction'
const SNAPSHOT = 'an old snapshot is open'
/** Milliseconds for which the user's own transaction stays open after its append. */
const HOLD = 100

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  return client
}

/** 64 in flight, while a connection may have a transaction open all the time, as a backup has. */
const throughput =
  (withSnapshot: boolean): Measure =>
  async (effort) => {
    const { place, eventStore, witness, remove } = await freshStore('postgres')
    const backup = await connected(place)
    try {
      const bank = await EdictBank.open({ eventStore })
      await inFlight(256, ACCOUNTS.length, (index) => bank.open(ACCOUNTS[index]!))
      let stored = ACCOUNTS.length
      if (withSnapshot) {
        await backup.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
        await verifyRows(backup, stored)
      }
      const before = stored
      const figures = await passesByWall(effort, commandsPerPass(effort, 64), (commands) => {
        const turn = stored
        stored += commands
        return timedInFlight(64, commands, (index) =>
          bank.deposit(ACCOUNTS[(turn + index) % ACCOUNTS.length]!, amountOf(index)),
        )
      })
      if (withSnapshot) await verifyRows(backup, before)
      await bank.close()
      await new Witness(witness).sees(stored)
      return figures
    } finally {
      await backup.end()
      await remove()
    }
  }

async function verifyRows(client: pg.Client, expected: number): Promise<void> {
  const { rows } = await client.query<{ events: string }>('SELECT count(*) AS events FROM edict.events')
  verify('the number of rows in the snapshot', Number(rows[0]!.events), expected)
}

/** How long an append takes that comes right after one within a transaction of the user's own, which is held for a while. */
async function behindHeld(effort: Effort): Promise<Figures> {
  const { place, eventStore, witness, remove } = await freshStore('postgres')
  const client = await connected(place)
  const store = postgresEventStore({ connectionString: place })
  await store.open()
  const times = effort.short ? 5 : 20
  try {
    const bank = await EdictBank.open({ eventStore })
    await bank.open(ACCOUNTS[0]!)
    const waits: number[] = []
    for (let time = 0; time < times; time++) {
      await client.query('BEGIN')
      const [result] = await store.appendIn(client, [orderOf(time)])
      verify('the number of appends that were taken', result?.status === 'appended' ? 1 : 0, 1)
      const begun = performance.now()
      const deposited = bank.deposit(ACCOUNTS[0]!, 1).then(() => performance.now() - begun)
      await pause(HOLD)
      await client.query('COMMIT')
      waits.push(await deposited)
    }
    await bank.close()
    await new Witness(witness).sees(1 + 2 * times)
    return { p50: median(waits), p99: quantile(waits, 0.99) }
  } finally {
    await store.close()
    await client.end()
    await remove()
  }
}

/** An event of a stream with which the bank has nothing to do. */
function orderOf(number: number) {
  const id = `order-${number}`
  const event = {
    eventId: crypto.randomUUID(),
    type: 'OrderPlaced',
    schemaVersion: 1,
    contentType: 'application/json',
    data: '{}',
    metadata: {},
    commandId: id,
    causationId: id,
    correlationId: id,
    createdAt: Date.now(),
  }
  return { streamId: id, category: 'Order', expectedVersion: 'none' as const, events: [event] }
}

export const waitsCase: Case = {
  name: 'postgres-waits',
  title: 'PostgreSQL: what the transactions of others cost',
  notes: [
    `Held: a transaction of the user's own appends by appendIn and is committed ${HOLD} ms later; meanwhile a deposit to another`,
    'stream is dispatched, and waits, since positions are in the order of commits. Snapshot: a REPEATABLE READ transaction',
    'is open all the time, as in a backup; 64 deposits in flight.',
  ],
  rounds: 3,
  fullOnly: true,
  postgres: true,
  contenders: { [QUIET]: throughput(false), [SNAPSHOT]: throughput(true), [HELD]: behindHeld },
  rows: [
    figure(QUIET, 'perSecond', 'per second'),
    figure(SNAPSHOT, 'perSecond', 'per second'),
    ratio(SNAPSHOT, QUIET, 'perSecond'),
    { ...figure(HELD, 'p50', 'milliseconds'), label: `${HELD}, p50` },
    { ...figure(HELD, 'p99', 'milliseconds'), label: `${HELD}, p99` },
  ],
}
