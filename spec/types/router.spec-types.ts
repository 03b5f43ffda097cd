/* eslint-disable @typescript-eslint/no-unused-vars -- values stand here for their types */
// What is inferred of routers, results and failures. tsc runs this file; spec/types/sentences.spec.ts holds what is refused.
import {
  application,
  command,
  aggregate,
  event,
  compositeRouter,
  inMemoryEventStore,
  multi,
  reject,
  reply,
  router,
  shape,
  type DispatchOptions,
  type RecordedEvent,
} from 'edict'
import {
  BankAccount,
  DepositMoney,
  MoneyDeposited,
  MoneyWithdrawn,
  OpenAccount,
  WithdrawMoney,
  same,
  type initialState,
} from './domain.ts'

type Account = ReturnType<typeof initialState>
type Infrastructure = 'command_timeout' | 'consistency_timeout' | 'version_conflict'
type Opened = RecordedEvent<'AccountOpened', { accountNumber: string; initialBalance: number }>
type Deposited = RecordedEvent<'MoneyDeposited', { accountNumber: string; amount: number }>
type Withdrawn = RecordedEvent<'MoneyWithdrawn', { accountNumber: string; amount: number }>

const accounts = router('accounts', (r) =>
  r
    .identify(BankAccount, { by: 'accountNumber', prefix: () => 'account-' })
    .dispatch(OpenAccount, { to: BankAccount, beforeExecute: (account) => checkedBefore(account.balance) })
    .dispatch([DepositMoney, WithdrawMoney], {
      aggregate: BankAccount,
      to: {
        DepositMoney: async (account, data, { signal }) =>
          signal.aborted ? reject('aborted_by_user') : reply({ before: account.balance }, MoneyDeposited(data)),
        WithdrawMoney: (account, data) =>
          multi(account)
            .execute(() => MoneyWithdrawn(data))
            .execute((after) => (after.balance < 0 ? reject('overdrawn') : undefined)),
      },
      metadata: { source: 'spec' },
      consistency: 'strong',
    }),
)
const checkedBefore = (balance: number) => (balance > 0 ? reject('not_empty') : undefined)

export async function typed() {
  const bank = application({ name: 'bank', router: accounts, eventStore: inMemoryEventStore() })

  const opened = await accounts.dispatch(OpenAccount({ accountNumber: 'A', initialBalance: 1 }))
  same<typeof opened.aggregateState, Readonly<Account>>(true)
  same<typeof opened.events, readonly (Opened | Deposited | Withdrawn)[]>(true)
  // A middleware may respond with anything.
  same<typeof opened.reply, unknown>(true)

  const deposited = await bank.dispatch(DepositMoney({ accountNumber: 'A', amount: 5 }))
  same<typeof deposited.reply, { readonly before: number }>(true)

  // The codes of execute and of beforeExecute; those of a handler; those within a multi.
  const openedOrNot = await bank.tryDispatch(OpenAccount({ accountNumber: 'A', initialBalance: 1 }))
  if (!openedOrNot.ok) same<typeof openedOrNot.error.code, 'account_already_open' | 'not_empty' | Infrastructure>(true)
  const depositedOrNot = await bank.tryDispatch(DepositMoney({ accountNumber: 'A', amount: 5 }))
  if (!depositedOrNot.ok) same<typeof depositedOrNot.error.code, 'aborted_by_user' | Infrastructure>(true)
  const withdrawnOrNot = await bank.tryDispatch(WithdrawMoney({ accountNumber: 'A', amount: 5 }))
  if (!withdrawnOrNot.ok) {
    const { error } = withdrawnOrNot
    same<typeof error.code, 'overdrawn' | Infrastructure>(true)
    if (error.code === 'consistency_timeout') same<typeof error.executionResult.aggregateState, Readonly<Account>>(true)
    if (error.code === 'overdrawn') same<typeof error.details, unknown>(true)
    if (error.code === 'version_conflict') same<typeof error.actual, number>(true)
  }

  // Only what was given a deadline can come too late for it.
  const deposit = DepositMoney({ accountNumber: 'A', amount: 5 })
  const inTimeOrNot = await bank.tryDispatch(deposit, { deadline: Date.now() + 1_000, timeout: 500 })
  if (!inTimeOrNot.ok) {
    const { error } = inTimeOrNot
    same<typeof error.code, 'aborted_by_user' | 'deadline_exceeded' | Infrastructure>(true)
    if (error.code === 'deadline_exceeded') same<typeof error.deadline, number>(true)
  }
  const timedOrNot = await bank.tryDispatch(deposit, { timeout: 500 })
  if (!timedOrNot.ok) same<typeof timedOrNot.error.code, 'aborted_by_user' | Infrastructure>(true)
  const options: DispatchOptions = { timeout: 500 }
  const perhapsOrNot = await bank.tryDispatch(deposit, options)
  if (!perhapsOrNot.ok)
    same<typeof perhapsOrNot.error.code, 'aborted_by_user' | 'deadline_exceeded' | Infrastructure>(true)
  // @ts-expect-error no such option
  await bank.tryDispatch(deposit, { timeuot: 500 })
  // @ts-expect-error no deadline
  await bank.tryDispatch(deposit, { deadline: '2030-01-01' })

  // What was parsed is a union, which can be looked into and dispatched.
  const parsed = accounts.parse({ type: 'DepositMoney', data: {} })
  if (parsed.type === 'DepositMoney') same<typeof parsed.data.amount, number>(true)
  const result = await accounts.dispatch(parsed)
  same<typeof result.aggregateState, Readonly<Account>>(true)
  const safe = accounts.safeParse('{}')
  if (!safe.ok) same<typeof safe.error.code, 'invalid_message' | 'unregistered_command'>(true)

  same<Awaited<ReturnType<typeof bank.start>>, typeof bank>(true)
  const state = await bank.aggregateState(BankAccount, 'A')
  same<typeof state, Readonly<Account>>(true)
}

