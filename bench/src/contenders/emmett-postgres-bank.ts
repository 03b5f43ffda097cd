import { CommandHandler } from '@event-driven-io/emmett'
import { getPostgreSQLEventStore, type PostgresEventStore } from '@event-driven-io/emmett-postgresql'
import {
  decide,
  evolve,
  initialState,
  type Account,
  type AccountCommand,
  type AccountEvent,
} from '../domain/account.ts'
import type { Bank } from './bank.ts'

const PREFIX = 'bank-account-'

const handle = CommandHandler<Account, AccountEvent>({ evolve, initialState, mapToStreamId: (id) => PREFIX + id })

/** Emmett's PostgreSQL event store with its command handler, which folds the stream for each command. */
export class EmmettPostgresBank implements Bank {
  readonly store: PostgresEventStore

  constructor(store: PostgresEventStore) {
    this.store = store
  }

  static async open(connectionString: string): Promise<EmmettPostgresBank> {
    const store = getPostgreSQLEventStore(connectionString)
    await store.schema.migrate()
    return new EmmettPostgresBank(store)
  }

  #dispatch(command: AccountCommand): Promise<unknown> {
    return handle(this.store, command.data.accountNumber, (state) => decide(command, state))
  }

  open(accountNumber: string): Promise<unknown> {
    return this.#dispatch({ type: 'OpenAccount', data: { accountNumber, initialBalance: 0 } })
  }

  deposit(accountNumber: string, amount: number): Promise<unknown> {
    return this.#dispatch({ type: 'DepositMoney', data: { accountNumber, amount } })
  }

  /** Many events at once, to get a long stream quickly. */
  async fill(accountNumber: string, amounts: readonly number[]): Promise<void> {
    const events = amounts.map((amount): AccountEvent => ({ type: 'MoneyDeposited', data: { accountNumber, amount } }))
    await this.store.appendToStream<AccountEvent>(PREFIX + accountNumber, events)
  }

  async account(accountNumber: string): Promise<{ readonly balance: number; readonly version: number }> {
    const { state, currentStreamVersion } = await this.store.aggregateStream<Account, AccountEvent>(
      PREFIX + accountNumber,
      { evolve, initialState },
    )
    return { balance: state.balance, version: Number(currentStreamVersion) }
  }

  async close(): Promise<void> {
    await this.store.close()
  }
}
