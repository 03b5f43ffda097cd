import { router } from 'edict'
import { BankAccount } from './bank-account.ts'
import {
  CloseAccount,
  CompleteTransfer,
  DepositMoney,
  FailTransfer,
  OpenAccount,
  TransferMoney,
  WithdrawMoney,
} from './commands.ts'
import { Transfer } from './transfer.ts'

export const bankRouter = router('bank', (bank) =>
  bank
    .identify(BankAccount, { by: 'accountNumber', prefix: 'bank-account-' })
    .dispatch([OpenAccount, DepositMoney, WithdrawMoney, CloseAccount], { to: BankAccount })
    .identify(Transfer, { by: 'transferId', prefix: 'bank-transfer-' })
    .dispatch([TransferMoney, CompleteTransfer, FailTransfer], { to: Transfer }),
)
