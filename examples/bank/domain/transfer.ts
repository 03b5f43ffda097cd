import { aggregate, reject } from 'edict'
import { CompleteTransfer, FailTransfer, TransferMoney } from './commands.ts'
import { MoneyTransferFailed, MoneyTransferred, MoneyTransferRequested } from './events.ts'

interface TransferState {
  status: 'new' | 'requested' | 'completed' | 'failed'
}

/** What is asked for, and what became of it. Who moves the money is the process manager in money-transfer.ts. */
export const Transfer = aggregate('Transfer', {
  commands: [TransferMoney, CompleteTransfer, FailTransfer],
  events: [MoneyTransferRequested, MoneyTransferred, MoneyTransferFailed],

  initialState: (): TransferState => ({ status: 'new' }),

  execute: {
    TransferMoney: ({ status }, command) => {
      if (status !== 'new') return reject('transfer_already_requested')
      if (command.from === command.to) return reject('same_account')
      return MoneyTransferRequested(command)
    },
    CompleteTransfer: ({ status }, command) =>
      status === 'requested' ? MoneyTransferred(command) : reject('transfer_not_under_way'),
    FailTransfer: ({ status }, command) =>
      status === 'requested' ? MoneyTransferFailed(command) : reject('transfer_not_under_way'),
  },

  apply: {
    MoneyTransferRequested: (transfer) => {
      transfer.status = 'requested'
    },
    MoneyTransferred: (transfer) => {
      transfer.status = 'completed'
    },
    MoneyTransferFailed: (transfer) => {
      transfer.status = 'failed'
    },
  },
})
