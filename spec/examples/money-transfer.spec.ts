import { describe, expect, it } from '@jest/globals'
import { application, inMemoryEventStore, router, type HookMiddleware } from 'edict'
import { settled, testClock } from 'edict/testing'
import { BankAccount, bankRouter, moneyTransfer, OpenAccount, Transfer, TransferMoney } from '../bank/bank.ts'

describe('a money transfer whose deadline passes on its way', () => {
  it.each([
    ['is given up before the money is taken', 'WithdrawMoney', 'failed', [100, 0]],
    ['gives the money back that was taken', 'DepositMoney', 'failed', [100, 0]],
    ['is completed where the money has arrived', 'CompleteTransfer', 'completed', [70, 30]],
  ])('%s', async (_what, tooLate, status, balances) => {
    const clock = testClock()
    const deadline = clock.now() + 1_000
    const passing: HookMiddleware = {
      beforeDispatch: ({ command: { type } }) => {
        if (type === tooLate) clock.set(deadline + 1)
      },
    }
    await using bank = await application({
      name: 'late-transfers',
      router: router('late', (late) => late.middleware(passing).router(bankRouter)),
      eventStore: inMemoryEventStore({ clock }),
      clock,
      handlers: [moneyTransfer],
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    }).start()
    await bank.dispatch(OpenAccount({ accountNumber: 'A', owner: 'Åse', initialBalance: 100 }))
    await bank.dispatch(OpenAccount({ accountNumber: 'B', owner: 'Bo', initialBalance: 0 }))
    await bank.dispatch(TransferMoney({ transferId: 'T', from: 'A', to: 'B', amount: 30 }), { deadline })
    await settled(bank)

    const { balance: from } = await bank.aggregateState(BankAccount, 'A')
    const { balance: to } = await bank.aggregateState(BankAccount, 'B')
    expect([from, to]).toEqual(balances)
    expect(await bank.aggregateState(Transfer, 'T')).toEqual({ status })
    expect(await bank.processState(moneyTransfer, 'T')).toBeUndefined()
  })
})
