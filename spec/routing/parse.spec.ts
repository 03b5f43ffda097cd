import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { aggregate, command, EdictError, router } from 'edict'
import { z } from 'zod'
import { DepositMoney, bankRouter } from '../bank/bank.ts'

const deposit = { type: 'DepositMoney', data: { accountNumber: 'ACC123', amount: 5 } }

describe('parse', () => {
  it('turns untrusted input into a command of the router', () => {
    const parsed = bankRouter.parse(JSON.parse(JSON.stringify(deposit)))
    expect(DepositMoney.is(parsed)).toBe(true)
    expect(parsed).toEqual(DepositMoney(deposit.data))
  })

  it('throws every issue of the data', () => {
    const parsing = () => bankRouter.parse({ type: 'DepositMoney', data: { amount: -1 } })
    expect(parsing).toThrow(expect.objectContaining({ code: 'invalid_message', messageType: 'DepositMoney' }))
    expect(bankRouter.safeParse({ type: 'DepositMoney', data: { amount: -1 } })).toMatchObject({
      ok: false,
      error: { issues: [{ path: ['accountNumber'] }, { path: ['amount'] }] },
    })
  })

  it.each(['Unknown', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'throws for the type %p, which it does not have',
    (type) => {
      expect(() => bankRouter.parse({ type, data: {} })).toThrow(
        expect.objectContaining({ code: 'unregistered_command' }),
      )
    },
  )

  it('does not repeat a type of any length', () => {
    const parsed = bankRouter.safeParse({ type: 'x'.repeat(1_000_000) })
    expect(parsed.ok ? '' : parsed.error.message.length).toBeLessThan(500)
  })

  it.each([
    undefined,
    null,
    5,
    'DepositMoney',
    [],
    [deposit],
    {},
    { type: 5 },
    { type: null },
    () => deposit,
    Symbol('x'),
  ])('throws for %p, which is no command at all', (input) => {
    expect(() => bankRouter.parse(input)).toThrow(expect.objectContaining({ code: 'invalid_message' }))
  })

  it('throws its own error for input that throws when it is read', () => {
    const trap = {
      get type(): string {
        throw new RangeError('boo')
      },
    }
    const thrower = new Proxy(
      {},
      {
        get: () => {
          throw new RangeError('boo')
        },
      },
    )
    const data = {
      get amount(): number {
        throw new RangeError('boo')
      },
    }
    for (const input of [trap, thrower, { type: 'DepositMoney', data }]) {
      expect(() => bankRouter.parse(input)).toThrow(expect.objectContaining({ code: 'invalid_message' }))
    }
  })

  it('never gives, and never throws, anything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.record({ type: fc.constant('DepositMoney'), data: fc.anything() })),
        (input) => {
          const parsed = bankRouter.safeParse(input)
          if (parsed.ok) return DepositMoney.is(parsed.value)
          return parsed.error instanceof EdictError
        },
      ),
    )
  })

  it('gives a command that is one already as it is, and checks nothing twice', () => {
    let checked = 0
    const Count = command('Count', z.object({ id: z.string().transform((id) => `${id}${++checked}`) }))
    const Counted = aggregate('Counted', {
      commands: [Count],
      events: [],
      initialState: () => 0,
      execute: () => undefined,
      apply: {},
    })
    const counted = router('counted', (r) => r.identify(Counted, { by: 'id' }).dispatch(Count, { to: Counted }))
    const made = Count({ id: 'a' })
    expect(counted.parse(made)).toBe(made)
    expect(checked).toBe(1)
  })
})
