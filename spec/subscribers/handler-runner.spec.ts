import { describe, expect, it } from '@jest/globals'
import { event } from '../../lib/messages/definition.ts'
import type { Command } from '../../lib/messages/message.ts'
import type { RecordedEvent } from '../../lib/messages/recorded-event.ts'
import { shape } from '../../lib/messages/shape.ts'
import { retry } from '../../lib/subscribers/error-action.ts'
import { eventHandler } from '../../lib/subscribers/event-handler.ts'
import type { EventHandlerContext } from '../../lib/subscribers/handler-context.ts'
import { append, turn, until } from '../event-store/subscription-harness.ts'
import { AccountOpened, MoneyDeposited, surroundings } from './runner-harness.ts'

describe('a running event handler', () => {
  it('handles the events that interest it, old and new, in order', async () => {
    const { store, opened, deposited, runner } = await surroundings()
    opened(100)
    append(store, 'SomethingElse')
    deposited(5)
    const seen: unknown[] = []
    const running = runner(
      eventHandler('balances', {
        events: [AccountOpened, MoneyDeposited],
        handle: {
          AccountOpened: ({ initialBalance }) => void seen.push(initialBalance),
          MoneyDeposited: ({ amount }, recorded) => void seen.push([amount, recorded.streamVersion, recorded.position]),
        },
      }),
    )
    expect(running.state).toBe('stopped')
    await running.start()
    expect([running.state, running.position, running.lag]).toEqual(['live', 3, 0])
    deposited(7)
    await until(() => seen.length === 3)
    expect(seen).toEqual([100, [5, 2, 3], [7, 3, 4]])
    await running.stop()
    expect(running.state).toBe('stopped')
  })

  it('begins with what comes after its first start, where it starts from current, and goes on from there later', async () => {
    const { deposited, runner } = await surroundings()
    deposited(1)
    const seen: number[] = []
    const mails = eventHandler('mails', {
      events: [MoneyDeposited],
      startFrom: 'current',
      handle: ({ amount }) => void seen.push(amount),
    })
    const first = runner(mails)
    await first.start()
    deposited(2)
    await until(() => seen.length === 1)
    await first.stop()
    deposited(3)
    await first.start()
    await until(() => seen.length === 2)
    expect(seen).toEqual([2, 3])
    await first.stop()
  })

  it('tells the board how far it is, before its checkpoint is written', async () => {
    const { board, clock, store, deposited, runner } = await surroundings()
    const running = runner(
      eventHandler('balances', { events: [MoneyDeposited], consistency: 'strong', handle: () => {} }),
    )
    await running.start()
    const position = deposited()
    const waiting = board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), 1_000)
    expect(await waiting).toEqual([])
    expect((await store.readCheckpoint('balances'))?.position).toBe(0)
    await clock.advance(10)
    expect((await store.readCheckpoint('balances'))?.position).toBe(position)
    await running.stop()
  })

  it('takes the consistency of the application where it does not say its own', async () => {
    const { board, runner } = await surroundings()
    const define = (name: string, own: object) =>
      eventHandler(name, { events: [MoneyDeposited], handle: () => {}, ...own })
    runner(define('one', {}), { consistency: 'strong' })
    runner(define('two', { consistency: 'eventual' }), { consistency: 'strong' })
    expect(board.resolve('strong').map(({ name }) => name)).toEqual(['one'])
  })

  it('gives each delivery what it may know, and a dispatch that carries causation and correlation on', async () => {
    const { deposited, dispatched, runner } = await surroundings()
    let given: { recorded: RecordedEvent; context: EventHandlerContext } | undefined
    const running = runner(
      eventHandler('saga', {
        events: [MoneyDeposited],
        handle: (_data, recorded, context) => {
          given = { recorded, context }
        },
      }),
    )
    await running.start()
    deposited()
    await until(() => given !== undefined)
    const { recorded, context } = given!
    expect([context.application, context.handlerName, context.attempt]).toEqual(['bank', 'saga', 1])
    const { dispatch, signal } = context
    const command = { type: 'Notify', data: {} } as Command
    expect(await dispatch(command)).toEqual({ aggregateVersion: 1 })
    await dispatch(command, { consistency: 'strong', correlationId: 'mine' })
    await dispatch(command, { causationId: undefined, correlationId: undefined } as object)
    const causationId = recorded.eventId
    const by = { handlerName: 'saga', position: recorded.position }
    expect(dispatched).toMatchObject([
      [command, { causationId, correlationId: recorded.correlationId, metadata: {} }, by],
      [command, { causationId, correlationId: 'mine', metadata: {}, consistency: 'strong' }, by],
      [command, { causationId, correlationId: recorded.correlationId, metadata: {} }, by],
    ])
    expect(signal.aborted).toBe(false)
    await running.stop()
    expect(signal.aborted).toBe(true)
  })

  it('shares no binary of an event with another handler, nor one attempt with the next', async () => {
    const { clock, runner, store } = await surroundings()
    const Scanned = event('Scanned', shape<{ page: { bytes: Uint8Array } }>())
    const seen: unknown[] = []
    const spoiling = (name: string) =>
      runner(
        eventHandler(name, {
          events: [Scanned],
          onError: () => retry({ after: 1 }),
          handle: ({ page }, _recorded, { attempt }) => {
            seen.push(page.bytes[0])
            page.bytes[0] = 9
            if (attempt === 1) throw new Error('once')
          },
        }),
      )
    const handlers = [spoiling('first'), spoiling('second')]
    for (const handler of handlers) await handler.start()
    append(store, 'Scanned', 'scan-1', 'Scan', Scanned({ page: { bytes: Uint8Array.of(1) } }).data)
    await clock.advance(1)
    await until(() => seen.length === 4)
    expect(seen).toEqual([1, 1, 1, 1])
    for (const handler of handlers) await handler.stop()
  })

  it('calls afterStart each time it starts, before the first event', async () => {
    const { opened, runner } = await surroundings()
    opened()
    const seen: unknown[] = []
    const running = runner(
      eventHandler('balances', {
        events: [AccountOpened],
        handle: () => void seen.push('event'),
        afterStart: async (context) => {
          await turn()
          seen.push(context)
        },
      }),
    )
    await running.start()
    const context = { handlerName: 'balances', application: 'bank' }
    expect(seen).toEqual([context, 'event'])
    await running.stop()
    await running.start()
    expect(seen).toEqual([context, 'event', context])
    await running.stop()
  })

  it('fails when afterStart fails', async () => {
    const { board, logger, opened, runner } = await surroundings()
    const running = runner(
      eventHandler('balances', {
        events: [AccountOpened],
        consistency: 'strong',
        handle: () => {},
        afterStart: () => Promise.reject(undefined),
      }),
    )
    await running.start()
    await until(() => running.state === 'failed')
    expect(board.wait([{ type: 'AccountOpened', position: opened() }], board.resolve('strong'), 100)).toEqual([
      'balances',
    ])
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })
})

