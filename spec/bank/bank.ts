import { application, inMemoryEventStore, type Application, type Router } from 'edict'
import { bankRouter } from '../../examples/bank/domain/bank-router.ts'
import type { AccountBalance } from '../../examples/bank/stores/account-balance.ts'
import { accountBalances } from '../../examples/bank/stores/account-balances.ts'

// The one example domain: the bank of examples/bank, for specs that need a business. spec/support has a smaller one.
export { BankAccount } from '../../examples/bank/domain/bank-account.ts'
export { bankRouter } from '../../examples/bank/domain/bank-router.ts'
export { Transfer } from '../../examples/bank/domain/transfer.ts'
export { moneyTransfer } from '../../examples/bank/domain/money-transfer.ts'
export {
  CloseAccount,
  DepositMoney,
  OpenAccount,
  TransferMoney,
  WithdrawMoney,
} from '../../examples/bank/domain/commands.ts'
export { AccountClosed, AccountOpened, MoneyDeposited, MoneyWithdrawn } from '../../examples/bank/domain/events.ts'
export type { AccountBalance } from '../../examples/bank/stores/account-balance.ts'
export { accountBalances } from '../../examples/bank/stores/account-balances.ts'

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
