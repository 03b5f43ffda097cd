/* eslint-disable @typescript-eslint/no-unused-vars -- values stand here for their types */
// Options of a dispatch, of a look at an aggregate and of a wait, and what a handler's dispatch knows. tsc runs this file.
import { application, eventHandler, inMemoryEventStore, router, subscribe, type ExecutionResult } from 'edict'
import { AccountOpened, BankAccount, DepositMoney, OpenAccount, Other, same } from './domain.ts'

const accounts = router('accounts', (r) =>
  r.identify(BankAccount, { by: 'accountNumber' }).dispatch([OpenAccount, DepositMoney], { to: BankAccount }),
)
const eventStore = inMemoryEventStore()
const bank = application({ name: 'bank', router: accounts, eventStore, maxDepth: 10 })
const deposit = DepositMoney({ accountNumber: 'A', amount: 5 })

await bank.dispatch(deposit, { tenant: 'acme', deadline: new Date(), expectedVersion: 1, commandId: 'c1' })
await bank.dispatch(deposit, { deadline: Date.now() + 1_000 })
// @ts-expect-error a tenant is text
await bank.dispatch(deposit, { tenant: 5 })
// @ts-expect-error nobody is said by leaving it out
await bank.dispatch(deposit, { tenant: null })
// @ts-expect-error a deadline is a Date or milliseconds
await bank.dispatch(deposit, { deadline: '2030-01-01' })
// @ts-expect-error an expected version is a number
await bank.dispatch(deposit, { expectedVersion: 'any' })
// @ts-expect-error how deep a command is, nobody says
await bank.dispatch(deposit, { depth: 5 })
// @ts-expect-error a depth is a number
application({ name: 'bank', router: accounts, eventStore, maxDepth: '10' })

const { position } = await bank.dispatch(deposit)
same<typeof position, number>(true)
await bank.waitFor(position)
await bank.waitFor(position, { handlers: ['balances'], timeout: Infinity })
// @ts-expect-error a position is a number
await bank.waitFor('5')
// @ts-expect-error handlers are a list
await bank.waitFor(5, { handlers: 'balances' })
// @ts-expect-error it is called timeout
await bank.waitFor(5, { consistencyTimeout: 5 })

const { balance } = await bank.aggregateState(BankAccount, 'A', { tenant: 'acme' })
same<typeof balance, number>(true)
await bank.aggregateVersion(BankAccount, 'A', { tenant: 'acme' })
// @ts-expect-error a tenant stands in the options
await bank.aggregateState(BankAccount, 'A', 'acme')
await eventStore.readAll({ tenant: 'acme' })
// @ts-expect-error a tenant is text
await eventStore.readAll({ tenant: 5 })
subscribe(eventStore, { tenant: 'acme', handle: () => undefined })

export const handler = eventHandler('handler', {
  events: [AccountOpened],
  handle: async (_data, recorded, { dispatch, tryDispatch, through }) => {
    same<typeof recorded.tenant, string | undefined>(true)
    const untyped = await dispatch(deposit, { tenant: 'acme' })
    same<typeof untyped, ExecutionResult>(true)
    const outcome = await tryDispatch(deposit)
    if (outcome.ok) same<typeof outcome.value, ExecutionResult>(true)
    const typed = await through(accounts).dispatch(deposit)
    same<typeof typed.aggregateState.balance, number>(true)
    const tried = await through(accounts).tryDispatch(deposit)
    if (!tried.ok && tried.error.code === 'account_not_open') same<typeof tried.error.code, 'account_not_open'>(true)
    // @ts-expect-error no command of this router
    await through(accounts).dispatch(Other({ x: '' }))
    // @ts-expect-error an event is no command
    await dispatch(AccountOpened({ accountNumber: 'A', initialBalance: 0 }))
  },
})
