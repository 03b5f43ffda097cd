import { command } from 'edict'
import { z } from 'zod'

const accountNumber = z.string().min(1)

// Money is counted in minor units (cents), so that no sum is ever rounded; z.int() takes safe integers only.
const amount = z.int().positive()

export const OpenAccount = command(
  'OpenAccount',
  z.object({ accountNumber, owner: z.string(), initialBalance: z.int().nonnegative() }),
)

export const DepositMoney = command('DepositMoney', z.object({ accountNumber, amount }))

export const WithdrawMoney = command('WithdrawMoney', z.object({ accountNumber, amount }))

export const CloseAccount = command('CloseAccount', z.object({ accountNumber }))
