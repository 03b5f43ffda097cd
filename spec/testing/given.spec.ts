import { describe, expect, it } from '@jest/globals'
import { aggregate, command, event, multi, reject, reply, shape } from 'edict'
import { given, recorded } from 'edict/testing'
import {
  AccountOpened,
  BankAccount,
  CloseAccount,
  DepositMoney,
  MoneyDeposited,
  MoneyWithdrawn,
  OpenAccount,
  WithdrawMoney,
} from '../bank/bank.ts'
import { Add, Counter, Noop } from '../support/counter.ts'
import { thrownBy } from './thrown-by.ts'

const accountNumber = 'ACC123'
const opened = AccountOpened({ accountNumber, owner: 'Ada', initialBalance: 100 })
const deposited = MoneyDeposited({ accountNumber, amount: 50 })
const withdrawn = MoneyWithdrawn({ accountNumber, amount: 150 })

const Fail = command('Fail', shape<object>())
/** An aggregate that throws what it is told to. */
const failing = (thrown: unknown) =>
  aggregate('Failing', {
    commands: [Fail],
    events: [],
    initialState: () => ({ total: 0 }),
    execute: {
      Fail: () => {
        throw thrown
      },
    },
    apply: {},
  })
const failed = (thrown: unknown) => given(failing(thrown)).when(Fail({}))

describe('given an aggregate with a past', () => {
  it('expects just the events of a command, and the state that they lead to', () => {
    given(BankAccount, [opened, deposited])
      .when(WithdrawMoney({ accountNumber, amount: 150 }))
      .then(withdrawn)
      .thenState({ status: 'open', balance: 0 })
    given(BankAccount)
      .when(OpenAccount({ accountNumber, owner: 'Ada', initialBalance: 100 }))
      .then(opened)
  })

  it('takes recorded events for the past, too', () => {
    given(BankAccount, [recorded(opened), recorded(deposited, { position: 2 })])
      .when(WithdrawMoney({ accountNumber, amount: 151 }))
      .thenRejects('insufficient_funds')
  })

  it('expects a rejection, by its code and, where they are said, its details', () => {
    const rejected = given(Counter).when(Add({ id: 'a', by: -1 }))
    rejected.thenRejects('negative')
    rejected.thenRejects('negative', { by: -1 })
    rejected.thenState({ total: 0 })
  })

  it('expects nothing', () => {
    given(Counter)
      .when(Noop({ id: 'a' }))
      .thenNothing()
      .thenState({ total: 0 })
  })

  it('expects an exception, by its class, a text, a pattern or a code', () => {
    const outcome = failed(new RangeError('out of paper'))
    outcome.thenThrows()
    outcome.thenThrows(RangeError)
    outcome.thenThrows('of paper')
    outcome.thenThrows(/^out/)
    const Start = command('Start', shape<object>())
    const garbage = aggregate('Garbage', {
      commands: [Start],
      events: [],
      initialState: () => 0,
      // The compiler refuses it, too.
      execute: { Start: (() => 'garbage') as never },
      apply: {},
    })
    given(garbage).when(Start({})).thenThrows({ code: 'invalid_outcome' })
  })

  it('runs the steps of a multi, and fixes what a test does not say of the context', () => {
    const Spend = command('Spend', shape<{ times: number }>())
    const Spent = event('Spent', shape<{ at: string }>())
    const Purse = aggregate('Purse', {
      commands: [Spend],
      events: [Spent],
      initialState: () => ({ left: 2 }),
      execute: {
        Spend: (purse, { times }, { now }) =>
          multi(purse).reduce(Array.from({ length: times }), ({ left }) =>
            left === 0 ? reject('empty') : Spent({ at: now.toISOString() }),
          ),
      },
      apply: {
        Spent: (purse) => {
          purse.left -= 1
        },
      },
    })
    const at = '1970-01-01T00:00:00.000Z'
    given(Purse)
      .when(Spend({ times: 2 }))
      .then(Spent({ at }), Spent({ at }))
      .thenState({ left: 0 })
    given(Purse)
      .when(Spend({ times: 3 }))
      .thenRejects('empty')
    given(Purse)
      .when(Spend({ times: 1 }), { now: new Date('2026-01-01') })
      .then(Spent({ at: '2026-01-01T00:00:00.000Z' }))
  })

  it('refuses a command or an event of another aggregate', async () => {
    expect(
      await thrownBy(() => given(Counter).when(DepositMoney({ accountNumber, amount: 5 }) as never)),
    ).toMatchObject({
      code: 'unregistered_command',
    })
    expect(await thrownBy(() => given(Counter, [opened] as never))).toMatchObject({ code: 'unreadable_event' })
    for (const slip of [() => given({} as never), () => given(undefined as never), () => given(Counter, {} as never)]) {
      expect(await thrownBy(slip)).toMatchObject({ code: 'invalid_definition' })
    }
  })
})

