import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { application, eventHandler, inMemoryEventStore, type EventStore } from '../edict.ts'
import { MoneyDeposited, DepositMoney, OpenAccount, PureAccount, pureRouter } from '../domain/edict-account.ts'
import { accountNumbers } from '../cases/deposits.ts'
import { inFlight } from '../in-flight.ts'
import { verify } from '../verify.ts'
import { freshPlace, storeAt, type StoreKind } from './durable-store.ts'

const WORKER = fileURLToPath(new URL('../queue-worker.js', import.meta.url))
const ACCOUNTS = accountNumbers(100)

const takingBank = (eventStore: EventStore, workers: number, deposited: () => void) =>
  application({
    name: 'bank',
    router: pureRouter(),
    eventStore,
    workers,
    handlers: [eventHandler('effects', { events: [MoneyDeposited], startFrom: 'current', handle: deposited })],
  })

/**
 * A bank whose deposits are queued, and that sees their events. In memory its commands are run by workers of this process; on a
 * durable store by processes of their own, of which each runs 16 aggregates at once.
 */
export class QueuedBank {
  readonly application: ReturnType<typeof takingBank>
  readonly #workers: readonly ChildProcess[]
  readonly #remove: () => Promise<void>
  readonly #effects: { seen: number; awaited: number; done: () => void }
  #deposits = 0

  private constructor(
    app: ReturnType<typeof takingBank>,
    effects: { seen: number; awaited: number; done: () => void },
    workers: readonly ChildProcess[],
    remove: () => Promise<void>,
  ) {
    this.application = app
    this.#effects = effects
    this.#workers = workers
    this.#remove = remove
  }

  /** `here`: how many aggregates this process runs at once; `elsewhere`: how many processes run some. */
  static async open(kind: StoreKind | 'memory', { here = 0, elsewhere = 0 }): Promise<QueuedBank> {
    const durable = kind === 'memory' ? undefined : { kind, ...(await freshPlace(kind)) }
    const effects = { seen: 0, awaited: Infinity, done: () => undefined as void }
    const eventStore = durable ? storeAt(durable.kind, durable.place) : inMemoryEventStore()
    const app = takingBank(eventStore, here, () => {
      if (++effects.seen === effects.awaited) effects.done()
    })
    await app.start()
    await inFlight(64, ACCOUNTS.length, (index) =>
      app.dispatch(OpenAccount({ accountNumber: ACCOUNTS[index]!, initialBalance: 0 })),
    )
    const workers = durable ? Array.from({ length: elsewhere }, () => fork(WORKER, [durable.kind, durable.place])) : []
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    return new QueuedBank(app, effects, workers, async () => durable?.remove())
  }

  /** One deposit, to one account after another. */
  enqueue() {
    const accountNumber = ACCOUNTS[this.#deposits++ % ACCOUNTS.length]!
    return this.application.enqueue(DepositMoney({ accountNumber, amount: 1 }))
  }

  /** Milliseconds until the events of so many deposits were seen, of which 64 are being enqueued at any time. */
  async deposit(count: number): Promise<number> {
    this.#effects.awaited = this.#effects.seen + count
    const done = new Promise<void>((resolve) => {
      this.#effects.done = resolve
    })
    const begun = performance.now()
    await inFlight(64, count, () => this.enqueue())
    await done
    return performance.now() - begun
  }

  /** Looks whether every deposit took effect once. */
  async close(): Promise<void> {
    try {
      await Promise.all(
        this.#workers.map(async (worker) => {
          worker.send('stop')
          await once(worker, 'exit')
        }),
      )
      let balances = 0
      let versions = 0
      for (const accountNumber of ACCOUNTS) {
        balances += (await this.application.aggregateState(PureAccount, accountNumber)).balance
        versions += await this.application.aggregateVersion(PureAccount, accountNumber)
      }
      verify('what was deposited', balances, this.#deposits)
      verify('the number of events', versions, ACCOUNTS.length + this.#deposits)
      await this.application.stop()
    } finally {
      await this.#remove()
    }
  }
}
