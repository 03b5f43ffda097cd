import { eventHandler } from 'edict'
import { AccountClosed, AccountOpened, MoneyDeposited, MoneyWithdrawn } from '../domain/events.ts'
import type { AccountBalance } from './account-balance.ts'

/** The read model in memory: a row for each account, and the handler that keeps the rows up with the events. */
export function accountBalances() {
  const accounts = new Map<string, AccountBalance>()

  // A handler is given each event at least once. Whoever counts has to know what was counted: here the version tells.
  const update = (accountNumber: string, version: number, change: (account: AccountBalance) => void) => {
    const account = accounts.get(accountNumber)
    if (account === undefined || account.version >= version) return
    change(account)
    account.version = version
  }

  const handler = eventHandler('account-balances', {
    events: [AccountOpened, MoneyDeposited, MoneyWithdrawn, AccountClosed],
    // A dispatch with strong consistency resolves when the rows show its events.
    consistency: 'strong',
    handle: {
      AccountOpened: ({ accountNumber, owner, initialBalance }, { streamVersion }) => {
        if (accounts.has(accountNumber)) return
        accounts.set(accountNumber, {
          accountNumber,
          owner,
          status: 'open',
          balance: initialBalance,
          version: streamVersion,
        })
      },
      MoneyDeposited: ({ accountNumber, amount }, { streamVersion }) =>
        update(accountNumber, streamVersion, (account) => {
          account.balance += amount
        }),
      MoneyWithdrawn: ({ accountNumber, amount }, { streamVersion }) =>
        update(accountNumber, streamVersion, (account) => {
          account.balance -= amount
        }),
      AccountClosed: ({ accountNumber }, { streamVersion }) =>
        update(accountNumber, streamVersion, (account) => {
          account.status = 'closed'
        }),
    },
  })

  return { accounts, handler }
}
