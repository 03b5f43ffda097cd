import { describe, expect, it } from '@jest/globals'
import { command, event } from '../../lib/messages/definition.ts'
import { shape } from '../../lib/messages/shape.ts'
import { eventHandler } from '../../lib/subscribers/event-handler.ts'
import { handlerBodyOf } from '../../lib/subscribers/handler-body.ts'
import { AccountOpened, MoneyDeposited } from './runner-harness.ts'

const nothing = () => {}

function refused(define: () => unknown): string {
  try {
    define()
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_definition' })
    return (error as Error).message
  }
  throw new Error('it was accepted')
}

/** The checks that also JavaScript meets. */
const loose = eventHandler as unknown as (name: unknown, definition?: unknown) => object

describe('eventHandler', () => {
  it('gives a frozen value that carries its name and events', () => {
    const handler = eventHandler('balances', { events: [AccountOpened], handle: { AccountOpened: nothing } })
    expect(handler.name).toBe('balances')
    expect(handler.events).toEqual([AccountOpened])
    expect(Object.isFrozen(handler)).toBe(true)
    expect(handlerBodyOf(handler)?.model.types).toEqual(new Set(['AccountOpened']))
    expect(handlerBodyOf({ ...handler })).toBeUndefined()
  })

  it('infers data and event for each function of a table', () => {
    eventHandler('balances', {
      events: [AccountOpened, MoneyDeposited],
      handle: {
        AccountOpened: ({ initialBalance }, recorded) => {
          const balance: number = initialBalance + recorded.data.initialBalance
          const type: 'AccountOpened' = recorded.type
          expect([balance, type]).toBeDefined()
        },
        MoneyDeposited: async (data, _recorded, { dispatch, signal, application, attempt, handlerName }) => {
          const amount: number = data.amount
          const aborted: boolean = signal.aborted
          const texts: string[] = [application, handlerName]
          const count: number = attempt
          expect([amount, aborted, texts, count, dispatch]).toBeDefined()
        },
      },
      concurrency: 2,
      partitionBy: ({ data }) => data.accountNumber,
      onError: (_error, recorded) => {
        const type: 'AccountOpened' | 'MoneyDeposited' = recorded.type
        throw new Error(type)
      },
    })
  })

  it('gives one function the union of all events, which the type tells apart', () => {
    eventHandler('balances', {
      events: [AccountOpened, MoneyDeposited],
      handle: (data, recorded) => {
        const number: string = data.accountNumber
        const amount: number = recorded.type === 'AccountOpened' ? recorded.data.initialBalance : recorded.data.amount
        expect([number, amount]).toBeDefined()
      },
    })
  })

  it('does not compile, and is refused, where a function is missing or foreign', () => {
    expect(
      refused(() =>
        eventHandler('balances', {
          events: [AccountOpened, MoneyDeposited],
          // @ts-expect-error MoneyDeposited is missing
          handle: { AccountOpened: nothing },
        }),
      ),
    ).toBe("eventHandler('balances'): handle has no function for MoneyDeposited")
    expect(
      refused(() =>
        eventHandler('balances', {
          events: [AccountOpened],
          // @ts-expect-error MoneyDeposited is not one of its events
          handle: { AccountOpened: nothing, MoneyDeposited: nothing },
        }),
      ),
    ).toBe("eventHandler('balances'): handle has MoneyDeposited, which is not one of its events")
  })

  it('does not compile where a function wants other data', () => {
    eventHandler('balances', {
      events: [AccountOpened],
      // @ts-expect-error there is no amount
      handle: { AccountOpened: ({ amount }) => expect(amount).toBeDefined() },
    })
    eventHandler('balances', {
      events: [AccountOpened],
      // @ts-expect-error it is no function of the event
      handle: { AccountOpened: (data: string) => expect(data).toBeDefined() },
    })
  })

  it('keeps `this` for a table that is an instance of a class', () => {
    class Balances {
      total = 0
      AccountOpened({ initialBalance }: { readonly initialBalance: number }): void {
        this.total += initialBalance
      }
    }
    const balances = new Balances()
    const handler = eventHandler('balances', { events: [AccountOpened], handle: balances })
    const data = { accountNumber: '1', initialBalance: 7 }
    handlerBodyOf(handler)?.model.handleByType.get('AccountOpened')?.(data, {} as never, {} as never)
    expect(balances.total).toBe(7)
  })

  it('takes event types that every object knows', () => {
    const Constructor = event('constructor', shape<{ a: number }>())
    expect(refused(() => loose('odd', { events: [Constructor], handle: {} }))).toBe(
      "eventHandler('odd'): handle has no function for constructor",
    )
    const handler = loose('odd', { events: [Constructor], handle: { constructor: nothing } })
    expect(handlerBodyOf(handler)?.model.handleByType.get('constructor')).toBeInstanceOf(Function)
  })

  const good = { events: [AccountOpened], handle: nothing }

  it.each(['h:1', 'h:1.', 'h:1.1.1a', 'h:v1.1', '1.1', 'h:1.1 '])('takes the name %s', (name) => {
    expect(loose(name, good)).toMatchObject({ name })
  })

  it.each([
    [['', good], 'eventHandler(name, definition): the name must not be empty'],
    [['  ', good], 'eventHandler(name, definition): the name must not be blank'],
    [[undefined, good], 'eventHandler(name, definition): the name must be a string, not undefined'],
    [
      ['a'.repeat(300), good],
      'eventHandler(name, definition): the name must not be longer than 255 characters; it has 300',
    ],
    [['h'], "eventHandler('h') needs a definition: { events, handle, … }"],
    [['h', { handle: nothing }], "eventHandler('h'): events must be a list of the events that it handles"],
    [['h', { events: [], handle: nothing }], "eventHandler('h'): events must be a list of the events that it handles"],
    [['h', { ...good, events: ['AccountOpened'] }], "eventHandler('h'): events[0] is not made by event(type, schema)"],
    [
      ['h', { ...good, events: [command('OpenAccount', shape<object>())] }],
      "eventHandler('h'): OpenAccount is a command, not an event",
    ],
    [
      ['h', { ...good, events: [AccountOpened, AccountOpened] }],
      "eventHandler('h'): AccountOpened stands in events twice",
    ],
    [
      ['h', { events: [AccountOpened] }],
      "eventHandler('h'): handle must be a table of functions by event type, or one function",
    ],
    [
      ['h', { events: [AccountOpened], handle: { AccountOpened: 'no' } }],
      "eventHandler('h'): handle has no function for AccountOpened",
    ],
    [['h', { ...good, consistency: 'weak' }], "eventHandler('h'): consistency must be 'eventual' or 'strong'"],
    [
      ['h', { ...good, startFrom: 0 }],
      "eventHandler('h'): startFrom must be 'origin', 'current' or a position, a whole number from 1",
    ],
    [
      ['h', { ...good, startFrom: 'end' }],
      "eventHandler('h'): startFrom must be 'origin', 'current' or a position, a whole number from 1",
    ],
    ...[0, 1.5, '4', 1_001].map((concurrency): [unknown[], string] => [
      ['h', { ...good, concurrency }],
      "eventHandler('h'): concurrency must be a whole number from 1 to 1000",
    ]),
    [
      ['a'.repeat(201), { ...good, concurrency: 2 }],
      `eventHandler('${'a'.repeat(201)}'): with concurrency, a name must not be longer than 200 characters`,
    ],
    [['h', { ...good, partitionBy: 'streamId' }], "eventHandler('h'): partitionBy must be a function"],
    [['h#1', good], "eventHandler('h#1'): the name must not contain # or @, which tell partitions and nodes apart"],
    [
      ['h@node', good],
      "eventHandler('h@node'): the name must not contain # or @, which tell partitions and nodes apart",
    ],
    ...['h:1.1', ':20.300'].map((name): [unknown[], string] => [
      [name, good],
      `eventHandler('${name}'): the name must not end as in h:1.1, which is what the checkpoints of projections are called`,
    ]),
    [['h', { ...good, onError: 'retry' }], "eventHandler('h'): onError must be a function"],
    [['h', { ...good, afterStart: 1 }], "eventHandler('h'): afterStart must be a function"],
    [
      ['h', { ...good, parallel: 4 }],
      "eventHandler('h'): unknown option parallel; the options are events, handle, handleBatch, batchSize, batchTimeout, subscribeTo, selector, consistency, startFrom, concurrency, partitionBy, initialState, onError, afterStart, beforeReset",
    ],
  ])('refuses a wrong definition: %j', (given, message) => {
    expect(refused(() => loose(...(given as [unknown, unknown])))).toBe(message)
  })
})
