import { CommandRejectedError, continueWith, processManager, retry } from 'edict'
import { CompleteTransfer, DepositMoney, FailTransfer, WithdrawMoney } from './commands.ts'
import {
  MoneyDeposited,
  MoneyTransferFailed,
  MoneyTransferred,
  MoneyTransferRequested,
  MoneyWithdrawn,
} from './events.ts'

interface TransferUnderWay {
  from: string
  to: string
  amount: number
}

const ofTransfer = ({ transferId }: { transferId?: string | undefined }) =>
  transferId === undefined ? undefined : { continue: transferId }

/**
 * Moves the money: out of the one account, into the other. Where the other one does not take it, since it was closed, say, the money
 * goes back; where that account does not take it either, the bank holds it.
 */
export const moneyTransfer = processManager('money-transfer', {
  events: [MoneyTransferRequested, MoneyWithdrawn, MoneyDeposited, MoneyTransferred, MoneyTransferFailed],

  initialState: (): TransferUnderWay => ({ from: '', to: '', amount: 0 }),

  interested: {
    MoneyTransferRequested: ({ transferId }) => ({ start: transferId }),
    MoneyWithdrawn: ofTransfer,
    MoneyDeposited: ofTransfer,
    MoneyTransferred: ({ transferId }) => ({ stop: transferId }),
    MoneyTransferFailed: ({ transferId }) => ({ stop: transferId }),
  },

  handle: {
    MoneyTransferRequested: (_state, { transferId, from, amount }) =>
      WithdrawMoney({ accountNumber: from, amount, transferId }),

    MoneyWithdrawn: ({ to }, { transferId, amount }) => DepositMoney({ accountNumber: to, amount, transferId }),

    MoneyDeposited: ({ to }, { accountNumber }, _recorded, { instanceId: transferId }) =>
      accountNumber === to
        ? CompleteTransfer({ transferId })
        : FailTransfer({ transferId, reason: 'money_not_taken', held: 0 }),
  },

  apply: {
    MoneyTransferRequested: (state, { from, to, amount }) => {
      state.from = from
      state.to = to
      state.amount = amount
    },
  },

  // A rejection is an answer, and the process goes another way; anything else passes, and is tried again.
  onError: (error, failure) => {
    if (failure.during !== 'command' || !(error instanceof CommandRejectedError)) return retry()
    const { command, state, instanceId: transferId } = failure
    const { from, amount } = state
    const { code: reason } = error
    if (WithdrawMoney.is(command)) return continueWith([FailTransfer({ transferId, reason, held: 0 })])
    if (!DepositMoney.is(command)) return retry()
    return command.data.accountNumber === from
      ? continueWith([FailTransfer({ transferId, reason, held: amount })])
      : continueWith([DepositMoney({ accountNumber: from, amount, transferId })])
  },
})
