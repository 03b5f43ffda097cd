import { EventIdSeed } from '../edict-event-id.ts'
import {
  decide,
  evolve,
  initialState,
  type Account,
  type AccountCommand,
  type AccountEvent,
} from '../domain/account.ts'
import type { Bank } from './bank.ts'

interface Instance {
  readonly streamId: string
  readonly eventIds: EventIdSeed
  state: Account
  version: number
}

interface Stored {
  readonly eventId: string
  readonly streamId: string
  readonly streamVersion: number
  readonly type: string
  readonly data: AccountEvent['data']
}

/** Stands for the ids that a caller has at hand. The version makes the event ids differ. */
const COMMAND_ID = '00000000-0000-4000-8000-000000000000'

/** The limit: a Map, `decide`, `evolve`, one event id, an array push, and the await of an async function. */
export class BareLoop implements Bank {
  readonly #instances = new Map<string, Instance>()
  readonly #events: Stored[] = []

  static async open(): Promise<Bank> {
    return new BareLoop()
  }

  async dispatch(command: AccountCommand): Promise<Instance> {
    const { accountNumber } = command.data
    const instance = this.#instances.get(accountNumber) ?? this.#make(accountNumber)
    const event = decide(command, instance.state)
    instance.state = evolve(instance.state, event)
    const { streamId } = instance
    const streamVersion = ++instance.version
    this.#events.push({
      eventId: instance.eventIds.eventId(COMMAND_ID, streamVersion),
      streamId,
      streamVersion,
      type: event.type,
      data: event.data,
    })
    return instance
  }

  #make(accountNumber: string): Instance {
    const streamId = `bank-account-${accountNumber}`
    const instance = { streamId, eventIds: new EventIdSeed(streamId), state: initialState(), version: 0 }
    this.#instances.set(accountNumber, instance)
    return instance
  }

  open(accountNumber: string): Promise<unknown> {
    return this.dispatch({ type: 'OpenAccount', data: { accountNumber, initialBalance: 0 } })
  }

  deposit(accountNumber: string, amount: number): Promise<unknown> {
    return this.dispatch({ type: 'DepositMoney', data: { accountNumber, amount } })
  }

  async account(accountNumber: string): Promise<{ readonly balance: number; readonly version: number }> {
    const instance = this.#instances.get(accountNumber)
    return { balance: instance?.state.balance ?? 0, version: instance?.version ?? 0 }
  }

  async close(): Promise<void> {
    this.#events.length = 0
  }
}
