import { command } from 'edict'
import { z } from 'zod'

// What every database can keep: text without NUL and without halves of characters.
const text = z.string().regex(/^[^\0\p{Cs}]*$/u, 'must hold neither NUL nor half a character')

const accountNumber = text.min(1).max(100)

// Money is counted in minor units (cents), so that no sum is ever rounded; z.int() takes safe integers only.
const amount = z.int().positive()

export const OpenAccount = command(
  'OpenAccount',
  z.object({ accountNumber, owner: text, initialBalance: z.int().nonnegative() }),
)

const transferId = text.min(1).max(100)

// A deposit or a withdrawal may be a step of a transfer, which it then names.
const booking = z.object({ accountNumber, amount, transferId: transferId.optional() })

export const DepositMoney = command('DepositMoney', booking)

export const WithdrawMoney = command('WithdrawMoney', booking)

export const CloseAccount = command('CloseAccount', z.object({ accountNumber }))

export const TransferMoney = command(
  'TransferMoney',
  z.object({ transferId, from: accountNumber, to: accountNumber, amount }),
)

export const CompleteTransfer = command('CompleteTransfer', z.object({ transferId }))

export const FailTransfer = command('FailTransfer', z.object({ transferId, reason: text, held: z.int().nonnegative() }))
