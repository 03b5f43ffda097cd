// One of several processes that run a bank on one database: fork bank-node.js with a connection string. It says when it is ready,
// deposits to every account once and until it is warm, then for as many milliseconds as it is told, and says what it did.
import { storeAt } from './contenders/durable-store.ts'
import { EdictBank } from './contenders/edict-bank.ts'
import { ACCOUNTS } from './cases/appends.ts'
import { inFlight } from './in-flight.ts'
import type { EventStore, StreamAppendResult } from './edict.ts'
import { median, quantile } from './median.ts'

/** What a node tells when its time is over. */
export interface NodeReport {
  /** All that it deposited, to warm up too. */
  readonly stored: number
  /** In the time that counts. */
  readonly deposits: number
  /** How often another process had written to the stream in the meantime. */
  readonly conflicts: number
  readonly milliseconds: number
  readonly p50: number
  readonly p99: number
}

const IN_FLIGHT = 64

/** The same store, with its conflicts counted. */
function counted(store: EventStore): { readonly eventStore: EventStore; readonly conflicts: () => number } {
  let conflicts = 0
  const count = (results: readonly StreamAppendResult[]): readonly StreamAppendResult[] => {
    conflicts += results.filter(({ status }) => status === 'version_conflict').length
    return results
  }
  const eventStore = new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const method = value.bind(target) as (...given: unknown[]) => unknown
      if (key !== 'append') return method
      return async (...given: unknown[]) => count((await method(...given)) as readonly StreamAppendResult[])
    },
  })
  return { eventStore, conflicts: () => conflicts }
}

const { eventStore, conflicts } = counted(storeAt('postgres', process.argv[2]!))
const bank = await EdictBank.open({ eventStore })

async function depositFor(milliseconds: number) {
  const times: number[] = []
  const conflictsBefore = conflicts()
  const begun = performance.now()
  const end = begun + milliseconds
  const lane = async (): Promise<void> => {
    while (performance.now() < end) {
      const account = ACCOUNTS[Math.floor(Math.random() * ACCOUNTS.length)]!
      const dispatched = performance.now()
      await bank.deposit(account, 1)
      times.push(performance.now() - dispatched)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return {
    deposits: times.length,
    conflicts: conflicts() - conflictsBefore,
    milliseconds: performance.now() - begun,
    p50: median(times),
    p99: quantile(times, 0.99),
  }
}

async function work(milliseconds: number): Promise<NodeReport> {
  // Every account is loaded, however slow a node is among many; then the code is compiled.
  await inFlight(IN_FLIGHT, ACCOUNTS.length, (index) => bank.deposit(ACCOUNTS[index]!, 1))
  const warmUp = await depositFor(milliseconds)
  const measured = await depositFor(milliseconds)
  await bank.close()
  return { ...measured, stored: ACCOUNTS.length + warmUp.deposits + measured.deposits }
}

process.on('message', (milliseconds) => {
  void work(milliseconds as number).then((report) => {
    process.send?.(report, () => process.disconnect?.())
  })
})
process.send?.('ready')