describe('stopping an event handler', () => {
  it('aborts its signal, waits for the event in hand, and begins after it the next time', async () => {
    const { deposited, runner } = await surroundings()
    const seen: number[] = []
    const running = runner(
      eventHandler('slow', {
        events: [MoneyDeposited],
        handle: async ({ amount }, _recorded, { signal }) => {
          await new Promise<void>((resolve) => {
            if (amount > 1) resolve()
            signal.addEventListener('abort', () => setTimeout(resolve, 1))
          })
          seen.push(amount)
        },
      }),
    )
    await running.start()
    deposited(1)
    deposited(2)
    await turn()
    await running.stop()
    expect([seen, running.state]).toEqual([[1], 'stopped'])
    await running.start()
    await until(() => seen.length === 2)
    expect(seen).toEqual([1, 2])
    await running.stop()
  })

  it('gives an event again that failed because of the stop', async () => {
    const { deposited, runner, logger } = await surroundings()
    const attempts: number[] = []
    const running = runner(
      eventHandler('mails', {
        events: [MoneyDeposited],
        handle: (_data, _recorded, { signal }) => {
          attempts.push(attempts.length)
          if (attempts.length > 1) return
          return new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        },
      }),
    )
    await running.start()
    deposited()
    await turn()
    await running.stop()
    expect([running.state, running.position, logger.lines]).toEqual(['stopped', 0, []])
    await running.start()
    await until(() => running.position === 1)
    expect(attempts).toHaveLength(2)
    await running.stop()
  })

  it('goes on without an event that does not end in time, and says so', async () => {
    const { clock, store, deposited, runner, logger } = await surroundings()
    const running = runner(
      eventHandler('stuck', { events: [MoneyDeposited], handle: () => new Promise<void>(() => {}) }),
      { stopTimeout: 300 },
    )
    await running.start()
    deposited()
    await turn()
    const stopped = running.stop()
    await clock.advance(300)
    await stopped
    expect(running.state).toBe('stopped')
    expect(logger.lines.map(({ message }) => message)).toEqual([
      'the handler stuck did not end its event within 300 ms; it is stopped without it',
    ])
    expect(await store.claimCheckpoint('stuck', { owner: 'other', startAfter: 0 })).toMatchObject({ position: 0 })
    expect(clock.timers).toBe(0)
  })

  it('makes whoever waits for it give up at once, and may be asked for twice', async () => {
    const { board, deposited, runner } = await surroundings()
    const running = runner(
      eventHandler('balances', {
        events: [MoneyDeposited],
        consistency: 'strong',
        handle: (_data, _recorded, { signal }) =>
          new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
      }),
    )
    await running.start()
    const position = deposited()
    const waiting = board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), Infinity)
    await Promise.all([running.stop(), running.stop()])
    expect(await waiting).toEqual(['balances'])
  })

  it('works before it was started', async () => {
    const { board, runner } = await surroundings()
    const running = runner(eventHandler('idle', { events: [MoneyDeposited], handle: () => {} }))
    await running.stop()
    expect([running.state, board.handler('idle')?.failure === undefined]).toEqual(['stopped', false])
  })
})

describe('a handler whose place another owner holds', () => {
  it('waits, follows how far that one is, and takes over when it stops', async () => {
    const one = await surroundings()
    const seen: string[] = []
    const define = (node: string) =>
      eventHandler('balances', {
        events: [MoneyDeposited],
        consistency: 'strong',
        handle: ({ amount }) => void seen.push(`${node}: ${amount}`),
      })
    const first = one.runner(define('one'))
    await first.start()
    const { ConsistencyBoard } = await import('../../lib/dispatch/consistency-board.ts')
    const board = new ConsistencyBoard({ clock: one.clock })
    const second = one.runner(define('two'), { owner: 'node-2', board })
    await second.start()
    expect(second.state).toBe('starting')
    // Nobody waits, and it is looked at seldom.
    await one.clock.advance(10)
    const position = one.deposited(1)
    const waiting = board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), 5_000)
    await one.clock.advance(30)
    expect(await waiting).toEqual([])
    await first.stop()
    one.deposited(2)
    await one.clock.advance(500)
    expect(seen).toEqual(['one: 1', 'two: 2'])
    await second.stop()
  })
})
