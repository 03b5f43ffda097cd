import { aggregate, reject } from 'edict'
import { CloseAccount, DepositMoney, OpenAccount, WithdrawMoney } from './commands.ts'
import { AccountClosed, AccountOpened, MoneyDeposited, MoneyWithdrawn } from './events.ts'

// Only what decisions need: the owner is of no interest here, so it stays in the events and in the read model.
interface Account {
  status: 'new' | 'open' | 'closed'
  balance: number
}

const rejectUnlessOpen = ({ status }: Account) => {
  if (status === 'new') return reject('account_not_open')
  if (status === 'closed') return reject('account_closed')
  return undefined
}

export const BankAccount = aggregate('BankAccount', {
  commands: [OpenAccount, DepositMoney, WithdrawMoney, CloseAccount],
  events: [AccountOpened, MoneyDeposited, MoneyWithdrawn, AccountClosed],

  initialState: (): Account => ({ status: 'new', balance: 0 }),

  execute: {
    OpenAccount: ({ status }, command) => {
      if (status === 'open') return reject('account_already_open')
      if (status === 'closed') return reject('account_closed')
      return AccountOpened(command)
    },

    // Past the safe integers a sum would be rounded, and money would appear or vanish.
    DepositMoney: (account, command) =>
      rejectUnlessOpen(account) ??
      (Number.isSafeInteger(account.balance + command.amount) ? MoneyDeposited(command) : reject('balance_too_large')),

    WithdrawMoney: (account, command) =>
      rejectUnlessOpen(account) ??
      (command.amount > account.balance ? reject('insufficient_funds') : MoneyWithdrawn(command)),

    CloseAccount: (account, command) =>
      rejectUnlessOpen(account) ?? (account.balance === 0 ? AccountClosed(command) : reject('account_not_empty')),
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
    AccountClosed: (account) => {
      account.status = 'closed'
    },
  },
})
