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

export const DepositMoney = command('DepositMoney', z.object({ accountNumber, amount }))

export const WithdrawMoney = command('WithdrawMoney', z.object({ accountNumber, amount }))

export const CloseAccount = command('CloseAccount', z.object({ accountNumber }))
