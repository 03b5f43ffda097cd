import { CommandHandler, getInMemoryEventStore } from '@event-driven-io/emmett'
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

/** Emmett's in-memory event store with its command handler, which folds the stream for each command. */
export class EmmettBank implements Bank {
  readonly store = getInMemoryEventStore()

  static async open(): Promise<EmmettBank> {
    return new EmmettBank()
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

  async close(): Promise<void> {}
}
