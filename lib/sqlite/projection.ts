import type { Database } from '../adapters/sqlite/driver.ts'
import { projectionFor, type DefineProjection } from '../subscribers/projection.ts'

/**
 * Defines a read model in the file of the event store: `tx` is better-sqlite3's `Database`, in a transaction that the store begins
 * and ends.
 *
 * @example
 * import { projection } from 'edict/sqlite'
 *
 * const balancesByAccount = projection('account-balances', {
 *   events: [AccountOpened],
 *   tables: { account_balances: 'account_number TEXT PRIMARY KEY, balance INTEGER NOT NULL' },
 *   project: ({ accountNumber, initialBalance }, recorded, tx, { tables }) =>
 *     tx.prepare(`INSERT INTO ${tables.account_balances} VALUES (?, ?)`).run(accountNumber, initialBalance),
 * })
 *
 * @throws {DefinitionError} `invalid_definition` where the definition does not make sense
 */
export const projection: DefineProjection<Database> = projectionFor<Database>('sqlite')
