import { describe, expect, it } from '@jest/globals'
import { turn } from '../event-store/subscription-harness.ts'
import { deposit, node } from './node-harness.ts'
import { surroundings, type Running } from './runner-harness.ts'

const NOWHERE = Number.MAX_SAFE_INTEGER

/** Puts the checkpoints of a handler where nothing is; somebody holds them, or nobody does. */
async function put(running: Running, names: readonly string[], position: number, isHeld: boolean): Promise<void> {
  for (const name of names) {
    const claim = await running.store.claimCheckpoint(name, { owner: 'other', startAfter: position, lease: 3_000 })
    if (!isHeld) await running.store.releaseCheckpoint(name, claim?.epoch ?? 0)
  }
}

function layout(concurrency: number): readonly string[] {
  return concurrency === 1
    ? ['mails']
    : Array.from({ length: concurrency }, (_, index) => `mails#${index}/${concurrency}`)
}

describe.each([1, 3])('a strong dispatch, for a handler with %i partitions', (concurrency) => {
  const strong = (running: Running, seen: number[]) =>
    node(running, 'one', { concurrency, consistency: 'strong', handle: ({ amount }) => void seen.push(amount) })

  it('is not answered by checkpoints that were made by mistake, and are nowhere', async () => {
    const running = await surroundings()
    const { clock } = running
    await put(running, layout(concurrency), NOWHERE, true)
    const seen: number[] = []
    const { runner, board } = strong(running, seen)
    await runner.start()
    await clock.advance(1_000)
    const position = deposit(running, 'account', 7)
    const handledThen: number[][] = []
    const waiting = Promise.resolve(
      board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), 60_000),
    ).then((behind) => {
      handledThen.push([...seen])
      return behind
    })
    await clock.advance(500)
    expect(handledThen).toEqual([])
    await clock.advance(10_000)
    expect(await waiting).toEqual([])
    expect(handledThen).toEqual([[7]])
    await runner.stop()
  })

  it.each([
    ['which another owner holds', true],
    ['which nobody holds', false],
  ])('is not answered by checkpoints beyond the last event, %s', async (_, isHeld) => {
    const running = await surroundings()
    const { clock, store } = running
    deposit(running, 'account')
    await put(running, layout(concurrency), 4, isHeld)
    const seen: number[] = []
    const { runner, board } = strong(running, seen)
    await runner.start()
    await clock.advance(1_000)
    const wait = (position: number) =>
      board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), 1_000)
    // Also not once the store has grown so far: these were passed over.
    for (let count = 0; count < 3; count++) {
      const waiting = wait(deposit(running, 'account'))
      await clock.advance(1_000)
      expect(await waiting).toEqual(['mails'])
    }
    // From the first event behind it on, it is a place like any other.
    if (isHeld) await clock.advance(5_000)
    expect(await store.headPosition()).toBe(4)
    const waiting = wait(deposit(running, 'account', 9))
    await clock.advance(1_000)
    expect([await waiting, seen]).toEqual([[], [9]])
    await runner.stop()
  })

  it('does not wait for what comes before the place that a handler is to begin at', async () => {
    const running = await surroundings()
    const { clock } = running
    const { runner, board } = node(running, 'one', { concurrency, consistency: 'strong', startFrom: 100 })
    await runner.start()
    await turn()
    const position = deposit(running, 'account')
    const waiting = board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), 1_000)
    await clock.advance(1_000)
    expect(await waiting).toEqual([])
    await runner.stop()
  })
})

describe('a strong dispatch, for a handler that another node runs', () => {
  it('asks for the last event only where a checkpoint is further than what was known of it', async () => {
    const running = await surroundings()
    const { clock, store } = running
    let asked = 0
    const counting = new Proxy(store, {
      get(target, key) {
        if (key === 'headPosition') asked++
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const definition = { concurrency: 1, consistency: 'strong' } as const
    const first = node(running, 'one', definition)
    const second = node(running, 'two', definition, { store: counting })
    await first.runner.start()
    await second.runner.start()
    const position = deposit(running, 'account')
    const waiting = second.board.wait([{ type: 'MoneyDeposited', position }], second.board.resolve('strong'), 1_000)
    await clock.advance(500)
    expect(await waiting).toEqual([])
    const before = asked
    await clock.advance(20_000)
    expect([before, asked - before]).toEqual([1, 0])
    await first.runner.stop()
    await second.runner.stop()
  })
})
