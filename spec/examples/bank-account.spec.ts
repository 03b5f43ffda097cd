import { describe, expect, it } from '@jest/globals'
import {
  AccountClosed,
  AccountOpened,
  BankAccount,
  CloseAccount,
  DepositMoney,
  MoneyDeposited,
  MoneyWithdrawn,
  OpenAccount,
  WithdrawMoney,
} from '../bank/bank.ts'

const accountNumber = 'NO-1'
const opened = AccountOpened({ accountNumber, owner: 'Åse Dahl', initialBalance: 100 })
const isNew = BankAccount.initialState()
const isOpen = BankAccount.fold(undefined, [opened])
const isEmpty = BankAccount.fold(isOpen, [MoneyWithdrawn({ accountNumber, amount: 100 })])
const isClosed = BankAccount.fold(isEmpty, [AccountClosed({ accountNumber })])

const open = OpenAccount({ accountNumber, owner: 'Åse Dahl', initialBalance: 100 })
const deposit = DepositMoney({ accountNumber, amount: 5 })
const withdraw = WithdrawMoney({ accountNumber, amount: 5 })
const close = CloseAccount({ accountNumber })

const rejected = (code: string) => expect.objectContaining({ code })

describe('a bank account', () => {
  it('is opened once', () => {
    expect(BankAccount.decide(isNew, open)).toEqual([opened])
    expect(BankAccount.decide(isOpen, open)).toEqual(rejected('account_already_open'))
    expect(BankAccount.decide(isClosed, open)).toEqual(rejected('account_closed'))
  })

  it('takes deposits while it is open', () => {
    expect(BankAccount.decide(isOpen, deposit)).toEqual([MoneyDeposited({ accountNumber, amount: 5 })])
    expect(BankAccount.decide(isNew, deposit)).toEqual(rejected('account_not_open'))
    expect(BankAccount.decide(isClosed, deposit)).toEqual(rejected('account_closed'))
  })

  it('never holds more than can be counted exactly', () => {
    const most = DepositMoney({ accountNumber, amount: Number.MAX_SAFE_INTEGER - 100 })
    const tooMuch = DepositMoney({ accountNumber, amount: Number.MAX_SAFE_INTEGER - 99 })
    expect(BankAccount.decide(isOpen, most)).toHaveLength(1)
    expect(BankAccount.decide(isOpen, tooMuch)).toEqual(rejected('balance_too_large'))
    expect(BankAccount.decide(isNew, tooMuch)).toEqual(rejected('account_not_open'))
  })

  it('gives out what it holds, to the last cent', () => {
    const all = WithdrawMoney({ accountNumber, amount: 100 })
    const more = WithdrawMoney({ accountNumber, amount: 101 })
    expect(BankAccount.decide(isOpen, all)).toEqual([MoneyWithdrawn({ accountNumber, amount: 100 })])
    expect(BankAccount.decide(isOpen, more)).toEqual(rejected('insufficient_funds'))
    expect(BankAccount.decide(isNew, withdraw)).toEqual(rejected('account_not_open'))
    expect(BankAccount.decide(isClosed, withdraw)).toEqual(rejected('account_closed'))
  })

  it('is closed when it is empty', () => {
    expect(BankAccount.decide(isEmpty, close)).toEqual([AccountClosed({ accountNumber })])
    expect(BankAccount.decide(isOpen, close)).toEqual(rejected('account_not_empty'))
    expect(BankAccount.decide(isNew, close)).toEqual(rejected('account_not_open'))
    expect(BankAccount.decide(isClosed, close)).toEqual(rejected('account_closed'))
  })
})

describe("the bank's commands", () => {
  it.each([0, -1, 0.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN, Infinity, '5', null, 5n])(
    'refuse an amount of %p',
    (amount) => {
      expect(DepositMoney.safe({ accountNumber, amount })).toMatchObject({ ok: false })
      expect(WithdrawMoney.safe({ accountNumber, amount })).toMatchObject({ ok: false })
    },
  )

  it('let an account be opened with nothing, and not with less', () => {
    expect(OpenAccount.safe({ accountNumber, owner: 'Åse', initialBalance: 0 })).toMatchObject({ ok: true })
    expect(OpenAccount.safe({ accountNumber, owner: 'Åse', initialBalance: -1 })).toMatchObject({ ok: false })
  })

  it('refuse what is missing or empty', () => {
    expect(OpenAccount.safe({ accountNumber, initialBalance: 0 })).toMatchObject({ ok: false })
    expect(CloseAccount.safe({})).toMatchObject({ ok: false })
    expect(CloseAccount.safe({ accountNumber: '' })).toMatchObject({ ok: false })
    expect(CloseAccount.safe(undefined)).toMatchObject({ ok: false })
  })
})
