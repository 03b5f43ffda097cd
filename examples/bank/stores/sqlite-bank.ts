import Database from 'better-sqlite3'
import { projection, sqliteEventStore } from 'edict/sqlite'
import { AccountClosed, AccountOpened, MoneyDeposited, MoneyWithdrawn } from '../domain/events.ts'
import type { AccountBalance } from './account-balance.ts'
import type { BankStore } from './bank-store.ts'

// The rows and the checkpoint are written in one transaction of the events' own file: each event counts once, whatever happens.
const accountBalances = projection('account-balances', {
  version: 1,
  events: [AccountOpened, MoneyDeposited, MoneyWithdrawn, AccountClosed],
  // A dispatch with strong consistency resolves when the rows show its events.
  consistency: 'strong',
  tables: {
    account_balances: `
      account_number TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      status TEXT NOT NULL,
      balance INTEGER NOT NULL,
      version INTEGER NOT NULL`,
  },
  project: {
    AccountOpened: ({ accountNumber, owner, initialBalance }, { streamVersion }, tx, { tables }) => {
      tx.prepare(`INSERT INTO ${tables.account_balances} VALUES (?, ?, 'open', ?, ?)`).run(
        accountNumber,
        owner,
        initialBalance,
        streamVersion,
      )
    },
    MoneyDeposited: ({ accountNumber, amount }, { streamVersion }, tx, { tables }) => {
      tx.prepare(
        `UPDATE ${tables.account_balances} SET balance = balance + ?, version = ? WHERE account_number = ?`,
      ).run(amount, streamVersion, accountNumber)
    },
    MoneyWithdrawn: ({ accountNumber, amount }, { streamVersion }, tx, { tables }) => {
      tx.prepare(
        `UPDATE ${tables.account_balances} SET balance = balance - ?, version = ? WHERE account_number = ?`,
      ).run(amount, streamVersion, accountNumber)
    },
    AccountClosed: ({ accountNumber }, { streamVersion }, tx, { tables }) => {
      tx.prepare(`UPDATE ${tables.account_balances} SET status = 'closed', version = ? WHERE account_number = ?`).run(
        streamVersion,
        accountNumber,
      )
    },
  },
})

/** A bank in a file. */
export function sqliteBank(path: string): BankStore {
  return { eventStore: sqliteEventStore(path), accountBalances, readAccounts: async () => readAccounts(path) }
}

function readAccounts(path: string): AccountBalance[] {
  const database = new Database(path, { readonly: true })
  try {
    return database
      .prepare<[], AccountBalance>(
        'SELECT account_number AS accountNumber, owner, status, balance, version FROM account_balances',
      )
      .all()
  } finally {
    database.close()
  }
}
