import type { ClientBase } from 'pg'
import { projectionFor, type DefineProjection } from '../subscribers/projection.ts'

/**
 * Defines a read model in the database of the event store: `tx` is `pg`'s `ClientBase`, in a transaction that the store begins and
 * ends.
 *
 * @example
 * import { projection } from 'edict/postgres'
 *
 * const balancesByAccount = projection('account-balances', {
 *   events: [AccountOpened],
 *   tables: { account_balances: 'account_number text PRIMARY KEY, balance integer NOT NULL' },
 *   project: ({ accountNumber, initialBalance }, recorded, tx, { tables }) =>
 *     tx.query(`INSERT INTO ${tables.account_balances} VALUES ($1, $2)`, [accountNumber, initialBalance]),
 * })
 *
 * @throws {DefinitionError} `invalid_definition` where the definition does not make sense
 */
export const projection: DefineProjection<ClientBase> = projectionFor<ClientBase>('postgres')
