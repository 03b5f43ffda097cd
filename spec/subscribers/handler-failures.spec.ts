import { describe, expect, it } from '@jest/globals'
import { LONGEST_TIMER_MS, type Clock } from '../../lib/effects/clock.ts'
import { eventHandler } from '../../lib/subscribers/event-handler.ts'
import { retry, skip, stop } from '../../lib/subscribers/error-action.ts'
import { turn, until } from '../event-store/subscription-harness.ts'
import { MoneyDeposited, surroundings } from './runner-harness.ts'

const hostile = {
  toString() {
    throw new Error('no text')
  },
  toJSON() {
    throw new Error('no JSON')
  },
  get [Symbol.toStringTag]() {
    throw new Error('no tag')
  },
}

/** Ways in which a handler fails, each at the first attempt only. */
const failures: [string, () => unknown][] = [
  [
    'throws an error',
    () => {
      throw new Error('thrown')
    },
  ],
  [
    'throws undefined',
    () => {
      throw undefined
    },
  ],
  [
    'throws null',
    () => {
      throw null
    },
  ],
  [
    'throws a value without a text',
    () => {
      throw hostile
    },
  ],
  ['rejects', () => Promise.reject(new Error('rejected'))],
  ['rejects with undefined', () => Promise.reject(undefined)],
  ['returns a thenable that rejects', () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject('no') })],
  [
    'returns a thenable whose then throws',
    () => ({
      then: () => {
        throw new Error('then')
      },
    }),
  ],
  [
    'returns a thenable whose then cannot be got',
    () => ({
      get then() {
        throw new Error('getter')
      },
    }),
  ],
  [
    'returns a thenable that rejects and resolves',
    () => ({
      then: (resolve: () => void, reject: (error: unknown) => void) => {
        reject('first')
        resolve()
      },
    }),
  ],
]

describe('an event handler that fails', () => {
  it.each(failures)('gets the event again, and disturbs nobody else: it %s', async (_, fail) => {
    const { clock, deposited, runner } = await surroundings()
    const seen: number[] = []
    const neighbour: number[] = []
    let first = true
    const failing = runner(
      eventHandler('failing', {
        events: [MoneyDeposited],
        handle: (({ amount }: { amount: number }) => {
          if (first) {
            first = false
            return fail()
          }
          return void seen.push(amount)
        }) as never,
      }),
    )
    const other = runner(
      eventHandler('other', { events: [MoneyDeposited], handle: ({ amount }) => void neighbour.push(amount) }),
    )
    await failing.start()
    await other.start()
    deposited(1)
    deposited(2)
    await until(() => neighbour.length === 2)
    await until(() => failing.state === 'retrying')
    expect([seen, failing.failures]).toEqual([[], 1])
    await clock.advance(1_000)
    expect([seen, failing.state, failing.failures]).toEqual([[1, 2], 'live', 0])
    await Promise.all([failing.stop(), other.stop()])
  })

  it('takes a thenable that resolves twice for one success', async () => {
    const { deposited, runner } = await surroundings()
    const running = runner(
      eventHandler('twice', {
        events: [MoneyDeposited],
        handle: (() => ({
          then: (resolve: () => void, reject: () => void) => {
            resolve()
            resolve()
            reject()
          },
        })) as never,
      }),
    )
    await running.start()
    deposited()
    await until(() => running.position === 1)
    expect(running.state).toBe('live')
    await running.stop()
  })

  it('holds up only itself when it never settles', async () => {
    const { clock, deposited, runner } = await surroundings()
    const neighbour: number[] = []
    const stuck = runner(
      eventHandler('stuck', { events: [MoneyDeposited], handle: (() => ({ then: () => {} })) as never }),
    )
    const other = runner(
      eventHandler('other', { events: [MoneyDeposited], handle: ({ amount }) => void neighbour.push(amount) }),
    )
    await stuck.start()
    await other.start()
    for (let amount = 0; amount < 3_000; amount++) deposited(amount)
    await until(() => neighbour.length === 3_000)
    const stopped = stuck.stop()
    await clock.advance(5_000)
    await Promise.all([stopped, other.stop()])
  })

  it('waits longer with each failure, then is stopped with a loud error, before the event', async () => {
    const { board, clock, store, logger, deposited, runner } = await surroundings()
    const attempts: [number, number][] = []
    const poison = new Error('poison')
    const running = runner(
      eventHandler('balances', {
        events: [MoneyDeposited],
        consistency: 'strong',
        handle: (_data, _recorded, { attempt }) => {
          attempts.push([attempt, clock.now()])
          throw poison
        },
      }),
      { retryPolicy: { base: 100, longest: 1_000, attempts: 6 } },
    )
    await running.start()
    const position = deposited()
    const waiting = board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), Infinity)
    await clock.advance(60_000)
    expect(attempts.map(([attempt]) => attempt)).toEqual([1, 2, 3, 4, 5, 6])
    expect(attempts.map(([, at], index) => at - (attempts[index - 1]?.[1] ?? at))).toEqual([
      0, 100, 400, 900, 1_000, 1_000,
    ])
    expect([running.state, running.lastError, running.position, running.lag]).toEqual(['failed', poison, 0, 1])
    expect(await waiting).toEqual(['balances'])
    expect(logger.lines.at(-1)).toMatchObject({
      level: 'error',
      message:
        'the handler balances failed at MoneyDeposited, position 1: it is STOPPED until it is started again: poison',
      fields: { handler: 'balances', application: 'bank', error: poison, position: 1, type: 'MoneyDeposited' },
    })
    expect(await store.readCheckpoint('balances')).toMatchObject({ position: 0 })
  })

  it('may be started again after it failed, and gets the event again', async () => {
    const { board, clock, deposited, runner } = await surroundings()
    let poisoned = true
    const running = runner(
      eventHandler('balances', {
        events: [MoneyDeposited],
        consistency: 'strong',
        handle: () => {
          if (poisoned) throw new Error('poison')
        },
        onError: () => stop(),
      }),
    )
    await running.start()
    const position = deposited()
    await until(() => running.state === 'failed')
    await turn()
    poisoned = false
    await running.start()
    expect([running.state, running.position]).toEqual(['live', 1])
    expect(board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), 100)).toEqual([])
    await running.stop()
    expect(clock.timers).toBe(0)
  })

  it('stops its waiting for the next attempt at once when it is stopped', async () => {
    const { clock, deposited, runner } = await surroundings()
    const running = runner(
      eventHandler('balances', { events: [MoneyDeposited], handle: () => Promise.reject(new Error('no')) }),
    )
    await running.start()
    deposited()
    await until(() => running.state === 'retrying')
    await running.stop()
    expect([running.state, running.position, clock.timers]).toEqual(['stopped', 0, 0])
  })
})

