import { describe, expect, it } from '@jest/globals'
import { Fairness } from '../../lib/effects/fairness.ts'
import { NotRunningError, StoreError } from '../../lib/errors.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import type { StoredEvent } from '../../lib/event-store/stored-event.ts'
import { recordedEvent } from '../../lib/event-store/recorded-event.ts'
import { upcaster } from '../../lib/messages/upcaster.ts'
import {
  ManualClock,
  append,
  decodeOne,
  follow,
  keepingLogger,
  makeHub,
  numbers,
  openStore,
  turn,
  until,
} from './subscription-harness.ts'

function fill(store: EventStore, count: number, type = 'Happened'): void {
  for (let index = 0; index < count; index++) append(store, type)
}

/** The store, with some of its functions replaced. */
function instead(store: EventStore, replaced: Partial<EventStore>): EventStore {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(replaced, key) ?? Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

describe('a subscription', () => {
  it('has caught up when start returns, where store and listener are synchronous', async () => {
    const store = await openStore()
    fill(store, 1_234)
    const { seen, subscription } = follow(makeHub(store, { batchSize: 100 }))
    await until(() => subscription.state === 'live')
    expect(seen).toEqual(numbers(1, 1_234))
    expect(subscription.position).toBe(1_234)
  })

  it('hands on what is appended as soon as the work in hand is over', async () => {
    const store = await openStore()
    const { seen } = follow(makeHub(store))
    fill(store, 3)
    expect(seen).toEqual([])
    await Promise.resolve()
    await Promise.resolve()
    expect(seen).toEqual(['1', '2', '3'])
  })

  it('is as far as the store where nothing interests it, without being asked about any event', async () => {
    const store = await openStore()
    const asked: string[] = []
    const decode = (stored: StoredEvent) => {
      asked.push(stored.type)
      return decodeOne(stored)
    }
    const { seen, subscription } = follow(makeHub(store, { decode }), { filter: { types: new Set(['Rare']) } })
    fill(store, 10)
    append(store, 'Rare')
    fill(store, 10)
    await until(() => subscription.position === 21)
    expect(seen).toEqual(['11'])
    expect(asked).toEqual(['Rare'])
  })

  it('reads and decodes each new event once for all who are live', async () => {
    const inner = await openStore()
    let reads = 0
    let decoded = 0
    const store = instead(inner, {
      readAll: (options) => {
        reads++
        return inner.readAll(options)
      },
    })
    const decode = (stored: StoredEvent) => {
      decoded++
      return decodeOne(stored)
    }
    const hub = makeHub(store, { decode })
    const all = Array.from({ length: 20 }, () => follow(hub))
    await turn()
    reads = 0
    fill(inner, 50)
    await until(() => all.every(({ seen }) => seen.length === 50))
    expect({ reads, decoded }).toEqual({ reads: 1, decoded: 50 })
  })

  it('has one more page on its way while it works on one, and never more than that', async () => {
    const inner = await openStore()
    fill(inner, 100)
    let read = 0
    let handled = 0
    let ahead = 0
    const store = instead(inner, {
      readAll: async (options) => {
        const page = await inner.readAll(options)
        read += page.events.length
        return page
      },
    })
    const { seen } = follow(makeHub(store, { batchSize: 10 }), {
      handle: async () => {
        ahead = Math.max(ahead, read - handled)
        await Promise.resolve()
        handled++
      },
    })
    await until(() => seen.length === 100)
    expect(ahead).toBeGreaterThan(10)
    expect(ahead).toBeLessThanOrEqual(20)
  })

  it('keeps a bounded number of live events for a busy handler, and reads what did not fit', async () => {
    const store = await openStore()
    let letGo = () => {}
    const held = new Promise<void>((resolve) => (letGo = resolve))
    const { seen, subscription } = follow(makeHub(store, { bufferSize: 5 }), {
      handle: ({ position }) => (position === 1 ? held : undefined),
    })
    fill(store, 5)
    await turn()
    expect(subscription.state).toBe('live')
    fill(store, 500)
    await turn()
    expect(subscription.state).toBe('catching-up')
    letGo()
    await until(() => subscription.state === 'live')
    expect(seen).toEqual(numbers(1, 505))
  })

  it('delivers all, one or none of the events that upcasting makes of a stored one, and goes on in the middle of them', async () => {
    const store = await openStore()
    fill(store, 4)
    const decode = (stored: StoredEvent) =>
      Array.from({ length: stored.position - 1 }, (_, index) => recordedEvent(stored, stored.data, index))
    const hub = makeHub(store, { decode })
    const whole = follow(hub)
    const rest = follow(hub, { startAfter: 2, startIndex: 1 })
    expect(whole.seen).toEqual(['2', '3', '3.1', '4', '4.1', '4.2'])
    expect(rest.seen).toEqual(['3.1', '4', '4.1', '4.2'])
    const partly = follow(hub, { handle: ({ position, index }) => position < 4 || index < 2 })
    expect(partly.seen).toEqual(['2', '3', '3.1', '4', '4.1'])
    expect(partly.subscription).toMatchObject({ state: 'ended', position: 3, index: 2 })
  })

  it('finds events that are stored under a type that is read as another one today', async () => {
    const store = await openStore()
    append(store, 'AccountCreated')
    const decode = (stored: StoredEvent) => [recordedEvent({ ...stored, type: 'AccountOpened' }, stored.data)]
    const hub = makeHub(store, {
      decode,
      upcasters: [upcaster('AccountCreated', { into: ['AccountOpened'], upcast: (given) => given })],
    })
    const { seen } = follow(hub, { filter: { types: new Set(['AccountOpened']) } })
    append(store, 'AccountCreated')
    await until(() => seen.length === 2)
  })

  it('passes over the tombstones of deleted events', async () => {
    const inner = await openStore()
    fill(inner, 3)
    const store = instead(inner, {
      readAll: async (options) => {
        const page = await inner.readAll(options)
        const events = page.events.map((event) =>
          event.position === 2 ? { ...event, tombstone: true as const } : event,
        )
        return { ...page, events }
      },
    })
    const { seen, subscription } = follow(makeHub(store))
    await until(() => subscription.position === 3)
    expect(seen).toEqual(['1', '3'])
  })

  it('sees what was appended within the poll interval when the wake-ups are lost', async () => {
    const inner = await openStore()
    const clock = new ManualClock()
    const { seen } = follow(makeHub(instead(inner, { watch: () => () => {} }), { clock }))
    await turn()
    fill(inner, 2)
    await turn()
    expect(seen).toEqual([])
    await clock.advance(1_000)
    expect(seen).toEqual(['1', '2'])
  })

  it('leaves no timer and no watch behind when the last one has stopped', async () => {
    const inner = await openStore()
    const clock = new ManualClock()
    let watches = 0
    const store = instead(inner, {
      watch: (listener) => {
        watches++
        const end = inner.watch(listener)
        return () => {
          watches--
          end()
        }
      },
    })
    const hub = makeHub(store, { clock })
    const one = follow(hub)
    const other = follow(hub)
    expect({ watches, timers: clock.timers }).toEqual({ watches: 1, timers: 1 })
    await one.subscription.stop()
    await other.subscription.stop()
    expect({ watches, timers: clock.timers }).toEqual({ watches: 0, timers: 0 })
    fill(inner, 1)
    await turn()
    expect([...one.seen, ...other.seen]).toEqual([])
  })

  it('lets timers have their turn while it works through a long backlog', async () => {
    const store = await openStore()
    fill(store, 300)
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const { seen } = follow(makeHub(store, { fairness: new Fairness() }), {
      handle: () => {
        const end = performance.now() + 0.3
        while (performance.now() < end);
      },
    })
    await until(() => seen.length === 300)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
  })
})

describe('a subscription that stops', () => {
  it('waits for the event in hand, and gives nothing after it', async () => {
    const store = await openStore()
    fill(store, 3)
    let letGo = () => {}
    const { seen, subscription } = follow(makeHub(store), {
      handle: () => new Promise<void>((resolve) => (letGo = resolve)),
    })
    const stopped = Promise.resolve(subscription.stop()).then(() => seen.push('stopped'))
    await turn()
    expect(seen).toEqual([])
    letGo()
    await stopped
    expect(seen).toEqual(['1', 'stopped'])
    expect(subscription.position).toBe(1)
  })

  it('may be stopped from within its own handler', async () => {
    const store = await openStore()
    const inside: { stop?: () => unknown } = {}
    const self = follow(makeHub(store, { decode: decodeTwice }), {
      handle: () => void inside.stop?.(),
    })
    inside.stop = () => self.subscription.stop()
    append(store)
    append(store)
    await until(() => self.subscription.state === 'ended')
    expect(self.seen).toEqual(['1'])
    expect(self.subscription).toMatchObject({ position: 0, index: 1 })
  })

  it('ends with the error of a listener that throws or rejects, and disturbs nobody else', async () => {
    const store = await openStore()
    const hub = makeHub(store)
    const other = follow(hub)
    const throwing = follow(hub, {
      handle: () => {
        throw new Error('thrown')
      },
    })
    const rejecting = follow(hub, { handle: () => Promise.reject(new Error('rejected')) })
    fill(store, 2)
    await until(() => other.seen.length === 2)
    await until(() => rejecting.ends.length === 1)
    expect([throwing.ends, rejecting.ends]).toEqual([[new Error('thrown')], [new Error('rejected')]])
    expect(throwing.subscription.position).toBe(0)
  })
})

function decodeTwice(stored: StoredEvent) {
  return [recordedEvent(stored, stored.data, 0), recordedEvent(stored, stored.data, 1)]
}

describe('a subscription whose store fails', () => {
  it.each([
    ['catching up', 0],
    ['live', 1],
  ])('reads again after a wait while it is %s, and loses nothing', async (_, succeedFirst) => {
    const inner = await openStore()
    const clock = new ManualClock()
    const logger = keepingLogger()
    let left = succeedFirst === 0 ? 3 : 0
    const store = instead(inner, {
      readAll: async (options) => {
        if (left-- > 0) throw new StoreError('the disk is full')
        return inner.readAll(options)
      },
    })
    if (succeedFirst === 0) fill(inner, 3)
    const { seen, subscription } = follow(makeHub(store, { clock, logger }))
    await turn()
    if (succeedFirst === 1) {
      await until(() => subscription.state === 'live')
      await turn()
      left = 3
      fill(inner, 3)
    }
    await clock.advance(20_000)
    expect(seen).toEqual(['1', '2', '3'])
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(3)
  })

  it('never guesses over a gap in the positions', async () => {
    const inner = await openStore()
    const clock = new ManualClock()
    const logger = keepingLogger()
    let hidden = true
    const store = instead(inner, {
      readAll: async (options) => {
        const page = await inner.readAll(options)
        return hidden ? { ...page, events: page.events.filter(({ position }) => position !== 3) } : page
      },
    })
    fill(inner, 5)
    const { seen } = follow(makeHub(store, { clock, logger }))
    await clock.advance(60_000)
    expect(seen).toEqual([])
    expect(logger.lines[0]?.fields['error']).toMatchObject({
      code: 'store_failed',
      message: 'the in-memory event store gave position 4 after position 2',
    })
    hidden = false
    await clock.advance(60_000)
    expect(seen).toEqual(numbers(1, 5))
  })

  it('does not read in circles where the store knows of more than it gives', async () => {
    const inner = await openStore()
    const clock = new ManualClock()
    let reads = 0
    let shown = 0
    let wake: ((head?: number) => void) | undefined
    const store = instead(inner, {
      watch: (listener) => {
        wake = listener
        return () => {}
      },
      readAll: async (options) => {
        reads++
        const page = await inner.readAll(options)
        const events = page.events.filter(({ position }) => position <= shown)
        const lastPosition = Math.max((options?.fromPosition ?? 1) - 1, events.at(-1)?.position ?? 0)
        return { events, lastPosition, headPosition: shown }
      },
    })
    const { seen } = follow(makeHub(store, { clock }))
    await turn()
    fill(inner, 3)
    reads = 0
    wake?.(3)
    await turn()
    expect({ reads, seen }).toEqual({ reads: 1, seen: [] })
    shown = 3
    await clock.advance(1_000)
    expect(seen).toEqual(['1', '2', '3'])
  })

  it('ends when the store is closed', async () => {
    const store = await openStore()
    const clock = new ManualClock()
    const { ends, subscription } = follow(makeHub(store, { clock }))
    await turn()
    await store.close()
    await clock.advance(1_000)
    expect(subscription.state).toBe('ended')
    expect(ends).toEqual([expect.any(NotRunningError)])
    expect(clock.timers).toBe(0)
  })
})

describe('an event that cannot be decoded', () => {
  it('holds up those whom it interests until it can be, and nobody else', async () => {
    const store = await openStore()
    const clock = new ManualClock()
    let readable = false
    const decode = (stored: StoredEvent) => {
      if (stored.type === 'Garbled' && !readable) throw new Error('no key')
      return decodeOne(stored)
    }
    const hub = makeHub(store, { decode, clock })
    const other = follow(hub, { filter: { types: new Set(['Happened']) } })
    const interested = follow(hub)
    fill(store, 1)
    append(store, 'Garbled')
    fill(store, 2)
    await turn()
    expect(other.seen).toEqual(['1', '3', '4'])
    expect(interested.seen).toEqual(['1'])
    readable = true
    await clock.advance(2_000)
    expect(interested.seen).toEqual(numbers(1, 4))
    expect(interested.subscription.state).toBe('live')
  })

  it('ends the subscription after a number of attempts, with the error', async () => {
    const store = await openStore()
    const clock = new ManualClock()
    const failure = new Error('no key')
    const { ends, subscription } = follow(makeHub(store, { decode: () => Promise.reject(failure), clock }))
    fill(store, 1)
    await clock.advance(300_000)
    expect(ends).toEqual([failure])
    expect(subscription).toMatchObject({ state: 'ended', position: 0 })
  })
})
