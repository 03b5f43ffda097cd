import { Command, EventStore, EventType, tuple, type EventTypeDetails } from '@castore/core'
import { InMemoryEventStorageAdapter } from '@castore/event-storage-adapter-in-memory'
import {
  decide,
  evolve,
  initialState,
  type Account,
  type AccountCommand,
  type AccountEvent,
} from '../domain/account.ts'
import type { Bank } from './bank.ts'

const accountOpened = new EventType<'AccountOpened', { accountNumber: string; initialBalance: number }>({
  type: 'AccountOpened',
})
const moneyDeposited = new EventType<'MoneyDeposited', { accountNumber: string; amount: number }>({
  type: 'MoneyDeposited',
})
const eventTypes = [accountOpened, moneyDeposited]

type Detail = EventTypeDetails<[typeof accountOpened, typeof moneyDeposited]>

interface AccountAggregate extends Account {
  readonly aggregateId: string
  readonly version: number
}

/** Castore's aggregates carry their id and version, and its events their payload: the functions are the same. */
function reducer(account: AccountAggregate | undefined, detail: Detail): AccountAggregate {
  const { type, payload, aggregateId, version } = detail
  const { status, balance } = evolve(account ?? initialState(), { type, data: payload } as AccountEvent)
  return { aggregateId, version, status, balance }
}

const accounts = () =>
  new EventStore({
    eventStoreId: 'ACCOUNTS',
    eventTypes,
    reducer: reducer as (account: AccountAggregate, detail: Detail) => AccountAggregate,
    eventStorageAdapter: new InMemoryEventStorageAdapter(),
  })

type Accounts = ReturnType<typeof accounts>

async function handler(command: AccountCommand, [store]: readonly [Accounts]): Promise<unknown> {
  const aggregateId = command.data.accountNumber
  const { aggregate } = await store.getAggregate(aggregateId)
  const { type, data: payload } = decide(command, aggregate ?? initialState())
  const detail = { aggregateId, version: (aggregate?.version ?? 0) + 1, type, payload } as Detail
  return store.pushEvent(detail, aggregate === undefined ? {} : { prevAggregate: aggregate })
}

const accountCommand = (store: Accounts) =>
  new Command({
    commandId: 'ACCOUNT',
    // Castore's own types do not allow for exactOptionalPropertyTypes.
    requiredEventStores: tuple(store) as never,
    handler: handler as never,
  })

/** Castore with its in-memory adapter and a command, which folds the stream for each command. */
export class CastoreBank implements Bank {
  readonly #store = accounts()
  readonly #command = accountCommand(this.#store)

  static async open(): Promise<CastoreBank> {
    return new CastoreBank()
  }

  #dispatch(command: AccountCommand): Promise<unknown> {
    return this.#command.handler(command, [this.#store] as never)
  }

  open(accountNumber: string): Promise<unknown> {
    return this.#dispatch({ type: 'OpenAccount', data: { accountNumber, initialBalance: 0 } })
  }

  deposit(accountNumber: string, amount: number): Promise<unknown> {
    return this.#dispatch({ type: 'DepositMoney', data: { accountNumber, amount } })
  }

  async account(accountNumber: string): Promise<{ readonly balance: number; readonly version: number }> {
    const { aggregate } = await this.#store.getAggregate(accountNumber)
    return { balance: aggregate?.balance ?? 0, version: aggregate?.version ?? 0 }
  }

  async close(): Promise<void> {}
}
