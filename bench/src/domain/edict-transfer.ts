import { aggregate, command, event, processManager, router, shape } from '../edict.ts'

// The money transfer, with an account and a transfer that have no rules: four commands and four events for each transfer.

const Request = command('Request', shape<{ id: string; from: string; to: string; amount: number }>())
const Complete = command('Complete', shape<{ id: string }>())
const Move = command('Move', shape<{ account: string; amount: number; transfer: string }>())

const Requested = event('Requested', shape<{ id: string; from: string; to: string; amount: number }>())
const Completed = event('Completed', shape<{ id: string }>())
const Moved = event('Moved', shape<{ account: string; amount: number; transfer: string }>())

const Transfer = aggregate('Transfer', {
  commands: [Request, Complete],
  events: [Requested, Completed],
  initialState: () => ({ isDone: false }),
  execute: { Request: (_transfer, data) => Requested(data), Complete: (_transfer, data) => Completed(data) },
  apply: (_state, { type }) => ({ isDone: type === 'Completed' }),
})

const Account = aggregate('Account', {
  commands: [Move],
  events: [Moved],
  initialState: () => ({ balance: 0 }),
  execute: { Move: (_account, data) => Moved(data) },
  apply: ({ balance }, { data }) => ({ balance: balance + data.amount }),
})

const transferRouter = router('transfers', (transfers) =>
  transfers
    .identify(Transfer, { by: 'id', prefix: 'transfer-' })
    .dispatch([Request, Complete], { to: Transfer })
    .identify(Account, { by: 'account', prefix: 'account-' })
    .dispatch(Move, { to: Account }),
)

/** `ends`: instances stop when their transfer is complete; else they stay, as those of a process that lasts for years. */
const transferManager = (ends: boolean) =>
  processManager('transfers', {
    events: [Requested, Moved, Completed],
    consistency: 'strong',
    initialState: () => ({ to: '', steps: 0 }),
    interested: {
      Requested: ({ id }) => ({ start: id }),
      Moved: ({ transfer }) => ({ continue: transfer }),
      Completed: ({ id }) => (ends ? { stop: id } : { continue: id }),
    },
    handle: {
      Requested: (_state, { id, from, amount }) => Move({ account: from, amount: -amount, transfer: id }),
      Moved: ({ to }, { amount, transfer }) =>
        amount < 0 ? Move({ account: to, amount: -amount, transfer }) : Complete({ id: transfer }),
    },
    apply: (state, { type, data }) =>
      type === 'Requested' && 'to' in data ? { to: data.to, steps: 1 } : { to: state.to, steps: state.steps + 1 },
  })

export { Account, Completed, Request, transferManager, transferRouter }
