import { describe, expect, it } from '@jest/globals'
import { sharedCheckpoints } from '../../lib/event-store/shared-checkpoints.ts'
import type { EventStore, StreamSlice } from '../../lib/event-store/event-store.ts'
import { eventHandler, type EventHandlerDefinition } from '../../lib/subscribers/event-handler.ts'
import { park, retry } from '../../lib/subscribers/error-action.ts'
import { handlerBodyOf } from '../../lib/subscribers/handler-body.ts'
import { HandlerReset } from '../../lib/subscribers/handler-reset.ts'
import { ParkedStream } from '../../lib/subscribers/parked-stream.ts'
import { parkedFact, parkedStreamId } from '../../lib/subscribers/parked-facts.ts'
import { StoreError } from '../../lib/errors.ts'
import { append, until } from '../event-store/subscription-harness.ts'
import { MoneyDeposited, surroundings, type Running } from './runner-harness.ts'

type Definition = Partial<EventHandlerDefinition<readonly [typeof MoneyDeposited]>>

/** Deposits `amount` into an account of its own stream. */
function deposit({ store }: Running, account: string, amount: number): void {
  append(store, 'MoneyDeposited', `account-${account}`, 'BankAccount', { accountNumber: account, amount })
}

/** A handler that keeps what it handled, and fails at the amounts that are poison. */
function balances(poison: Set<number>, definition: Definition = {}) {
  const handled: string[] = []
  const handler = eventHandler('balances', {
    events: [MoneyDeposited],
    handle: ({ accountNumber, amount }) => {
      if (poison.has(amount)) throw new Error(`cannot bear ${amount}`)
      handled.push(`${accountNumber}:${amount}`)
    },
    onError: () => park(),
    ...definition,
  })
  return { handled, handler }
}

/** The store in memory answers at once. */
function facts(store: EventStore): unknown[] {
  const { events } = store.readStream(parkedStreamId('balances')) as StreamSlice
  return events.map(parkedFact)
}

function parkedStream({ store, clock }: Running): ParkedStream {
  return new ParkedStream('balances', store, () => clock.now())
}

/** Not even `instanceof` can be asked of it. */
function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

async function ask(running: Running, key?: string): Promise<void> {
  const stream = parkedStream(running)
  await stream.catchUp()
  await stream.append(() => ({
    facts: [{ fact: 'edict.ReplayRequested', ...(key !== undefined && { key }) }],
    about: undefined,
  }))
}