describe('onError', () => {
  it('is told of error, event and count, and may say when the next attempt comes', async () => {
    const { clock, deposited, runner } = await surroundings()
    const told: unknown[] = []
    const running = runner(
      eventHandler('balances', {
        events: [MoneyDeposited],
        handle: (_data, _recorded, { attempt }) => {
          if (attempt < 4) throw `failure ${attempt}`
        },
        onError: (error, recorded, context) => {
          told.push([error, recorded.position, context])
          return context.failures === 1 ? retry({ after: 5 }) : Promise.resolve(retry({ after: 0 }))
        },
      }),
    )
    await running.start()
    deposited()
    await clock.advance(4)
    expect(told).toHaveLength(1)
    await clock.advance(1)
    const context = { handlerName: 'balances', application: 'bank' }
    expect(told).toEqual([1, 2, 3].map((failures) => [`failure ${failures}`, 1, { ...context, failures, assigns: {} }]))
    expect(running.position).toBe(1)
    await running.stop()
  })

  it('may put the next attempt off for longer than a timer can count', async () => {
    const { clock, deposited, runner } = await surroundings()
    const waits: number[] = []
    const recording: Clock = {
      now: () => clock.now(),
      setTimeout: (callback, milliseconds) => {
        waits.push(milliseconds)
        return clock.setTimeout(callback, milliseconds)
      },
      clearTimeout: (handle) => {
        clock.clearTimeout(handle)
      },
    }
    const handler = eventHandler('balances', {
      events: [MoneyDeposited],
      handle: () => Promise.reject(new Error('always')),
      onError: () => retry({ after: 2 ** 40 }),
    })
    const running = runner(handler, { clock: recording })
    await running.start()
    deposited()
    await until(() => running.state === 'retrying')
    expect(Math.max(...waits)).toBe(LONGEST_TIMER_MS)
    await running.stop()
    expect(running.state).toBe('stopped')
  })

  it('may skip the event, which counts as handled', async () => {
    const { board, deposited, runner } = await surroundings()
    const seen: number[] = []
    const running = runner(
      eventHandler('balances', {
        events: [MoneyDeposited],
        consistency: 'strong',
        handle: ({ amount }) => {
          if (amount === 1) throw new Error('poison')
          seen.push(amount)
        },
        onError: () => skip(),
      }),
    )
    await running.start()
    const position = deposited(1)
    expect(await board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), Infinity)).toEqual([])
    deposited(2)
    await until(() => seen.length === 1)
    expect(running.state).toBe('live')
    await running.stop()
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('onError itself')
      },
    ],
    ['rejects', () => Promise.reject(new Error('onError itself'))],
    ['gives nothing', () => undefined],
    ['gives garbage', () => 'retry'],
    ['gives a look-alike', () => ({ action: 'skip' })],
    ['asks for a nonsensical wait', () => retry({ after: -1 })],
  ])('stops the handler loudly where it %s', async (_, onError) => {
    const { deposited, logger, runner } = await surroundings()
    const running = runner(
      eventHandler('balances', {
        events: [MoneyDeposited],
        handle: () => {
          throw new Error('poison')
        },
        onError: onError as never,
      }),
    )
    await running.start()
    deposited()
    await until(() => running.state === 'failed')
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(2)
    expect(running.position).toBe(0)
  })

  it('is contained together with a logger that throws', async () => {
    const { deposited, runner } = await surroundings()
    const log = () => {
      throw new Error('no log')
    }
    const running = runner(
      eventHandler('balances', {
        events: [MoneyDeposited],
        handle: () => {
          throw hostile
        },
        onError: () => stop(),
      }),
      { logger: { debug: log, info: log, warn: log, error: log } },
    )
    await running.start()
    deposited()
    await until(() => running.state === 'failed')
  })
})
