/* eslint-disable @typescript-eslint/no-unused-vars -- values stand here for their types */
// What is inferred of aggregates. tsc runs this file; spec/types/sentences.spec.ts holds what is refused, with the sentences.
import { aggregate, asynchronously, command, event, multi, reject, shape, synchronously, type Rejection } from 'edict'
import {
  AccountOpened,
  BankAccount,
  DepositMoney,
  MoneyDeposited,
  MoneyWithdrawn,
  OpenAccount,
  WithdrawMoney,
  initialState,
  same,
} from './domain.ts'

type Account = ReturnType<typeof initialState>

// decide and fold are typed: the events, and the codes of the command's own function.
const decided = BankAccount.decide(undefined, WithdrawMoney({ accountNumber: 'A', amount: 5 }))
if ('code' in decided) same<typeof decided, Rejection<'insufficient_funds'>>(true)
else same<(typeof decided)[number]['type'], 'AccountOpened' | 'MoneyDeposited' | 'MoneyWithdrawn'>(true)
const folded = BankAccount.fold(undefined, [AccountOpened({ accountNumber: 'A', initialBalance: 5 })])
same<typeof folded, Readonly<Account>>(true)
same<typeof BankAccount.name, 'BankAccount'>(true)
// @ts-expect-error not a command of this aggregate
BankAccount.decide(undefined, command('Other', shape<object>())({}))
// @ts-expect-error an event that only looks like one
BankAccount.fold(undefined, [{ type: 'AccountOpened', data: { accountNumber: 'A', initialBalance: 5 } }])
// @ts-expect-error states are read-only
folded.balance = 5

// The function forms: execute takes the whole message, apply the whole event, and both are discriminated.
const Pure = aggregate('Pure', {
  commands: [OpenAccount, DepositMoney],
  events: [AccountOpened, MoneyDeposited],
  initialState,
  execute: (account, message, { now }) => {
    same<typeof account, Readonly<Account>>(true)
    switch (message.type) {
      case 'OpenAccount':
        return account.status === 'open' ? reject('open_already') : AccountOpened(message.data)
      case 'DepositMoney':
        return now.getTime() > 0 ? [MoneyDeposited(message.data)] : reject('too_early')
    }
  },
  apply: (account, happened) => {
    switch (happened.type) {
      case 'AccountOpened':
        return { status: 'open', balance: happened.data.initialBalance }
      case 'MoneyDeposited':
        return { ...account, balance: account.balance + happened.data.amount }
    }
  },
})
const pure = Pure.decide(undefined, DepositMoney({ accountNumber: 'A', amount: 5 }))
if ('code' in pure) same<typeof pure.code, 'open_already' | 'too_early'>(true)

// A multi carries codes and names: later steps find the states that named ones left.
const Reserve = command('Reserve', shape<{ accountNumber: string; amounts: number[] }>())
const Steps = aggregate('Steps', {
  commands: [Reserve],
  events: [MoneyWithdrawn],
  initialState,
  execute: {
    Reserve: (account, { accountNumber, amounts }) =>
      multi(account)
        .reduce('withdrawn', amounts, (_now, amount) => MoneyWithdrawn({ accountNumber, amount }))
        .execute('checked', (now, { withdrawn }) => {
          same<typeof withdrawn, Readonly<Account>>(true)
          return withdrawn.balance < 0 || now.balance < 0 ? reject('insufficient_funds') : undefined
        })
        .execute((now, steps) => {
          same<keyof typeof steps, 'withdrawn' | 'checked'>(true)
          return multi(now).execute(() => (now.status === 'new' ? reject('not_open') : []))
        }),
  },
  apply: {
    MoneyWithdrawn: (account, { amount }) => ({ ...account, balance: account.balance - amount }),
  },
})
const reserved = Steps.decide(undefined, Reserve({ accountNumber: 'A', amounts: [1] }))
if ('code' in reserved) same<typeof reserved.code, 'insufficient_funds' | 'not_open'>(true)

// A table's functions work on a draft, in which nothing is read-only.
interface Basket {
  readonly lines: readonly { readonly sku: string }[]
  readonly bySku: ReadonlyMap<string, number>
}
const Added = event('Added', shape<{ sku: string }>())
export const Baskets = aggregate('Basket', {
  commands: [],
  events: [Added],
  initialState: (): Basket => ({ lines: [], bySku: new Map() }),
  execute: {},
  apply: {
    Added: (basket, { sku }) => {
      basket.lines.push({ sku })
      basket.bySku.set(sku, 1)
    },
  },
})

// A mark leaves an event's type as it is, and with it what is known of the aggregate's decisions.
const marked = synchronously(AccountOpened({ accountNumber: 'A', initialBalance: 5 }))
same<typeof marked, ReturnType<typeof AccountOpened>>(true)
const Marking = aggregate('Marking', {
  commands: [OpenAccount, DepositMoney],
  events: [AccountOpened, MoneyDeposited],
  initialState,
  execute: {
    OpenAccount: (account, data) =>
      account.status === 'open' ? reject('open_already') : synchronously(AccountOpened(data)),
    DepositMoney: (account, data) =>
      multi(account).execute(() => [MoneyDeposited(data), asynchronously(MoneyDeposited(data))]),
  },
  apply: () => initialState(),
})
const markedDecision = Marking.decide(undefined, OpenAccount({ accountNumber: 'A', initialBalance: 5 }))
if ('code' in markedDecision) same<typeof markedDecision.code, 'open_already'>(true)
