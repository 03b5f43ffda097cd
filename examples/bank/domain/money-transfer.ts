import { CommandRejectedError, continueWith, DeadlineExceededError, processManager, retry } from 'edict'
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

/** Whether a command was refused, and nothing of it is stored. Where nobody knows, the same command is tried again, and finds out. */
const isRefused = (error: unknown): error is CommandRejectedError | DeadlineExceededError =>
  error instanceof CommandRejectedError || (error instanceof DeadlineExceededError && error.outcome === 'not-executed')

/**
 * Moves the money: out of the one account, into the other. Where the other one does not take it, since it was closed, say, or in time, the
 * money goes back; where that account does not take it either, the bank holds it.
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

  // A refusal is an answer, and the process goes another way; anything else passes, and is tried again. What is done instead is not held
  // by the deadline of the transfer.
  onError: (error, failure) => {
    if (failure.during !== 'command' || !isRefused(error)) return retry()
    const { command, state, instanceId: transferId } = failure
    const { from, amount } = state
    const { code: reason } = error
    if (WithdrawMoney.is(command)) return continueWith([FailTransfer({ transferId, reason, held: 0 })])
    // The money is where it belongs: that is noted, however late it is.
    if (!DepositMoney.is(command)) return error instanceof DeadlineExceededError ? continueWith([command]) : retry()
    return command.data.accountNumber === from
      ? continueWith([FailTransfer({ transferId, reason, held: amount })])
      : continueWith([DepositMoney({ accountNumber: from, amount, transferId })])
  },
})