describe('an expectation that is not met', () => {
  const outcome = () => given(BankAccount, [opened]).when(DepositMoney({ accountNumber, amount: 50 }))

  it('is a failed assertion, which shows what differs', async () => {
    const error = await thrownBy(() => outcome().then(MoneyDeposited({ accountNumber, amount: 49 })))
    expect(error).toMatchObject({
      name: 'AssertionError',
      code: 'ERR_ASSERTION',
      expected: [{ type: 'MoneyDeposited', data: { accountNumber, amount: 49 } }],
      actual: [{ type: 'MoneyDeposited', data: { accountNumber, amount: 50 } }],
    })
    expect(error?.message).toBe(
      [
        'DepositMoney to BankAccount led to other events',
        '',
        '- expected',
        '+ actual',
        '',
        '  …',
        '    {',
        '      data: {',
        '        accountNumber: "ACC123",',
        '-       amount: 49,',
        '+       amount: 50,',
        '      },',
        '      type: "MoneyDeposited",',
        '    },',
        '  …',
      ].join('\n'),
    )
  })

  it.each<[string, () => unknown, RegExp]>([
    ['no event was expected', () => outcome().thenNothing(), /led to other events/],
    ['an event is missing', () => outcome().then(deposited, deposited), /led to other events/],
    [
      'a rejection was expected',
      () => outcome().thenRejects('account_closed'),
      /expected to be rejected .* led to MoneyD/,
    ],
    ['an exception was expected', () => outcome().thenThrows(), /was expected to throw, but led to MoneyDeposited/],
    ['another state was expected', () => outcome().thenState({ status: 'open', balance: 151 }), /led to another state/],
    [
      'another code was expected',
      () => given(BankAccount).when(CloseAccount({ accountNumber })).thenRejects('account_closed'),
      /was rejected otherwise/,
    ],
    [
      'other details were expected',
      () =>
        given(Counter)
          .when(Add({ id: 'a', by: -1 }))
          .thenRejects('negative', { by: -2 }),
      /was rejected otherwise/,
    ],
    [
      'events were expected of a rejection',
      () => given(BankAccount).when(CloseAccount({ accountNumber })).then(),
      /expected to lead to events, but was rejected with account_not_open/,
    ],
    ['events were expected of an exception', () => failed(new Error('poison')).then(), /but threw: poison/],
    [
      'a state was expected of an exception',
      () => failed(new Error('poison')).thenState({ total: 0 }),
      /expected to lead to a state, but threw: poison/,
    ],
    ['another exception was expected', () => failed(new Error('poison')).thenThrows(RangeError), /threw another error/],
  ])('says so where %s', async (_what, expectation, message) => {
    const error = await thrownBy(expectation)
    expect(error?.name).toBe('AssertionError')
    expect(error?.message).toMatch(message)
  })

  it('carries an exception as its cause', async () => {
    const poison = new Error('poison')
    const error = await thrownBy(() => failed(poison).then())
    expect(error?.cause).toBe(poison)
  })

  it('is also what a test is told that returns an outcome of which it expects nothing', async () => {
    const error = await thrownBy(outcome)
    expect(error?.message).toMatch(/nothing was expected of DepositMoney to BankAccount: end with then/)
  })

  it('compares values of every kind that a message may hold', async () => {
    const Kept = event('Kept', shape<{ value: unknown }>())
    const Keep = command('Keep', shape<{ value: unknown }>())
    const Keeper = aggregate('Keeper', {
      commands: [Keep],
      events: [Kept],
      initialState: () => 0,
      execute: { Keep: (_state, data) => Kept(data) },
      apply: { Kept: () => 1 },
    })
    const values = [
      [1, 2],
      [0, -0],
      [1n, 2n],
      ['1', 1],
      [new Date(1), new Date(2)],
      [new Map([['a', 1]]), new Map([['a', 2]])],
      [new Set([1]), new Set([2])],
      [Uint8Array.of(1), Uint8Array.of(2)],
      [[1], { 0: 1 }],
      [{ a: undefined }, {}],
      [null, undefined],
    ]
    for (const [value, other] of values) {
      given(Keeper).when(Keep({ value })).then(Kept({ value }))
      expect(
        await thrownBy(() =>
          given(Keeper)
            .when(Keep({ value }))
            .then(Kept({ value: other })),
        ),
      ).toBeInstanceOf(Error)
    }
  })
})

