import { figure, ratio, type Case, type Measure } from '../case.ts'
import { storeAt } from '../contenders/durable-store.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import { AccountOpened, MoneyDeposited } from '../domain/edict-account.ts'
import { eventHandler, inMemoryEventStore, type EventHandler, type EventStore } from '../edict.ts'
import type { Effort } from '../effort.ts'
import { inFlight } from '../in-flight.ts'
import { verify } from '../verify.ts'
import { ACCOUNTS } from './appends.ts'
import { deferred, eventsOf, figuresOf, prepare, totalOf } from './catch-up.ts'
import { amountOf } from './deposits.ts'

const ONE = 'one handler'
const PARTITIONS = 'a handler with 4 partitions'
const BATCHES = 'a handler of batches of 500'

type Made = (name: string, take: (amount: number) => void) => EventHandler

const events = [AccountOpened, MoneyDeposited] as const

const one: Made = (name, take) =>
  eventHandler(name, {
    events,
    handle: { AccountOpened: () => take(0), MoneyDeposited: ({ amount }) => take(amount) },
  })

const partitions: Made = (name, take) =>
  eventHandler(name, {
    events,
    concurrency: 4,
    handle: { AccountOpened: () => take(0), MoneyDeposited: ({ amount }) => take(amount) },
  })

const batches: Made = (name, take) =>
  eventHandler(name, {
    events,
    batchSize: 500,
    handleBatch: (batch) => {
      for (const { type, data } of batch) take(type === 'MoneyDeposited' ? (data as { amount: number }).amount : 0)
    },
  })

async function handle(effort: Effort, eventStore: EventStore, make: Made) {
  const wanted = eventsOf(effort)
  const caughtUp = deferred()
  let handled = 0
  let total = 0
  // The name is new in every process, so that there is no checkpoint yet.
  const handler = make(`handling-${process.pid}`, (amount) => {
    total += amount
    if (++handled === wanted) caughtUp.resolve()
  })
  const begun = performance.now()
  const bank = await EdictBank.open({ eventStore, handlers: [handler] })
  await caughtUp.promise
  const elapsed = performance.now() - begun
  await bank.close()
  verify('the number of handled events', handled, wanted)
  verify('the sum of all amounts', total, totalOf(wanted))
  return figuresOf(effort, elapsed)
}

const stored =
  (make: Made): Measure =>
  (effort, place) =>
    handle(effort, storeAt('sqlite', place), make)

const inMemory =
  (make: Made): Measure =>
  async (effort) => {
    const eventStore = inMemoryEventStore()
    // Held open: what a store in memory has is gone when the last one closes it.
    await eventStore.open()
    const bank = await EdictBank.open({ eventStore })
    await inFlight(256, ACCOUNTS.length, (index) => bank.open(ACCOUNTS[index]!))
    await inFlight(256, eventsOf(effort) - ACCOUNTS.length, (index) =>
      bank.deposit(ACCOUNTS[index % ACCOUNTS.length]!, amountOf(index)),
    )
    await bank.close()
    const figures = await handle(effort, eventStore, make)
    await eventStore.close()
    return figures
  }

const handlersCase = (name: string, title: string, measure: (make: Made) => Measure): Case => ({
  name,
  title: `${title}: 1,000,000 stored events (100,000 in a short run) through a handler`,
  notes: ['From the start of the application to the last event handled. Memory is the whole process at its peak.'],
  rounds: 3,
  shortRounds: 1,
  ...(name.startsWith('sqlite') && { prepare: prepare('sqlite') }),
  contenders: { [ONE]: measure(one), [PARTITIONS]: measure(partitions), [BATCHES]: measure(batches) },
  rows: [
    ...[ONE, PARTITIONS, BATCHES].map((contender) => figure(contender, 'perSecond', 'per second')),
    ratio(BATCHES, ONE, 'perSecond'),
    ...[ONE, PARTITIONS, BATCHES].map((contender) => ({
      ...figure(contender, 'peakBytes', 'bytes'),
      label: `${contender}, peak memory`,
    })),
  ],
})

export const memoryHandlersCase = handlersCase('memory-handlers', 'In memory', inMemory)
export const sqliteHandlersCase = handlersCase('sqlite-handlers', 'SQLite', stored)
