import { afterEach, describe, expect, it } from '@jest/globals'
import {
  aggregate,
  application,
  command,
  event,
  eventHandler,
  inMemoryEventStore,
  readRecordedEvents,
  renamedEvent,
  router,
  shape,
  skip,
  subscribe,
  upcaster,
  type EventStore,
  type RecordedEvent,
  type Upcaster,
} from 'edict'
import { recordingLogger, started, stopAll, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

const Deposit = command('Deposit', shape<{ id: string; amount: number }>())
const Touch = command('Touch', shape<{ id: string }>())
const OldDeposited = event('FundsDeposited', shape<{ amount: number }>())
const Noted = event('Noted', shape<object>())
const Deposited = event('MoneyDeposited', shape<{ amount: number; currency: string }>(), { schemaVersion: 2 })
const Bonus = event('BonusGiven', shape<{ amount: number; currency: string }>())

const OldPurse = aggregate('Purse', {
  commands: [Deposit, Touch],
  events: [OldDeposited, Noted],
  initialState: () => ({}),
  execute: { Deposit: (_purse, { amount }) => OldDeposited({ amount }), Touch: () => Noted({}) },
  apply: (purse) => purse,
})
const Purse = aggregate('Purse', {
  commands: [Deposit, Touch],
  events: [Deposited, Bonus],
  initialState: () => ({ total: 0, bonus: 0 }),
  execute: { Deposit: (_purse, { amount }) => Deposited({ amount, currency: 'EUR' }), Touch: () => undefined },
  apply: {
    MoneyDeposited: (purse, { amount }) => void (purse.total += amount),
    BonusGiven: (purse, { amount }) => void (purse.bonus += amount),
  },
})
const routed = <To extends typeof OldPurse | typeof Purse>(to: To) =>
  router('purses', (r) =>
    r.identify(to as typeof Purse, { by: 'id' }).dispatch([Deposit, Touch], { to: to as typeof Purse }),
  )

/** A rename; then one to another shape; then one to many, of another type; and one to none. */
const upcasters: readonly Upcaster[] = [
  renamedEvent('FundsDeposited', Deposited),
  upcaster('MoneyDeposited', {
    schemaVersion: 1,
    upcast: ({ data }) => ({ schemaVersion: 2, data: { ...(data as object), currency: 'EUR' } }),
  }),
  upcaster(Deposited, {
    into: [Bonus],
    upcast: (deposited) => {
      const { amount, currency } = deposited.data
      return amount >= 100 ? [deposited, Bonus({ amount: 1, currency })] : deposited
    },
  }),
  upcaster(Noted, { upcast: () => [] }),
]

async function storedBefore(eventStore: EventStore): Promise<void> {
  const before = await started({ router: routed(OldPurse), eventStore })
  await before.dispatch(Deposit({ id: 'a', amount: 5 }))
  await before.dispatch(Touch({ id: 'a' }))
  await before.dispatch(Deposit({ id: 'a', amount: 100 }))
  await before.stop()
}

const shown = ({ type, data, position, index }: RecordedEvent) => [
  position,
  index,
  type,
  (data as { amount: number }).amount,
]
const EVENTS = [
  [1, 0, 'MoneyDeposited', 5],
  [3, 0, 'MoneyDeposited', 100],
  [3, 1, 'BonusGiven', 1],
]

describe.each(everyStore)('events that have changed, on $kind,', ({ share }) => {
  const stores = share()

  it('are read as they are today by aggregates, handlers, subscriptions and readers, by their new types, and stay stored as they were', async () => {
    await storedBefore(stores.node())
    const [handled, bonuses, subscribed, readBack]: unknown[][] = [[], [], [], []]
    const eventStore = stores.node()
    const app = await started({
      router: routed(Purse),
      eventStore,
      upcasters,
      handlers: [
        eventHandler('deposits', {
          events: [Deposited, Bonus],
          consistency: 'strong',
          handle: (_data, recorded) => void handled?.push(shown(recorded)),
        }),
        eventHandler('bonuses', { events: [Bonus], handle: (_data, recorded) => void bonuses?.push(shown(recorded)) }),
      ],
    })
    expect(await app.aggregateState(Purse, 'a')).toEqual({ total: 105, bonus: 1 })
    await until(() => handled?.length === 3 && bonuses?.length === 1, 'the handlers')
    expect(handled).toEqual(EVENTS)
    expect(bonuses).toEqual([[3, 1, 'BonusGiven', 1]])
    await app.dispatch(Deposit({ id: 'a', amount: 200 }), { consistency: 'strong' })
    expect(handled?.slice(3)).toEqual([
      [4, 0, 'MoneyDeposited', 200],
      [4, 1, 'BonusGiven', 1],
    ])
    const subscription = subscribe(eventStore, {
      types: ['MoneyDeposited'],
      upcasters,
      handle: (recorded) => void subscribed?.push(shown(recorded)),
    })
    await until(() => subscription.position === 4, 'the subscription')
    await subscription.stop()
    expect(subscribed).toEqual([...EVENTS.slice(0, 2), [4, 0, 'MoneyDeposited', 200]])
    for await (const recorded of readRecordedEvents(eventStore, {
      types: new Set(['MoneyDeposited', 'BonusGiven']),
      upcasters,
    })) {
      readBack?.push(shown(recorded))
    }
    expect(readBack?.slice(0, 3)).toEqual(EVENTS)
    const stored = await eventStore.readStream('a')
    expect(stored.events.map(({ type, schemaVersion }) => [type, schemaVersion])).toEqual([
      ['FundsDeposited', 1],
      ['Noted', 1],
      ['FundsDeposited', 1],
      ['MoneyDeposited', 2],
    ])
  })

  it('that an upcaster throws on stop whoever handles them, loudly, and nobody else; nothing is skipped, and no onError is asked', async () => {
    await storedBefore(stores.node())
    const logger = recordingLogger()
    const asked: unknown[] = []
    const others: string[] = []
    const breaking = upcaster('FundsDeposited', {
      into: [Deposited],
      upcast: () => {
        throw new Error('broken')
      },
    })
    // Reading is tried again with growing pauses, which nobody here has to wait for.
    const clock = { now: () => Date.now(), setTimeout: (call: () => void) => setTimeout(call, 1), clearTimeout }
    const app = await started({
      router: routed(Purse),
      eventStore: stores.node(),
      upcasters: [breaking],
      logger,
      clock,
      handlers: [
        eventHandler('deposits', {
          events: [Deposited],
          consistency: 'strong',
          onError: (error) => {
            asked.push(error)
            return skip()
          },
          handle: () => undefined,
        }),
        eventHandler('notes', { events: [Noted], handle: (_data, { type }) => void others.push(type) }),
      ],
    })
    const stopped = () => logger.entries.some(({ level, fields }) => level === 'error' && 'handler' in fields)
    await until(stopped, 'the stop')
    await until(() => others.length === 1, 'the neighbour')
    expect(asked).toEqual([])
    await expect(app.dispatch(Deposit({ id: 'a', amount: 1 }), { timeout: Infinity })).rejects.toMatchObject({
      code: 'unreadable_event',
      outcome: 'not-executed',
      message: expect.stringContaining('FundsDeposited, version 1 of a') as unknown,
      cause: new Error('broken'),
    })
    // Of another purse nothing is stored that cannot be read; but the handler that would be waited for has ended.
    await expect(
      app.dispatch(Deposit({ id: 'b', amount: 1 }), { consistency: 'strong', timeout: Infinity }),
    ).rejects.toMatchObject({ code: 'consistency_timeout', outcome: 'executed', laggards: ['deposits'] })
  })
})

describe('an upcaster', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'a value of type undefined'],
    ['null in a list', [null], 'null'],
    ['a text', 'MoneyDeposited', 'a value of type string'],
    ['a promise', Promise.resolve({}), 'a promise'],
    ['its data alone', { amount: 7, currency: 'EUR' }, 'what is data goes into { data }'],
    ['an empty type', { type: '' }, 'whose type or schemaVersion is none'],
    ['a schema version that is none', { schemaVersion: 0 }, 'whose type or schemaVersion is none'],
    ['a type that it does not name', { type: 'Other' }, `which it does not name: into: ['Other']`],
  ])('that gives %s makes the event unreadable', async (_what, given, message) => {
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    await storedBefore(eventStore)
    const app = await started({
      router: routed(Purse),
      eventStore,
      upcasters: [upcaster('FundsDeposited', { upcast: () => given as never })],
    })
    await expect(app.aggregateState(Purse, 'a')).rejects.toMatchObject({
      code: 'unreadable_event',
      message: expect.stringContaining(message) as unknown,
    })
  })

  it('changes nothing of an event but its type, schema version, data and metadata', async () => {
    const eventStore = inMemoryEventStore()
    await eventStore.open()
    await storedBefore(eventStore)
    const meddling = upcaster('FundsDeposited', {
      upcast: () => ({ position: 99, streamId: 'z', data: { amount: 7 } }) as object,
    })
    const read: unknown[] = []
    for await (const { position, streamId, data } of readRecordedEvents(eventStore, { upcasters: [meddling] })) {
      read.push([position, streamId, data])
    }
    expect(read[0]).toEqual([1, 'a', { amount: 7 }])
  })

  it('that throws on what has just been written answers that the command was executed', async () => {
    let broken = false
    const app = await started({
      router: routed(OldPurse),
      handlers: [eventHandler('all', { events: [OldDeposited], consistency: 'strong', handle: () => undefined })],
      upcasters: [
        upcaster('FundsDeposited', {
          upcast: (given) => {
            if (broken) throw new Error('broken')
            return given
          },
        }),
      ],
    })
    await app.dispatch(Touch({ id: 'a' }))
    broken = true
    await expect(app.dispatch(Deposit({ id: 'a', amount: 5 }), { consistency: 'strong' })).rejects.toMatchObject({
      code: 'unreadable_event',
      outcome: 'executed',
      executionResult: { aggregateVersion: 2 },
    })
  })

  it('that is defined wrongly is refused when it is defined', () => {
    const invalid = (message: string) => expect.objectContaining({ code: 'invalid_definition', message })
    const upcast = () => []
    expect(() => upcaster('', { upcast })).toThrow(
      invalid('upcaster(old, …) needs the stored type, or the old event(…)'),
    )
    expect(() => upcaster(Deposit as never, { upcast })).toThrow(
      invalid('upcaster(old, …) needs the stored type, or the old event(…)'),
    )
    expect(() => upcaster('A', {} as never)).toThrow(invalid(`upcaster('A', { upcast }) needs a function`))
    expect(() => upcaster('A', { upcast, schemaVersion: 0 })).toThrow(
      invalid(`upcaster('A'): schemaVersion must be a whole number from 1`),
    )
    expect(() => upcaster('A', { upcast, schemaVerison: 1 } as never)).toThrow(
      invalid(`upcaster('A'): unknown option schemaVerison; the options are schemaVersion, into, upcast`),
    )
    expect(() => upcaster('A', { upcast, into: [5 as never] })).toThrow(
      invalid(`upcaster('A'): into must be a list of event(…) or of types`),
    )
    expect(() => renamedEvent('MoneyDeposited', Deposited)).toThrow(
      invalid(`renamedEvent('MoneyDeposited', …) was given the same name twice`),
    )
    expect(() => renamedEvent('A', Deposit as never)).toThrow(
      invalid(`renamedEvent('A', today) needs the event(…) that it is today`),
    )
    expect(() =>
      application({
        name: 'purses',
        router: routed(OldPurse),
        eventStore: inMemoryEventStore(),
        upcasters: [renamedEvent('FundsDeposited', Deposited)],
      }),
    ).toThrow(invalid(`the application purses: renamedEvent('FundsDeposited', …) names an event that Purse has still`))
  })
})
