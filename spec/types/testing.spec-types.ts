/* eslint-disable @typescript-eslint/no-unused-vars -- values stand here for their types */
// What the testing kit takes, and what it refuses. tsc runs this file.
import { eventHandler, processManager, reject, reply } from 'edict'
import { assertCorrelated, assertReceiveEvent, given, recorded, whenHandled } from 'edict/testing'
import { bank } from '../docs/runner/prelude.ts'
import {
  AccountOpened,
  BankAccount,
  DepositMoney,
  Foreign,
  MoneyDeposited,
  OpenAccount,
  Other,
  WithdrawMoney,
  same,
} from './domain.ts'

const opened = AccountOpened({ accountNumber: 'A', initialBalance: 5 })
const deposit = DepositMoney({ accountNumber: 'A', amount: 5 })

// given(aggregate): its own events, commands, rejections and states only.
const account = given(BankAccount, [opened, recorded(MoneyDeposited({ accountNumber: 'A', amount: 5 }))])
account
  .when(deposit)
  .then(MoneyDeposited({ accountNumber: 'A', amount: 5 }))
  .thenState({ status: 'open', balance: 10 })
account.when(WithdrawMoney({ accountNumber: 'A', amount: 50 })).thenRejects('insufficient_funds')
// @ts-expect-error an event of nobody
given(BankAccount, [Foreign({ accountNumber: 'A', amount: 5 })])
// @ts-expect-error a command of nobody
account.when(Other({ x: '' }))
// @ts-expect-error an event is no command
account.when(opened)
// @ts-expect-error an event of nobody
account.when(deposit).then(Foreign({ accountNumber: 'A', amount: 5 }))
// @ts-expect-error the code of another command
account.when(deposit).thenRejects('insufficient_funds')
// @ts-expect-error no state of this aggregate
account.when(deposit).thenState({ status: 'open' })
// @ts-expect-error an outcome is not to be awaited: something has to be expected of it
export const returned = async () => account.when(deposit)
// @ts-expect-error neither an aggregate nor a command handler
given({ to: () => undefined })

// given({ to, aggregate }): the data, the rejections and the reply of the command handler.
const handling = given({
  aggregate: BankAccount,
  to: async (_account: { readonly balance: number }, { amount }: { readonly amount: number }) =>
    Promise.resolve(amount > 5 ? reject('too_much') : reply(amount, MoneyDeposited({ accountNumber: 'A', amount }))),
})
same<Promise<void>, ReturnType<ReturnType<typeof handling.when>['then']>>(true)
void handling.when(deposit).thenRejects('too_much')
void handling.when(deposit).thenReplies(5)
// @ts-expect-error the code of nobody
void handling.when(deposit).thenRejects('too_little')
// @ts-expect-error another reply
void handling.when(deposit).thenReplies('five')
// @ts-expect-error its data has no amount
handling.when(OpenAccount({ accountNumber: 'A', initialBalance: 5 }))
const table = given({
  aggregate: BankAccount,
  to: {
    DepositMoney: (_account: object, { amount }: { readonly amount: number }) =>
      amount > 5 ? reject('too_much') : undefined,
    WithdrawMoney: () => reject('never'),
  },
})
void table.when(deposit).thenRejects('too_much')
// @ts-expect-error the code of another command
void table.when(deposit).thenRejects('never')
// @ts-expect-error a command that the table has no function for
table.when(OpenAccount({ accountNumber: 'A', initialBalance: 5 }))

// whenHandled: the handler's own events only.
const handler = eventHandler('handler', { events: [AccountOpened], handle: () => undefined })
void whenHandled(handler, [opened, recorded(opened)]).thenDispatches(deposit)
// @ts-expect-error an event that it does not handle
void whenHandled(handler, [MoneyDeposited({ accountNumber: 'A', amount: 5 })])
// @ts-expect-error an event is no command
void whenHandled(handler, [opened]).thenDispatches(opened)

// Events of a running application carry their types.
const { data } = await assertReceiveEvent(bank, MoneyDeposited, ({ amount }) => amount > 5)
same<typeof data, Readonly<{ accountNumber: string; amount: number }>>(true)
const [first] = await assertCorrelated(bank, [AccountOpened], [MoneyDeposited, ({ amount }) => amount > 5])
same<typeof first.type, 'AccountOpened'>(true)
// @ts-expect-error its data has no balance
await assertReceiveEvent(bank, MoneyDeposited, ({ balance }) => balance > 5)
// @ts-expect-error not an event
await assertReceiveEvent(bank, OpenAccount)

// given(processManager): its own events, and its state.
const manager = processManager('manager', {
  events: [AccountOpened],
  initialState: () => ({ opened: 0 }),
  interested: { AccountOpened: ({ accountNumber }) => ({ start: accountNumber }) },
  handle: {},
})
void given(manager, [recorded(opened)])
  .when(opened)
  .thenDispatches(deposit)
void given(manager).when(opened).thenState({ opened: 0 })
// @ts-expect-error an event that it does not follow
given(manager).when(MoneyDeposited({ accountNumber: 'A', amount: 5 }))
// @ts-expect-error another state
void given(manager).when(opened).thenState({ closed: 0 })
// @ts-expect-error an event is no command
void given(manager).when(opened).thenDispatches(opened)