// Identities: keys and functions; strings, numbers, bigints, branded ones, and instances that have a text of their own.
class AccountId {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}
const Identified = command(
  'Identified',
  shape<{ text: string & { readonly brand: 'id' }; count: number; big: bigint; id: AccountId; url: URL }>(),
)
const Done = event('Done', shape<object>())
const Thing = aggregate('Thing', {
  commands: [Identified],
  events: [Done],
  initialState: () => ({}),
  execute: () => Done({}),
  apply: { Done: () => {} },
})
router('a', (r) => r.identify(Thing, { by: 'text' }).dispatch(Identified, { to: Thing }))
router('b', (r) => r.identify(Thing, { by: 'count' }).dispatch(Identified, { to: Thing }))
router('c', (r) => r.identify(Thing, { by: 'big' }).dispatch(Identified, { to: Thing }))
router('d', (r) => r.identify(Thing, { by: 'id' }).dispatch(Identified, { to: Thing }))
router('e', (r) =>
  r.identify(Thing, { by: ({ id, count }) => `${id.text}/${count}` }).dispatch(Identified, { to: Thing }),
)
// A registration's own identity, by key or by function, with `identify` or without it.
router('f', (r) => r.dispatch(Identified, { to: Thing, identity: 'url' }))
router('g', (r) => r.identify(Thing, { by: 'text' }).dispatch(Identified, { to: Thing, identity: ({ id }) => id }))
router('h', (r) =>
  r.dispatch(Identified, {
    identity: ({ count }) => count,
    to: (_thing, { count }) => (count > 0 ? Done({}) : undefined),
    aggregate: Thing,
    beforeExecute: (_thing, { command: asked }) => (asked.data.count < 0 ? reject('negative') : undefined),
  }),
)

// Composites know the commands of all their routers, to any depth, and no others.
const things = router('things', (r) => r.identify(Thing, { by: 'text' }).dispatch(Identified, { to: Thing }))
const all = compositeRouter(accounts, things)
const outer = router('outer', (r) => r.middleware({ afterDispatch: () => undefined }).router(all))
export async function composed() {
  const opened = await outer.dispatch(OpenAccount({ accountNumber: 'A', initialBalance: 1 }))
  same<typeof opened.aggregateState, Readonly<Account>>(true)
  // @ts-expect-error not a command of this router
  await things.dispatch(OpenAccount({ accountNumber: 'A', initialBalance: 1 }))
  // @ts-expect-error no option of a dispatch
  await outer.dispatch(OpenAccount({ accountNumber: 'A', initialBalance: 1 }), { timeOut: 5 })
}

// A router is handed on as it is.
router('again', (r) => r.router(outer))
