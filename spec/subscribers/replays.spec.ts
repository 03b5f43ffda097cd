import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../lib/effects/clock.ts'
import { park } from '../../lib/subscribers/error-action.ts'
import { eventHandler, type EventHandlerDefinition } from '../../lib/subscribers/event-handler.ts'
import { ParkedControl } from '../../lib/subscribers/parked-control.ts'
import type { EventParked } from '../../lib/subscribers/parked-facts.ts'
import { ParkedStream } from '../../lib/subscribers/parked-stream.ts'
import { append, until } from '../event-store/subscription-harness.ts'
import { MoneyDeposited, surroundings, type Running } from './runner-harness.ts'

type Definition = Partial<EventHandlerDefinition<readonly [typeof MoneyDeposited]>>

function deposit({ store }: Running, account: string, ...amounts: readonly number[]): void {
  for (const amount of amounts) {
    append(store, 'MoneyDeposited', `account-${account}`, 'BankAccount', { accountNumber: account, amount })
  }
}

/** A running handler that fails at the amounts that are poison, and waits for the gate where there is one. */
async function balances(definition: Definition = {}) {
  const running = await surroundings()
  const poison = new Set<number>()
  const handled: number[] = []
  const begun: number[] = []
  const gate: { opened?: Promise<void> } = {}
  const handler = eventHandler('balances', {
    events: [MoneyDeposited],
    handle: ({ amount }) => {
      begun.push(amount)
      if (poison.has(amount)) throw new Error(`cannot bear ${amount}`)
      if (gate.opened === undefined) handled.push(amount)
      else return gate.opened.then(() => void handled.push(amount))
      return undefined
    },
    onError: () => park(),
    ...definition,
  })
  const runner = running.runner(handler)
  await runner.start()
  const stream = new ParkedStream('balances', running.store, () => running.clock.now())
  const control = new ParkedControl(stream, { ...running, clock: systemClock })
  return { running, runner, poison, handled, begun, gate, stream, control }
}

/** A gate that is shut, and what opens it. */
function shut(gate: { opened?: Promise<void> }): () => void {
  const latch = { open: (): void => undefined }
  gate.opened = new Promise((resolve) => {
    latch.open = resolve
  })
  return () => {
    delete gate.opened
    latch.open()
  }
}

