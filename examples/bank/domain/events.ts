import { event, shape } from 'edict'

// Events come out of checked commands: a shape gives them their types and costs nothing as the program runs.
export const AccountOpened = event(
  'AccountOpened',
  shape<{ accountNumber: string; owner: string; initialBalance: number }>(),
)

// `transferId` names the transfer of which it is a step.
interface Booking {
  accountNumber: string
  amount: number
  transferId?: string | undefined
}

export const MoneyDeposited = event('MoneyDeposited', shape<Booking>())

export const MoneyWithdrawn = event('MoneyWithdrawn', shape<Booking>())

export const AccountClosed = event('AccountClosed', shape<{ accountNumber: string }>())

export const MoneyTransferRequested = event(
  'MoneyTransferRequested',
  shape<{ transferId: string; from: string; to: string; amount: number }>(),
)

export const MoneyTransferred = event('MoneyTransferred', shape<{ transferId: string }>())

/** `held` is what the bank could give to neither account, and keeps for its owner. */
export const MoneyTransferFailed = event(
  'MoneyTransferFailed',
  shape<{ transferId: string; reason: string; held: number }>(),
)
