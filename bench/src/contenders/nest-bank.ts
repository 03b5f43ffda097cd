import 'reflect-metadata'
import { Module, type INestApplicationContext } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { CommandBus, CommandHandler, CqrsModule, type ICommandHandler } from '@nestjs/cqrs'
import { evolve, initialState, type Account } from '../domain/account.ts'
import type { Bank } from './bank.ts'

class OpenAccount {
  readonly accountNumber: string
  readonly initialBalance: number

  constructor(accountNumber: string, initialBalance: number) {
    this.accountNumber = accountNumber
    this.initialBalance = initialBalance
  }
}

class DepositMoney {
  readonly accountNumber: string
  readonly amount: number

  constructor(accountNumber: string, amount: number) {
    this.accountNumber = accountNumber
    this.amount = amount
  }
}

interface Kept {
  readonly state: Account
  readonly version: number
}

/** Where the handlers keep what they need: Nest routes, and has neither aggregates nor an event store. */
let accounts = new Map<string, Kept>()

class OpenAccountHandler implements ICommandHandler<OpenAccount> {
  async execute({ accountNumber, initialBalance }: OpenAccount): Promise<void> {
    const state = evolve(initialState(), { type: 'AccountOpened', data: { accountNumber, initialBalance } })
    accounts.set(accountNumber, { state, version: 1 })
  }
}

class DepositMoneyHandler implements ICommandHandler<DepositMoney> {
  async execute({ accountNumber, amount }: DepositMoney): Promise<void> {
    const kept = accounts.get(accountNumber)
    if (kept === undefined) throw new Error('account_not_open')
    const state = evolve(kept.state, { type: 'MoneyDeposited', data: { accountNumber, amount } })
    accounts.set(accountNumber, { state, version: kept.version + 1 })
  }
}

// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- a module of Nest's is an empty class
class BankModule {}

// Decorators are called as functions, since this package is compiled as plain JavaScript.
CommandHandler(OpenAccount)(OpenAccountHandler)
CommandHandler(DepositMoney)(DepositMoneyHandler)
Module({ imports: [CqrsModule.forRoot()], providers: [OpenAccountHandler, DepositMoneyHandler] })(BankModule)

/** `@nestjs/cqrs`: the command bus only, routing to handlers that keep their state in a Map. No events, no store. */
export class NestBank implements Bank {
  readonly #context: INestApplicationContext
  readonly #bus: CommandBus

  constructor(context: INestApplicationContext) {
    this.#context = context
    this.#bus = context.get(CommandBus)
  }

  static async open(): Promise<NestBank> {
    accounts = new Map()
    const context = await NestFactory.createApplicationContext(BankModule, { logger: false })
    await context.init()
    return new NestBank(context)
  }

  open(accountNumber: string): Promise<unknown> {
    return this.#bus.execute(new OpenAccount(accountNumber, 0))
  }

  deposit(accountNumber: string, amount: number): Promise<unknown> {
    return this.#bus.execute(new DepositMoney(accountNumber, amount))
  }

  async account(accountNumber: string): Promise<{ readonly balance: number; readonly version: number }> {
    const kept = accounts.get(accountNumber)
    return { balance: kept?.state.balance ?? 0, version: kept?.version ?? 0 }
  }

  async close(): Promise<void> {
    await this.#context.close()
  }
}
