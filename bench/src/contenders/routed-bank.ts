import { aggregate, application, command, event, inMemoryEventStore, router, shape } from '../edict.ts'
import { evolve, initialState, type Account, type AccountOpened, type MoneyDeposited } from '../domain/account.ts'
import type { Bank } from './bank.ts'

const COMMANDS_PER_AGGREGATE = 5

// The functions are shared, so that what differs between few and many routes is the routes.
const opened = event('AccountOpened', shape<AccountOpened>())
const deposited = event('MoneyDeposited', shape<MoneyDeposited>())
const execute = (account: Account, data: MoneyDeposited) =>
  account.status === 'new' ? opened({ accountNumber: data.accountNumber, initialBalance: 0 }) : deposited(data)

const definitionOf = (index: number) => command(`Deposit${index}`, shape<MoneyDeposited>())
type Definition = ReturnType<typeof definitionOf>

function aggregateOf(index: number, commands: readonly Definition[]) {
  return aggregate(`Account${index}`, {
    commands,
    events: [opened, deposited],
    initialState,
    // Many routes are made by a loop, and have no types of their own.
    execute: Object.fromEntries(commands.map(({ type }) => [type, execute])) as never,
    apply: evolve,
  })
}

/** An application of many routes, five to an aggregate. Its accounts are dealt out to the aggregates evenly. */
export class RoutedBank implements Bank {
  readonly #definitions: readonly Definition[]
  readonly #aggregates: readonly ReturnType<typeof aggregateOf>[]
  readonly #application: ReturnType<typeof application<Record<string, never>>>
  /** Which command comes next. */
  #turn = 0

  constructor(routes: number) {
    this.#definitions = Array.from({ length: routes }, (_, index) => definitionOf(index))
    const groups = Array.from({ length: routes / COMMANDS_PER_AGGREGATE }, (_, index) =>
      this.#definitions.slice(index * COMMANDS_PER_AGGREGATE, (index + 1) * COMMANDS_PER_AGGREGATE),
    )
    this.#aggregates = groups.map((commands, index) => aggregateOf(index, commands))
    const routed = router('bank', (empty) => {
      let bank: any = empty
      for (const [index, account] of this.#aggregates.entries()) {
        bank = bank.identify(account, { by: 'accountNumber', prefix: `account-${index}-` })
        bank = bank.dispatch(groups[index], { to: account })
      }
      return bank
    })
    this.#application = application({ name: 'bank', router: routed as any, eventStore: inMemoryEventStore() })
  }

  static async open(routes: number): Promise<Bank> {
    const bank = new RoutedBank(routes)
    await bank.#application.start()
    return bank
  }

  /** The account numbers end in their index. */
  #aggregateIndexOf(accountNumber: string): number {
    return Number(accountNumber.slice(-6)) % this.#aggregates.length
  }

  open(accountNumber: string): Promise<unknown> {
    return this.deposit(accountNumber, 0)
  }

  deposit(accountNumber: string, amount: number): Promise<unknown> {
    // In the order of the account numbers, every route of the application gets its turn.
    const { length } = this.#aggregates
    const turn = this.#turn++
    const route = (turn % length) * COMMANDS_PER_AGGREGATE + (Math.floor(turn / length) % COMMANDS_PER_AGGREGATE)
    return this.#application.dispatch(this.#definitions[route]!({ accountNumber, amount }) as never)
  }

  async account(accountNumber: string): Promise<{ readonly balance: number; readonly version: number }> {
    const account = this.#aggregates[this.#aggregateIndexOf(accountNumber)]!
    const { balance } = await this.#application.aggregateState(account, accountNumber)
    return { balance, version: await this.#application.aggregateVersion(account as never, accountNumber) }
  }

  async close(): Promise<void> {
    await this.#application.stop()
  }
}