describe('a replay', () => {
  it('of one event goes on with what came behind it, that which comes meanwhile included', async () => {
    const { running, runner, poison, handled, begun, gate, control } = await balances()
    poison.add(13)
    deposit(running, 'a', 13, 2)
    await until(() => runner.position >= 2)
    poison.clear()
    const open = shut(gate)
    const replayed = control.replay({ position: 1 })
    await until(() => begun.length === 2)
    deposit(running, 'a', 3, 4)
    open()
    expect(await replayed).toEqual({ replayed: 1, failed: 0, waiting: 0 })
    await until(() => handled.length === 4)
    deposit(running, 'a', 5)
    await until(() => handled.length === 5)
    expect(handled).toEqual([13, 2, 3, 4, 5])
    expect(await control.count()).toBe(0)
    await runner.stop()
  })

  it('of one event goes on until one fails, and behind that one the others wait', async () => {
    const { running, runner, poison, handled, begun, control } = await balances()
    poison.add(13)
    deposit(running, 'a', 13, 2, 3, 4)
    await until(() => runner.position >= 4)
    poison.clear()
    poison.add(3)
    await control.replay({ position: 1 })
    await until(() => handled.length === 2 && begun.filter((amount) => amount === 3).length === 1)
    // Behind what is appended already, so that it is known.
    await runner.stop()
    expect((await control.list()).map(({ position, attempts }) => [position, attempts])).toEqual([
      [3, 1],
      [4, 0],
    ])
    expect(handled).toEqual([13, 2])
  })

  it('does not go on by itself with what has failed before', async () => {
    const { running, runner, handled, stream, control } = await balances()
    deposit(running, 'a', 1)
    await until(() => runner.position >= 1)
    await runner.stop()
    const facts = [parkedAt('one', 2), { ...parkedAt('one', 3), attempts: 1 }, parkedAt('one', 4)]
    await stream.append(() => ({ facts, about: undefined }))
    await runner.start()
    expect(await control.replay({ position: 2 })).toEqual({ replayed: 1, failed: 0, waiting: 0 })
    await runner.stop()
    expect((await control.list()).map(({ position, attempts }) => [position, attempts])).toEqual([
      [3, 1],
      [4, 0],
    ])
    expect(handled).toEqual([1, 1])
  })

  it('counts as replayed what was handled, and not what was discarded meanwhile', async () => {
    const { running, runner, poison, handled, begun, gate, control } = await balances()
    poison.add(13)
    deposit(running, 'a', 13, 2, 3)
    await until(() => runner.position >= 3)
    poison.clear()
    const open = shut(gate)
    const replayed = control.replay()
    await until(() => begun.length === 2)
    expect(await control.discard({ position: 2 })).toBe(1)
    open()
    expect(await replayed).toEqual({ replayed: 2, failed: 0, waiting: 0 })
    expect(handled).toEqual([13, 3])
    await runner.stop()
  })

  it('tells of 20,000 events of one key, the first of which fails again', async () => {
    const { running, runner, poison, stream, control } = await balances()
    poison.add(13)
    deposit(running, 'a', 13)
    await until(() => runner.position >= 1)
    await runner.stop()
    await stream.catchUp()
    const facts = Array.from({ length: 19_999 }, (_, index) => parkedAt('account-a', index + 10))
    await stream.append(() => ({ facts, about: undefined }))
    await runner.start()
    expect(await control.replay('all', { timeout: 20_000 })).toEqual({ replayed: 0, failed: 1, waiting: 19_999 })
    await runner.stop()
  })

  it('is there for each of 112,000 keys, of which the last 2,000 are parked one by one', async () => {
    const { running, runner, poison, handled, stream, control } = await balances({
      partitionBy: ({ data }) => data.amount,
    })
    const amounts = Array.from({ length: 2_000 }, (_, index) => index)
    deposit(running, 'a', 10_000)
    await until(() => runner.position >= 1)
    await runner.stop()
    const facts = Array.from({ length: 110_000 }, (_, index) => parkedAt(String(index + 10_000), index + 2))
    await stream.append(() => ({ facts, about: undefined }))
    await runner.start()
    for (const amount of amounts) poison.add(amount)
    deposit(running, 'b', ...amounts)
    await until(() => runner.position >= 112_001)
    expect(await control.count()).toBe(112_000)
    poison.clear()
    expect(await control.replay({ key: '1999' })).toEqual({ replayed: 1, failed: 0, waiting: 0 })
    expect(handled).toEqual([10_000, 1_999])
    await runner.stop()
  }, 180_000)
})

function parkedAt(key: string, position: number, index = 0): EventParked {
  const fact = 'edict.EventParked'
  return { fact, key, position, index, type: 'MoneyDeposited', streamId: 'account-a', streamVersion: 1, attempts: 0 }
}

describe('the pages of what is parked', () => {
  it('leave none out, where one position has several', async () => {
    const { running, runner, stream, control } = await balances()
    await runner.stop()
    deposit(running, 'a', 1)
    await stream.append(() => ({
      facts: [
        parkedAt('one', 1),
        ...[0, 1, 2].map((index) => parkedAt('one', 2, index)),
        ...['two', 'three'].map((key) => parkedAt(key, 2)),
        parkedAt('two', 3),
      ],
      about: undefined,
    }))
    const pages: number[][] = []
    for (let after: number | undefined = 0; after !== undefined; after = pages.at(-1)?.at(-1)) {
      pages.push((await control.list({ limit: 2, after })).map(({ position }) => position))
    }
    expect(pages).toEqual([[1, 2, 2, 2, 2, 2], [3], []])
    expect((await control.list({ limit: 1 })).map(({ position }) => position)).toEqual([1])
  })

  it('are replayed by position under each key that the event is parked under', async () => {
    const { running, runner, handled, stream, control } = await balances()
    deposit(running, 'a', 1)
    await until(() => runner.position >= 1)
    await runner.stop()
    await stream.append(() => ({ facts: [parkedAt('one', 2), parkedAt('two', 2)], about: undefined }))
    await runner.start()
    expect(await control.replay({ position: 2 })).toEqual({ replayed: 2, failed: 0, waiting: 0 })
    expect(handled).toEqual([1, 1, 1])
    await runner.stop()
  })
})
