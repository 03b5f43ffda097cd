import { event, shape } from 'edict'

// Events come out of checked commands: a shape gives them their types and costs nothing as the program runs.
export const AccountOpened = event(
  'AccountOpened',
  shape<{ accountNumber: string; owner: string; initialBalance: number }>(),
)

export const MoneyDeposited = event('MoneyDeposited', shape<{ accountNumber: string; amount: number }>())

export const MoneyWithdrawn = event('MoneyWithdrawn', shape<{ accountNumber: string; amount: number }>())

export const AccountClosed = event('AccountClosed', shape<{ accountNumber: string }>())
