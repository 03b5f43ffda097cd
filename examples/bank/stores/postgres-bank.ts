import { postgresEventStore, projection } from 'edict/postgres'
import pg from 'pg'
import { AccountClosed, AccountOpened, MoneyDeposited, MoneyWithdrawn } from '../domain/events.ts'
import type { AccountBalance } from './account-balance.ts'
import type { BankStore } from './bank-store.ts'

// The rows and the checkpoint are written in one transaction of the events' own database: each event counts once, whatever happens.
const accountBalances = projection('account-balances', {
  version: 1,
  events: [AccountOpened, MoneyDeposited, MoneyWithdrawn, AccountClosed],
  // A dispatch with strong consistency resolves when the rows show its events.
  consistency: 'strong',
  tables: {
    account_balances: `
      account_number text PRIMARY KEY,
      owner text NOT NULL,
      status text NOT NULL,
      balance bigint NOT NULL,
      version integer NOT NULL`,
  },
  project: {
    AccountOpened: async ({ accountNumber, owner, initialBalance }, { streamVersion }, tx, { tables }) => {
      await tx.query(`INSERT INTO ${tables.account_balances} VALUES ($1, $2, 'open', $3, $4)`, [
        accountNumber,
        owner,
        initialBalance,
        streamVersion,
      ])
    },
    MoneyDeposited: async ({ accountNumber, amount }, { streamVersion }, tx, { tables }) => {
      await tx.query(
        `UPDATE ${tables.account_balances} SET balance = balance + $1, version = $2 WHERE account_number = $3`,
        [amount, streamVersion, accountNumber],
      )
    },
    MoneyWithdrawn: async ({ accountNumber, amount }, { streamVersion }, tx, { tables }) => {
      await tx.query(
        `UPDATE ${tables.account_balances} SET balance = balance - $1, version = $2 WHERE account_number = $3`,
        [amount, streamVersion, accountNumber],
      )
    },
    AccountClosed: async ({ accountNumber }, { streamVersion }, tx, { tables }) => {
      await tx.query(
        `UPDATE ${tables.account_balances} SET status = 'closed', version = $1 WHERE account_number = $2`,
        [streamVersion, accountNumber],
      )
    },
  },
})

/** A bank in a database. */
export function postgresBank(connectionString: string): BankStore {
  return {
    eventStore: postgresEventStore({ connectionString }),
    accountBalances,
    readAccounts: () => readAccounts(connectionString),
  }
}

async function readAccounts(connectionString: string): Promise<AccountBalance[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    // pg gives a bigint as text, since not every one is a number of JavaScript's; the bank's balances are.
    const { rows } = await client.query<Omit<AccountBalance, 'balance'> & { balance: string }>(
      'SELECT account_number AS "accountNumber", owner, status, balance, version FROM account_balances',
    )
    return rows.map((row) => ({ ...row, balance: Number(row.balance) }))
  } finally {
    await client.end()
  }
}
