// What the compiler knows of command handlers that load and persist. tsc runs this file; spec/types/sentences.spec.ts holds what is
// refused.
import {
  application,
  commandHandler,
  inMemoryEventStore,
  reject,
  router,
  unitOfWork,
  type AggregateRoot,
  type RecordedEvent,
  type Repository,
} from 'edict'
import {
  AccountOpened,
  BankAccount,
  DepositMoney,
  MoneyDeposited,
  OpenAccount,
  same,
  type initialState,
} from './domain.ts'

type Account = Readonly<ReturnType<typeof initialState>>

const handler = commandHandler(BankAccount, {
  commands: [OpenAccount, DepositMoney],
  handle: {
    async OpenAccount({ accountNumber, initialBalance }, context) {
      same<typeof accountNumber, string>(true)
      same<typeof repository, Repository>(true)
      context.signal satisfies AbortSignal
      context.unitOfWork.inProgress satisfies boolean
      same<typeof context.commandId, string>(true)
      const { repository } = context
      const account = await repository.create(BankAccount, accountNumber)
      same<typeof account.state, Account>(true)
      const [opened] = account.execute(OpenAccount({ accountNumber, initialBalance }))
      if (opened?.type === 'AccountOpened') same<typeof opened.data.initialBalance, number>(true)
      account.raise([AccountOpened({ accountNumber, initialBalance })])
      repository.add(account)
      return initialBalance < 0 ? reject('overdrawn') : { accountNumber }
    },
    DepositMoney: () => undefined,
  },
})

/** A repository’s root where its aggregate does not matter. */
export const describeRoot = (root: AggregateRoot) => `${root.id} at ${root.version}`

export async function units() {
  const bank = application({
    name: 'bank',
    router: router('bank', (r) =>
      r.identify(BankAccount, { by: 'accountNumber' }).dispatch([OpenAccount, DepositMoney], { to: handler }),
    ),
    eventStore: inMemoryEventStore(),
  })
  const opened = await bank.dispatch(OpenAccount({ accountNumber: 'A', initialBalance: 1 }))
  opened.reply satisfies { accountNumber: string }
  same<typeof opened.reply, { accountNumber: string }>(true)
  same<typeof opened.aggregateState, Account>(true)
  same<typeof opened.events, readonly RecordedEvent[]>(true)
  const deposited = await bank.dispatch(DepositMoney({ accountNumber: 'A', amount: 5 }))
  deposited.reply satisfies undefined

  const outcome = await bank.tryDispatch(OpenAccount({ accountNumber: 'A', initialBalance: 1 }))
  if (!outcome.ok) {
    same<
      typeof outcome.error.code,
      | 'overdrawn'
      | 'account_already_open'
      | 'account_not_open'
      | 'insufficient_funds'
      | 'aggregate_not_found'
      | 'aggregate_exists'
      | 'value_taken'
      | 'command_timeout'
      | 'consistency_timeout'
      | 'version_conflict'
    >(true)
  }

  const balance = await unitOfWork(bank, async ({ repository }) => {
    const account = await repository.find(BankAccount, 'A')
    if (account !== undefined) describeRoot(account)
    account?.raise(MoneyDeposited({ accountNumber: 'A', amount: 5 }))
    return account?.state.balance
  })
  return balance satisfies number | undefined
}
