import { figure, type Case, type Figures, type Measure } from '../case.ts'
import type { StoreKind } from '../contenders/durable-store.ts'
import { QueuedBank } from '../contenders/queued-bank.ts'
import { quantile } from '../median.ts'
import { collect } from '../passes.ts'

const COUNTS = [1, 2, 4]
const LATENCY = 'one command at a time'
const IDLE = 'nothing to do'

const endToEnd =
  (kind: StoreKind | 'memory', workers: number): Measure =>
  async (effort) => {
    const bank = await QueuedBank.open(kind, kind === 'memory' ? { here: workers } : { elsewhere: workers })
    const commands = effort.short ? 2_000 : 10_000
    await bank.deposit(commands)
    collect()
    const elapsed = await bank.deposit(commands)
    await bank.close()
    return { perSecond: commands / (elapsed / 1_000) }
  }

/** From the call that enqueues until the receipt has the outcome. */
const latency =
  (kind: StoreKind | 'memory'): Measure =>
  async (effort): Promise<Figures> => {
    const bank = await QueuedBank.open(kind, { here: 4 })
    const times: number[] = []
    const commands = effort.short ? 300 : 1_000
    for (let command = 0; command < 2 * commands; command++) {
      const begun = performance.now()
      const receipt = await bank.enqueue()
      await receipt.completed()
      if (command >= commands) times.push(performance.now() - begun)
    }
    await bank.close()
    return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
  }

/** What a process with workers takes of a processor when there is nothing to run, each second. */
const idle =
  (kind: StoreKind | 'memory'): Measure =>
  async (effort): Promise<Figures> => {
    const bank = await QueuedBank.open(kind, { here: 16 })
    await bank.deposit(1_000)
    collect()
    const rest = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
    // Until all that the work before has left behind is over.
    await rest(3_000)
    const before = process.cpuUsage()
    const seconds = effort.short ? 3 : 10
    await rest(seconds * 1_000)
    const { user, system } = process.cpuUsage(before)
    await bank.close()
    return { processor: (user + system) / 1_000 / seconds }
  }

const queued = (kind: StoreKind | 'memory', name: string, title: string, what: (count: number) => string): Case => ({
  name,
  title,
  notes: [
    'Deposits to 100 accounts, 64 being enqueued at any time, from the first call until the last event was seen by an event handler',
    ...(kind === 'memory'
      ? ['of the same process. Workers are aggregates at once, in this process.']
      : ['of the process that enqueues. Each worker is a process of its own, which runs 16 aggregates at once.']),
  ],
  rounds: 3,
  shortRounds: 1,
  ...(kind === 'postgres' && { postgres: true }),
  contenders: {
    ...Object.fromEntries(COUNTS.map((count) => [what(count), endToEnd(kind, count)])),
    [LATENCY]: latency(kind),
    [IDLE]: idle(kind),
  },
  rows: [
    ...COUNTS.map((count) => figure(what(count), 'perSecond', 'per second')),
    { ...figure(LATENCY, 'p50', 'milliseconds'), label: 'from the call to the outcome, p50' },
    { ...figure(LATENCY, 'p99', 'milliseconds'), label: 'from the call to the outcome, p99' },
    {
      ...figure(IDLE, 'processor', 'milliseconds', { atMost: 10 }),
      label: 'processor time of idle workers, each second',
    },
  ],
})

const workers = (count: number) => `${count} ${count === 1 ? 'worker' : 'workers'}`
const processes = (count: number) => `${count} worker ${count === 1 ? 'process' : 'processes'}`

export const queuedMemoryCase = queued('memory', 'queued', 'queued commands, in memory', workers)
export const queuedSqliteCase = queued('sqlite', 'sqlite-queued', 'queued commands, SQLite', processes)
export const queuedPostgresCase = queued('postgres', 'postgres-queued', 'queued commands, PostgreSQL', processes)
