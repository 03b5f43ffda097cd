/** The bank account of every contender: the same state, the same rules, the same functions. */
export interface Account {
  readonly status: 'new' | 'open'
  readonly balance: number
}

// Type aliases, and not interfaces, since Emmett's constraints want an index signature of event data.
export type AccountOpened = {
  readonly accountNumber: string
  readonly initialBalance: number
}

export type MoneyDeposited = {
  readonly accountNumber: string
  readonly amount: number
}

export type AccountEvent =
  | { readonly type: 'AccountOpened'; readonly data: AccountOpened }
  | { readonly type: 'MoneyDeposited'; readonly data: MoneyDeposited }

export type AccountCommand =
  | { readonly type: 'OpenAccount'; readonly data: AccountOpened }
  | { readonly type: 'DepositMoney'; readonly data: MoneyDeposited }

export const initialState = (): Account => ({ status: 'new', balance: 0 })

export function decide(command: AccountCommand, account: Account): AccountEvent {
  switch (command.type) {
    case 'OpenAccount': {
      if (account.status === 'open') throw new Error('account_already_open')
      const { accountNumber, initialBalance } = command.data
      return { type: 'AccountOpened', data: { accountNumber, initialBalance } }
    }
    case 'DepositMoney': {
      if (account.status === 'new') throw new Error('account_not_open')
      const { accountNumber, amount } = command.data
      return { type: 'MoneyDeposited', data: { accountNumber, amount } }
    }
  }
}

/** Literals rather than a spread, which costs more than all else that the bare loop does. */
export function evolve(account: Account, event: AccountEvent): Account {
  switch (event.type) {
    case 'AccountOpened':
      return { status: 'open', balance: event.data.initialBalance }
    case 'MoneyDeposited':
      return { status: account.status, balance: account.balance + event.data.amount }
  }
}
