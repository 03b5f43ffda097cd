// What the examples in docstrings may use without saying so: a small bank, and what a reader of it would guess from the names.
import {
  aggregate,
  application,
  command,
  event,
  eventHandler,
  inMemoryEventStore,
  multi,
  processManager,
  reject,
  router,
  shape,
} from 'edict'
import type { EventStore, HookMiddleware, Repository } from 'edict'
import { projection } from 'edict/projections'
import { z } from 'zod'

export * from 'edict'
export { z }

export const OpenAccount = command('OpenAccount', shape<{ accountNumber: string; initialBalance: number }>())
export const DepositMoney = command('DepositMoney', shape<{ accountNumber: string; amount: number }>())
export const WithdrawMoney = command('WithdrawMoney', shape<{ accountNumber: string; amount: number }>())
export const AccountOpened = event('AccountOpened', shape<{ accountNumber: string; initialBalance: number }>())
export const MoneyDeposited = event('MoneyDeposited', shape<{ accountNumber: string; amount: number }>())
export const MoneyWithdrawn = event('MoneyWithdrawn', shape<{ accountNumber?: string; amount: number }>())
export const MoneyCharged = event('MoneyCharged', shape<{ amount: number; receipt: string }>())
export const LineAdded = event('LineAdded', shape<{ sku: string }>())

interface Account {
  status: 'new' | 'open'
  balance: number
}

export const BankAccount = aggregate('BankAccount', {
  commands: [OpenAccount, DepositMoney, WithdrawMoney],
  events: [AccountOpened, MoneyDeposited, MoneyWithdrawn],
  initialState: (): Account => ({ status: 'new', balance: 0 }),
  execute: {
    OpenAccount: (account, data) => (account.status === 'open' ? reject('account_already_open') : AccountOpened(data)),
    DepositMoney: (account, data) => (account.status === 'new' ? reject('account_not_open') : MoneyDeposited(data)),
    WithdrawMoney: (account, data) => multi(account).execute(() => MoneyWithdrawn(data)),
  },
  apply: {
    AccountOpened: (account, { initialBalance }) => {
      account.status = 'open'
      account.balance = initialBalance
    },
    MoneyDeposited: (account, { amount }) => {
      account.balance += amount
    },
    MoneyWithdrawn: (account, { amount }) => {
      account.balance -= amount
    },
  },
})

export const bankRouter = router('bank', (bank) =>
  bank
    .identify(BankAccount, { by: 'accountNumber' })
    .dispatch([OpenAccount, DepositMoney, WithdrawMoney], { to: BankAccount }),
)
export const accountRouter = bankRouter

const Transfer = command('Transfer', shape<{ transferId: string }>())
const Transferring = aggregate('Transferring', {
  commands: [Transfer],
  events: [],
  initialState: () => ({}),
  execute: { Transfer: () => undefined },
  apply: {},
})
export const transferRouter = router('transfers', (transfers) =>
  transfers.identify(Transferring, { by: 'transferId' }).dispatch(Transfer, { to: Transferring }),
)

export const balances = new Map<string, number>()
export const accountBalances = eventHandler('account-balances', { events: [AccountOpened], handle: () => undefined })
export const balancesByAccount = projection('balances', {
  events: [AccountOpened],
  tables: { balances: 'balance INTEGER' },
  project: () => undefined,
})
export const moneyTransfer = processManager('money-transfer', {
  events: [MoneyDeposited],
  initialState: () => ({ amount: 0 }),
  interested: { MoneyDeposited: ({ accountNumber }) => ({ start: accountNumber }) },
  handle: {},
})
export const bank = application({ name: 'bank', router: bankRouter, eventStore: inMemoryEventStore() })

export declare const account: { readonly status: 'new' | 'open'; readonly balance: number }
export declare const accountNumber: string
export declare const amount: number
export declare const order: { readonly lines: number }
export declare const lines: readonly { readonly sku: string }[]
export declare const line: string
export declare const repository: Repository
export declare const request: Request
export declare const store: EventStore
export declare const audit: HookMiddleware
export declare const paymentProvider: { charge(amount: number): Promise<{ readonly number: string }> }
export declare function isSuspicious(account: object, amount: number, signal: AbortSignal): Promise<boolean>
export declare const MyAdapter: new (url: string) => EventStore
