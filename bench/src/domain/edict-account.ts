import { aggregate, command, event, reject, router, shape, type Middleware } from '../edict.ts'
import { evolve, initialState, type AccountOpened as Opened, type MoneyDeposited as Deposited } from './account.ts'

export const OpenAccount = command('OpenAccount', shape<Opened>())
export const DepositMoney = command('DepositMoney', shape<Deposited>())
/** Leads to no event: it makes an account live, and stores nothing. */
export const TouchAccount = command('TouchAccount', shape<{ readonly accountNumber: string }>())
export const AccountOpened = event('AccountOpened', shape<Opened>())
export const MoneyDeposited = event('MoneyDeposited', shape<Deposited>())

const commands = [OpenAccount, DepositMoney, TouchAccount] as const
const events = [AccountOpened, MoneyDeposited] as const

/** Applies by the pure function that all contenders share. */
export const PureAccount = aggregate('BankAccount', {
  commands,
  events,
  initialState,
  execute: {
    OpenAccount: (account, data) => (account.status === 'open' ? reject('account_already_open') : AccountOpened(data)),
    DepositMoney: (account, data) => (account.status === 'new' ? reject('account_not_open') : MoneyDeposited(data)),
    TouchAccount: () => undefined,
  },
  apply: evolve,
})

/** Applies by a table that works on Immer drafts. */
export const DraftAccount = aggregate('BankAccount', {
  commands,
  events,
  initialState: () => ({ status: 'new' as 'new' | 'open', balance: 0 }),
  execute: {
    OpenAccount: (account, data) => (account.status === 'open' ? reject('account_already_open') : AccountOpened(data)),
    DepositMoney: (account, data) => (account.status === 'new' ? reject('account_not_open') : MoneyDeposited(data)),
    TouchAccount: () => undefined,
  },
  apply: {
    AccountOpened: (account, { initialBalance }) => {
      account.status = 'open'
      account.balance = initialBalance
    },
    MoneyDeposited: (account, { amount }) => {
      account.balance += amount
    },
  },
})

const identity = { by: 'accountNumber', prefix: 'bank-account-' } as const

export const pureRouter = (...middleware: readonly Middleware[]) =>
  router('bank', (bank) =>
    bank
      .middleware(...middleware)
      .identify(PureAccount, identity)
      .dispatch(commands, { to: PureAccount }),
  )

export const draftRouter = (...middleware: readonly Middleware[]) =>
  router('bank', (bank) =>
    bank
      .middleware(...middleware)
      .identify(DraftAccount, identity)
      .dispatch(commands, { to: DraftAccount }),
  )