describe('given a command handler with its aggregate', () => {
  const handler = async (account: { readonly balance: number }, { amount }: { readonly amount: number }) => {
    await Promise.resolve()
    if (amount > 1_000) return reject('too_much', { amount })
    if (amount === 13) throw new RangeError('bad luck')
    return reply({ before: account.balance }, MoneyDeposited({ accountNumber, amount }))
  }
  const subject = { to: handler, aggregate: BankAccount }

  it('expects events, a state, a reply, a rejection and an exception, each as a promise', async () => {
    const outcome = given(subject, [opened]).when(DepositMoney({ accountNumber, amount: 50 }))
    await outcome.then(deposited)
    await outcome.thenState({ status: 'open', balance: 150 })
    await outcome.thenReplies({ before: 100 })
    await given(subject)
      .when(DepositMoney({ accountNumber, amount: 1_001 }))
      .thenRejects('too_much', { amount: 1_001 })
    await given(subject)
      .when(DepositMoney({ accountNumber, amount: 13 }))
      .thenThrows(RangeError)
  })

  it('rejects where an expectation is not met', async () => {
    const outcome = given(subject, [opened]).when(DepositMoney({ accountNumber, amount: 50 }))
    for (const expectation of [
      () => outcome.then(),
      () => outcome.thenNothing(),
      () => outcome.thenRejects('too_much'),
      () => outcome.thenThrows(),
      () => outcome.thenState({ status: 'open', balance: 1 }),
      () => outcome.thenReplies({ before: 1 }),
      () => outcome,
    ]) {
      expect(await thrownBy(expectation)).toMatchObject({ name: 'AssertionError' })
    }
  })

  it('takes a table of them, and what the registration runs before', async () => {
    const table = {
      aggregate: BankAccount,
      to: {
        DepositMoney: (_account: object, { amount }: { amount: number }) => MoneyDeposited({ accountNumber, amount }),
        CloseAccount: (_account: object, _data: { accountNumber: string }) => undefined,
      },
      beforeExecute: ({ status }: { status: string }) => (status === 'new' ? reject('account_not_open') : undefined),
    }
    await given(table, [opened])
      .when(DepositMoney({ accountNumber, amount: 50 }))
      .then(deposited)
    await given(table, [opened]).when(CloseAccount({ accountNumber })).thenNothing()
    const refused = await thrownBy(() => given(table).when(CloseAccount({ accountNumber })).thenNothing())
    expect(refused?.message).toMatch(/rejected with account_not_open/)
  })
})
