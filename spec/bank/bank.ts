import { application, inMemoryEventStore, type Application, type Router } from 'edict'
import { accountBalances, type AccountBalance } from '../../examples/bank/account-balances.ts'
import { bankRouter } from '../../examples/bank/domain/bank-router.ts'

// The one example domain: the bank of examples/bank, for specs that need a business. spec/support has a smaller one.
export { accountBalances, type AccountBalance } from '../../examples/bank/account-balances.ts'
export { BankAccount } from '../../examples/bank/domain/bank-account.ts'
export { bankRouter } from '../../examples/bank/domain/bank-router.ts'
export { CloseAccount, DepositMoney, OpenAccount, WithdrawMoney } from '../../examples/bank/domain/commands.ts'
export { AccountClosed, AccountOpened, MoneyDeposited, MoneyWithdrawn } from '../../examples/bank/domain/events.ts'

type RoutesOf<Routing> = Routing extends Router<infer Routes> ? Routes : never

export interface Bank extends AsyncDisposable {
  readonly bank: Application<RoutesOf<typeof bankRouter>>
  readonly accounts: ReadonlyMap<string, Readonly<AccountBalance>>
}

let made = 0

/** A started bank in memory, with its read model. Dispose of it, or stop `bank`. */
export async function startedBank(): Promise<Bank> {
  const { accounts, handler } = accountBalances()
  const bank = application({
    name: `bank-${++made}`,
    router: bankRouter,
    eventStore: inMemoryEventStore(),
    handlers: [handler],
  })
  await bank.start()
  return { bank, accounts, [Symbol.asyncDispose]: () => bank.stop() }
}
