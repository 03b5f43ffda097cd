/* eslint-disable @typescript-eslint/no-unnecessary-type-assertion -- the sample reads as its design did */
// The sample that the public API was designed with, as users write it: it must go on compiling just so. tsc runs this file.
import {
  aggregate,
  application,
  command,
  compositeRouter,
  event,
  eventHandler,
  inMemoryEventStore,
  multi,
  reject,
  router,
  shape,
} from 'edict'
import { z } from 'zod'

const OpenAccount = command('OpenAccount', z.object({ accountNumber: z.string(), initialBalance: z.number() }))
const DepositMoney = command('DepositMoney', z.object({ accountNumber: z.string(), amount: z.number().positive() }))
const WithdrawMoney = command('WithdrawMoney', z.object({ accountNumber: z.string(), amount: z.number().positive() }))
const AccountOpened = event('AccountOpened', shape<{ accountNumber: string; initialBalance: number }>())
const MoneyDeposited = event('MoneyDeposited', shape<{ accountNumber: string; amount: number }>())
const MoneyWithdrawn = event('MoneyWithdrawn', shape<{ accountNumber: string; amount: number }>())

const BankAccount = aggregate('BankAccount', {
  commands: [OpenAccount, DepositMoney, WithdrawMoney],
  events: [AccountOpened, MoneyDeposited, MoneyWithdrawn],
  initialState: () => ({ status: 'new' as 'new' | 'open', balance: 0 }),
  execute: {
    OpenAccount: (account, command) =>
      account.status === 'open' ? reject('account_already_open') : AccountOpened(command),
    DepositMoney: (account, command) =>
      account.status === 'new' ? reject('account_not_open') : MoneyDeposited(command),
    WithdrawMoney: (account, command) =>
      multi(account)
        .execute(() => MoneyWithdrawn(command))
        .execute((after) => (after.balance < 0 ? reject('insufficient_funds') : undefined)),
  },
  apply: {
    AccountOpened: (account, { initialBalance }) => {
      account.status = 'open'
      account.balance = initialBalance
    },
    MoneyDeposited: (account, { amount }) => {
      account.balance += amount
    },
    MoneyWithdrawn: (account, { amount }) => {
      account.balance -= amount
    },
  },
})

const bankRouter = router('bank', (bank) =>
  bank
    .middleware(
      async (pipeline, next) => {
        pipeline.assign('at', 1)
        await next()
      },
      {
        beforeDispatch(pipeline) {
          if (pipeline.metadata['blocked']) pipeline.halt()
        },
      },
    )
    .identify(BankAccount, { by: 'accountNumber', prefix: 'bank-account-' })
    .dispatch([OpenAccount, DepositMoney], { to: BankAccount })
    .dispatch(WithdrawMoney, {
      to: async (account, { amount }, { signal }) =>
        account.balance > amount && !signal.aborted ? MoneyWithdrawn({ accountNumber: 'x', amount }) : reject('no'),
      aggregate: BankAccount,
      timeout: 1_000,
    }),
)

const Ping = command('Ping', shape<{ id: string }>())
const Pinged = event('Pinged', shape<{ id: string }>())
const Pinger = aggregate('Pinger', {
  commands: [Ping],
  events: [Pinged],
  initialState: () => ({}),
  execute: { Ping: (_pinger, command) => Pinged(command) },
  apply: { Pinged: () => {} },
})
const transferRouter = router('t', (t) => t.identify(Pinger, { by: 'id' }).dispatch(Ping, { to: Pinger }))
const nested = router('app', (app) =>
  app
    .middleware(async (_pipeline, next) => next())
    .router(bankRouter)
    .router(transferRouter),
)

const balances = new Map<string, number>()
const accountBalances = eventHandler('account-balances', {
  events: [AccountOpened, MoneyDeposited],
  consistency: 'strong',
  handle: {
    AccountOpened: ({ accountNumber, initialBalance }) => {
      balances.set(accountNumber, initialBalance)
    },
    MoneyDeposited: ({ accountNumber, amount }, recorded) => {
      balances.set(accountNumber, amount + recorded.streamVersion)
    },
  },
})

await using bank = application({
  name: 'bank',
  router: compositeRouter(bankRouter, transferRouter),
  eventStore: inMemoryEventStore(),
  handlers: [accountBalances],
})
await bank.start()

const opened = await bankRouter.dispatch(OpenAccount({ accountNumber: 'A', initialBalance: 1 }), {
  consistency: 'strong',
})
const status: 'new' | 'open' = opened.aggregateState.status
const { aggregateVersion, events, aggregateState } = await bank.dispatch(
  DepositMoney({ accountNumber: 'ACC123', amount: 5 }),
)
const outcome = await bank.tryDispatch(DepositMoney({ accountNumber: 'x', amount: 5 }))
if (!outcome.ok) {
  const code: 'account_not_open' | 'command_timeout' | 'consistency_timeout' | 'version_conflict' = outcome.error.code
  console.log(code)
}

const Other = command('Other', shape<{ x: string }>())
// @ts-expect-error not registered
await bankRouter.dispatch(Other({ x: '' }))
// @ts-expect-error no such identity key
router('x', (x) => x.identify(BankAccount, { by: 'nope' }).dispatch([OpenAccount], { to: BankAccount }))
// @ts-expect-error identify forgotten
router('x', (x) => x.dispatch([OpenAccount], { to: BankAccount }))
// @ts-expect-error identify forgotten, one command
router('x', (x) => x.dispatch(OpenAccount, { to: BankAccount }))
// @ts-expect-error not a command of this aggregate
router('x', (x) => x.identify(BankAccount, { by: 'accountNumber' }).dispatch([Other], { to: BankAccount }))
await nested.dispatch(Ping({ id: 'x' }))
export { status, aggregateVersion, events, aggregateState }
