import { router } from 'edict'
import { BankAccount } from './bank-account.ts'
import { CloseAccount, DepositMoney, OpenAccount, WithdrawMoney } from './commands.ts'

export const bankRouter = router('bank', (bank) =>
  bank
    .identify(BankAccount, { by: 'accountNumber', prefix: 'bank-account-' })
    .dispatch([OpenAccount, DepositMoney, WithdrawMoney, CloseAccount], { to: BankAccount }),
)
