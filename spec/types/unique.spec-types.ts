// What the compiler knows of unique values. tsc runs this file; spec/types/sentences.spec.ts holds what is refused.
import { aggregate, application, inMemoryEventStore, router } from 'edict'
import { AccountOpened, BankAccount, DepositMoney, OpenAccount, initialState, same } from './domain.ts'

type Account = ReturnType<typeof initialState>
type Infrastructure = 'command_timeout' | 'consistency_timeout' | 'version_conflict'

const Owner = aggregate('Owner', {
  commands: [OpenAccount],
  events: [AccountOpened],
  initialState,
  execute: { OpenAccount: (_owner, data) => AccountOpened(data) },
  apply: { AccountOpened: () => undefined },
  unique: {
    balance: {
      of: (owner) => {
        same<typeof owner, Readonly<Account>>(true)
        return owner.balance
      },
      normalize: (text) => text.trim(),
    },
    status: { of: ({ status }) => (status === 'new' ? undefined : [status, 5n]), scope: 'status' },
  },
})

export async function unique() {
  const owning = application({
    name: 'owners',
    router: router('owners', (r) =>
      r
        .identify(Owner, { by: 'accountNumber', prefix: 'owner-' })
        .dispatch(OpenAccount, { to: Owner })
        .identify(BankAccount, { by: 'accountNumber' })
        .dispatch(DepositMoney, { to: BankAccount }),
    ),
    eventStore: inMemoryEventStore(),
  })
  // Who dispatches to an aggregate that has something to itself reckons with its being taken, and nobody else does.
  const opened = await owning.tryDispatch(OpenAccount({ accountNumber: 'A', initialBalance: 1 }))
  if (!opened.ok) same<typeof opened.error.code, 'value_taken' | Infrastructure>(true)
  if (!opened.ok && opened.error.code === 'value_taken') same<typeof opened.error.scope, string>(true)
  const deposited = await owning.tryDispatch(DepositMoney({ accountNumber: 'A', amount: 5 }))
  if (!deposited.ok) same<'value_taken' extends typeof deposited.error.code ? true : false, false>(true)
}
