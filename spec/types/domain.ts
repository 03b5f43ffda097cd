import { aggregate, command, event, reject, shape } from 'edict'

// What the compile-time specs are about. Nothing of it runs.

export const OpenAccount = command('OpenAccount', shape<{ accountNumber: string; initialBalance: number }>())
export const DepositMoney = command('DepositMoney', shape<{ accountNumber: string; amount: number }>())
export const WithdrawMoney = command('WithdrawMoney', shape<{ accountNumber: string; amount: number }>())
export const AccountOpened = event('AccountOpened', shape<{ accountNumber: string; initialBalance: number }>())
export const MoneyDeposited = event('MoneyDeposited', shape<{ accountNumber: string; amount: number }>())
export const MoneyWithdrawn = event('MoneyWithdrawn', shape<{ accountNumber: string; amount: number }>())
/** An event of nobody. */
export const Foreign = event('Foreign', shape<{ accountNumber: string; amount: number }>())
/** A command of nobody. */
export const Other = command('Other', shape<{ x: string }>())

export const initialState = () => ({ status: 'new' as 'new' | 'open', balance: 0 })

export const BankAccount = aggregate('BankAccount', {
  commands: [OpenAccount, DepositMoney, WithdrawMoney],
  events: [AccountOpened, MoneyDeposited, MoneyWithdrawn],
  initialState,
  execute: {
    OpenAccount: (account, command) =>
      account.status === 'open' ? reject('account_already_open') : AccountOpened(command),
    DepositMoney: (account, command) =>
      account.status === 'new' ? reject('account_not_open') : MoneyDeposited(command),
    WithdrawMoney: (account, command) =>
      account.balance < command.amount ? reject('insufficient_funds') : MoneyWithdrawn(command),
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

/** Compiles where two types are the same, and neither is `any`. */
export type Same<One, Other> =
  (<Probe>() => Probe extends One ? 1 : 2) extends <Probe>() => Probe extends Other ? 1 : 2 ? true : false
export function same<One, Other>(_proof: Same<One, Other>): void {}