describe('an event that is parked', () => {
  it('holds up the later events of its stream alone, and keeps its error', async () => {
    const running = await surroundings()
    const { handled, handler } = balances(new Set([13]))
    const runner = running.runner(handler)
    await runner.start()
    for (const [account, amount] of [
      ['a', 1],
      ['a', 13],
      ['b', 2],
      ['a', 3],
      ['b', 4],
    ] as const) {
      deposit(running, account, amount)
    }
    await until(() => runner.position >= 7)
    expect(handled).toEqual(['a:1', 'b:2', 'b:4'])
    expect(runner.state).toBe('live')
    expect(facts(running.store)).toMatchObject([
      {
        fact: 'edict.EventParked',
        key: 'account-a',
        position: 2,
        streamId: 'account-a',
        streamVersion: 2,
        type: 'MoneyDeposited',
        attempts: 1,
        error: { name: 'Error', message: 'cannot bear 13', stack: expect.stringContaining('cannot bear 13') },
      },
      { fact: 'edict.EventParked', key: 'account-a', position: 4, attempts: 0 },
    ])
    await runner.stop()
  })

  it('is tried as often as onError wants before, and what that puts into its assigns is there the next time', async () => {
    const running = await surroundings()
    const told: unknown[] = []
    const { handler } = balances(new Set([13]), {
      onError: (_error, _recorded, { failures, assigns }) => {
        told.push({ ...assigns })
        assigns['last'] = failures
        return failures < 3 ? retry({ after: 1 }) : park()
      },
    })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 'a', 13)
    for (let attempt = 1; attempt < 3; attempt++) {
      await until(() => runner.failures === attempt && runner.state === 'retrying')
      await running.clock.advance(1)
    }
    await until(() => runner.position >= 1)
    expect(told).toEqual([{}, { last: 1 }, { last: 2 }])
    expect(facts(running.store)).toMatchObject([{ position: 1, attempts: 3 }])
    await runner.stop()
  })

  it('is parked once, where its place was not written down any more', async () => {
    const running = await surroundings()
    const { handled, handler } = balances(new Set([13]))
    let saves = true
    const forgetful = new Proxy(running.store, {
      get(target, key) {
        if (key === 'saveCheckpoint' && !saves) return () => true
        const member: unknown = Reflect.get(target, key, target)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
    const first = running.runner(handler, { store: forgetful })
    await first.start()
    deposit(running, 'a', 1)
    await until(() => first.position === 1)
    await running.clock.advance(50)
    saves = false
    deposit(running, 'a', 13)
    deposit(running, 'a', 2)
    await until(() => first.position >= 5)
    await first.stop()
    const second = running.runner(handler, { owner: 'node-2' })
    await second.start()
    await until(() => second.position >= 5)
    deposit(running, 'a', 3)
    await until(() => second.position >= 7)
    expect(facts(running.store)).toMatchObject([{ position: 2 }, { position: 3 }, { position: 6 }])
    expect(handled).toEqual(['a:1'])
    await second.stop()
  })

  it.each<[what: string, fails: number[], handled: string[], parked: number[], after: string[]]>([
    ['handled again', [], ['a:1', 'a:2'], [13, 3], ['a:1', 'a:2', 'a:13', 'a:3']],
    ['parked before it where they fail', [2], ['a:1'], [2, 13, 3], ['a:1', 'a:2', 'a:13', 'a:3']],
  ])('lets those before it come again, when the place was deleted: they are %s', async (_what, fails, ...expected) => {
    const running = await surroundings()
    const poison = new Set([13])
    const { handled, handler } = balances(poison)
    const first = running.runner(handler)
    await first.start()
    for (const amount of [1, 2, 13, 3]) deposit(running, 'a', amount)
    await until(() => first.position >= 4)
    await first.stop()
    await running.store.deleteCheckpoint('balances')
    handled.length = 0
    poison.clear()
    for (const amount of fails) poison.add(amount)
    const second = running.runner(handler, { owner: 'node-2' })
    await second.start()
    await until(() => second.position >= 6)
    const stream = parkedStream(running)
    await stream.catchUp()
    const amounts = [...stream.keys.all()].flatMap((key) =>
      key.entries().map(({ position }) => [1, 2, 13, 3][position - 1]),
    )
    const before = [...handled]
    poison.clear()
    await ask(running)
    await until(() => handled.length === 4)
    expect([before, amounts, handled]).toEqual(expected)
    await second.stop()
  })

  it('is known to the node that takes over', async () => {
    const running = await surroundings()
    const poison = new Set([13])
    const first = running.runner(balances(poison).handler)
    await first.start()
    deposit(running, 'a', 13)
    await until(() => first.position >= 1)
    await first.stop()
    const { handled, handler } = balances(new Set())
    const second = running.runner(handler, { owner: 'node-2' })
    deposit(running, 'a', 1)
    deposit(running, 'b', 1)
    await second.start()
    await until(() => second.position >= 4)
    expect(handled).toEqual(['b:1'])
    await second.stop()
  })

  it('is handled again, in order with what is behind it, when somebody asks for it; then the stream flows again', async () => {
    const running = await surroundings()
    const poison = new Set([13])
    const { handled, handler } = balances(poison)
    const runner = running.runner(handler)
    await runner.start()
    for (const amount of [13, 2, 3]) deposit(running, 'a', amount)
    await until(() => runner.position >= 3)
    poison.clear()
    await ask(running)
    await until(() => handled.length === 3)
    deposit(running, 'a', 4)
    await until(() => handled.length === 4)
    expect(handled).toEqual(['a:13', 'a:2', 'a:3', 'a:4'])
    const stream = parkedStream(running)
    await stream.catchUp()
    expect(stream.keys.size).toBe(0)
    await runner.stop()
  })

  it('stays parked where it fails again, with its attempts counted on, and what is behind it stays too', async () => {
    const running = await surroundings()
    const poison = new Set([13])
    const { handled, handler } = balances(poison)
    const runner = running.runner(handler)
    await runner.start()
    for (const amount of [13, 2]) deposit(running, 'a', amount)
    deposit(running, 'b', 13)
    await until(() => runner.position >= 3)
    await ask(running, 'account-a')
    await until(() => facts(running.store).length === 5)
    expect(facts(running.store).at(-1)).toMatchObject({
      fact: 'edict.ReplayFailed',
      key: 'account-a',
      position: 1,
      attempts: 2,
      error: { message: 'cannot bear 13' },
    })
    expect(handled).toEqual([])
    poison.clear()
    await ask(running, 'account-a')
    await until(() => handled.length === 2)
    expect(handled).toEqual(['a:13', 'a:2'])
    expect(runner.state).toBe('live')
    await runner.stop()
  })

  it('lets those come behind it that come while it is replayed, and nothing comes out of order', async () => {
    const running = await surroundings()
    const poison = new Set([1])
    const handled: number[] = []
    let inHand = 0
    const handler = eventHandler('balances', {
      events: [MoneyDeposited],
      handle: async ({ amount }) => {
        expect(++inHand).toBe(1)
        await Promise.resolve()
        inHand--
        if (poison.has(amount)) throw new Error('poison')
        handled.push(amount)
      },
      onError: () => park(),
    })
    const runner = running.runner(handler)
    await runner.start()
    for (let amount = 1; amount <= 50; amount++) deposit(running, 'a', amount)
    await until(() => facts(running.store).length === 50)
    poison.clear()
    await ask(running)
    for (let amount = 51; amount <= 150; amount++) {
      deposit(running, 'a', amount)
      if (amount % 3 === 0) await Promise.resolve()
    }
    await until(() => handled.length === 150)
    expect(handled).toEqual(Array.from({ length: 150 }, (_, index) => index + 1))
    await runner.stop()
  })

  it('is replayed by the node that takes over, where the one that was asked has stopped', async () => {
    const running = await surroundings()
    const poison = new Set([13])
    const { handled, handler } = balances(poison)
    const first = running.runner(handler)
    await first.start()
    deposit(running, 'a', 13)
    await until(() => first.position >= 1)
    await first.stop()
    poison.clear()
    await ask(running)
    const second = running.runner(handler, { owner: 'node-2' })
    await second.start()
    await until(() => handled.length === 1)
    await second.stop()
  })

  it('is not there any more once it is discarded, by whomever', async () => {
    const running = await surroundings()
    const { handled, handler } = balances(new Set([13]))
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 'a', 13)
    await until(() => runner.position >= 1)
    const stream = parkedStream(running)
    await stream.catchUp()
    await stream.append(() => ({
      facts: [{ fact: 'edict.EventDiscarded', key: 'account-a', position: 1, index: 0 }],
      about: undefined,
    }))
    deposit(running, 'a', 1)
    await until(() => handled.length === 1)
    expect(handled).toEqual(['a:1'])
    await runner.stop()
  })

  it('is not handled where it is discarded and comes again, also with others parked behind it, until the handler is reset', async () => {
    const running = await surroundings()
    const poison = new Set([13])
    const { handled, handler } = balances(poison)
    const first = running.runner(handler)
    await first.start()
    for (const amount of [1, 13, 2]) deposit(running, 'a', amount)
    deposit(running, 'b', 13)
    await until(() => first.position >= 4)
    const stream = parkedStream(running)
    await stream.catchUp()
    await stream.append(() => ({
      facts: [
        { fact: 'edict.EventDiscarded', key: 'account-a', position: 2, index: 0 },
        { fact: 'edict.EventDiscarded', key: 'account-b', position: 4, index: 0 },
      ],
      about: undefined,
    }))
    await first.stop()
    poison.clear()
    handled.length = 0
    // As after a crash that came before the place was written.
    await running.store.deleteCheckpoint('balances')
    const second = running.runner(handler, { owner: 'node-2' })
    await second.start()
    deposit(running, 'b', 1)
    await until(() => handled.includes('b:1'))
    expect(handled).toEqual(['a:1', 'b:1'])
    await second.stop()
    await stream.catchUp()
    // Nothing is parked any more when it is reset.
    await stream.append(() => ({
      facts: [{ fact: 'edict.EventDiscarded', key: 'account-a', position: 3, index: 0 }],
      about: undefined,
    }))
    const model = handlerBodyOf(handler)!.model
    const shared = sharedCheckpoints(running)
    await new HandlerReset({ ...running, model, shared, stream, application: 'bank', owner: 'node-2' }).run()
    handled.length = 0
    const third = running.runner(handler, { owner: 'node-3' })
    await third.start()
    await until(() => handled.includes('b:1'))
    expect(handled).toEqual(['a:1', 'a:13', 'a:2', 'b:13', 'b:1'])
    await third.stop()
  })

  it('is handled no more where it was erased: replaying it lets the others through', async () => {
    const running = await surroundings()
    const { handled, handler } = balances(new Set([13]), { partitionBy: () => 'all' })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 'a', 13)
    deposit(running, 'b', 1)
    await until(() => runner.position >= 2)
    await running.store.deleteStream('account-a')
    await ask(running, 'all')
    await until(() => handled.length === 1)
    expect(handled).toEqual(['b:1'])
    await runner.stop()
  })

  it('waits for a store that is away: it is neither lost nor handled twice', async () => {
    const running = await surroundings()
    let away = 3
    const flaky = new Proxy(running.store, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key, target)
        if (key === 'append' && away-- > 0) return () => Promise.reject(new StoreError('it is away'))
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
    let calls = 0
    const handler = eventHandler('balances', {
      events: [MoneyDeposited],
      handle: () => {
        calls++
        throw new Error('poison')
      },
      onError: () => park(),
    })
    const runner = running.runner(handler, { store: flaky })
    await runner.start()
    deposit(running, 'a', 1)
    await until(() => runner.state === 'retrying')
    await running.clock.advance(1_000)
    await running.clock.advance(4_000)
    await running.clock.advance(9_000)
    await until(() => runner.position >= 1)
    expect([calls, facts(running.store).length]).toEqual([1, 1])
    await runner.stop()
  })

  it('has a key of its own with partitionBy', async () => {
    const running = await surroundings()
    const { handled, handler } = balances(new Set([13]), { partitionBy: ({ data }) => data.amount % 2 })
    const runner = running.runner(handler)
    await runner.start()
    for (const [account, amount] of [
      ['a', 13],
      ['a', 2],
      ['b', 3],
      ['a', 4],
    ] as const)
      deposit(running, account, amount)
    await until(() => runner.position >= 6)
    expect(handled).toEqual(['a:2', 'a:4'])
    expect(facts(running.store)).toMatchObject([{ key: '1' }, { key: '1' }])
    await runner.stop()
  })

  it.each([
    ['nothing', undefined],
    ['a text', 'oh no'],
    [
      'an object that throws at each touch',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('hands off')
          },
        },
      ),
    ],
    ['a proxy that is revoked', revokedProxy()],
    ['an error with a code', Object.assign(new Error('no'), { code: 'E_NO' })],
  ])('is parked whatever the handler threw: %s', async (_, thrown) => {
    const running = await surroundings()
    const handler = eventHandler('balances', {
      events: [MoneyDeposited],
      handle: () => {
        throw thrown
      },
      onError: () => park(),
    })
    const runner = running.runner(handler)
    await runner.start()
    deposit(running, 'a', 1)
    await until(() => runner.position >= 1)
    expect(facts(running.store)).toMatchObject([
      { attempts: 1, error: { name: expect.any(String), message: expect.any(String) } },
    ])
    await runner.stop()
  })
})
