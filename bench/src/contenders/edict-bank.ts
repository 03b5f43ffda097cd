import {
  application,
  inMemoryEventStore,
  type ApplicationDefinition,
  type EventHandler,
  type EventStore,
  type Middleware,
} from '../edict.ts'
import {
  DepositMoney,
  DraftAccount,
  OpenAccount,
  PureAccount,
  TouchAccount,
  draftRouter,
  pureRouter,
} from '../domain/edict-account.ts'
import type { Bank } from './bank.ts'

export type Apply = 'pure' | 'draft'

export interface EdictBankOptions {
  readonly apply?: Apply
  readonly eventStore?: EventStore
  readonly middleware?: readonly Middleware[]
  readonly handlers?: readonly EventHandler[]
  readonly consistency?: 'eventual' | 'strong'
  readonly snapshots?: NonNullable<ApplicationDefinition<unknown>['snapshots']>
}

const pure = (options: EdictBankOptions, eventStore: EventStore) =>
  application({
    name: 'bank',
    router: pureRouter(...(options.middleware ?? [])),
    eventStore,
    handlers: options.handlers ?? [],
    snapshots: options.snapshots ?? {},
  })

const draft = (options: EdictBankOptions, eventStore: EventStore): ReturnType<typeof pure> =>
  application({
    name: 'bank',
    router: draftRouter(...(options.middleware ?? [])),
    eventStore,
    handlers: options.handlers ?? [],
    snapshots: options.snapshots ?? {},
  }) as unknown as ReturnType<typeof pure>

const STRONG = { consistency: 'strong' } as const

/** An application with all defaults on. Commands and events are made by their definitions, within what is measured. */
export class EdictBank implements Bank {
  readonly application: ReturnType<typeof pure>
  readonly #aggregate: typeof PureAccount
  readonly #options: typeof STRONG | undefined

  constructor(options: EdictBankOptions) {
    const eventStore = options.eventStore ?? inMemoryEventStore()
    const isDraft = options.apply === 'draft'
    this.application = (isDraft ? draft : pure)(options, eventStore)
    this.#aggregate = isDraft ? (DraftAccount as unknown as typeof PureAccount) : PureAccount
    this.#options = options.consistency === 'strong' ? STRONG : undefined
  }

  static async open(options: EdictBankOptions = {}): Promise<EdictBank> {
    const bank = new EdictBank(options)
    await bank.application.start()
    return bank
  }

  open(accountNumber: string): Promise<unknown> {
    return this.application.dispatch(OpenAccount({ accountNumber, initialBalance: 0 }), this.#options)
  }

  deposit(
    accountNumber: string,
    amount: number,
  ): Promise<{ readonly streamId: string; readonly aggregateVersion: number }> {
    return this.application.dispatch(DepositMoney({ accountNumber, amount }), this.#options)
  }

  touch(accountNumber: string): Promise<{ readonly aggregateVersion: number }> {
    return this.application.dispatch(TouchAccount({ accountNumber }))
  }

  state(accountNumber: string): Promise<{ readonly balance: number }> {
    return this.application.aggregateState(this.#aggregate, accountNumber)
  }

  async account(accountNumber: string): Promise<{ readonly balance: number; readonly version: number }> {
    const { balance } = await this.state(accountNumber)
    return { balance, version: await this.application.aggregateVersion(this.#aggregate, accountNumber) }
  }

  async close(): Promise<void> {
    await this.application.stop()
  }
}
