import { describe, expect, it } from '@jest/globals'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import { turn, until } from '../event-store/subscription-harness.ts'
import { deposit, node, type Definition } from './node-harness.ts'
import { surroundings, type Running } from './runner-harness.ts'

const accounts = Array.from({ length: 16 }, (_, index) => `account-${index}`)

async function names(running: Running): Promise<readonly string[]> {
  return (await running.store.listCheckpoints('mails')).map(({ name }) => name)
}

/** The names that a handler with so many partitions has, with no node that runs it. */
function layout(count: number): readonly string[] {
  return count === 1 ? ['mails'] : Array.from({ length: count }, (_, index) => `mails#${index}/${count}`)
}

/** A handler that keeps what it is given. */
function keeping(running: Running, owner: string, concurrency: number, over: Partial<EventStore> = {}) {
  const seen: string[] = []
  const handle: Definition['handle'] = ({ accountNumber, amount }) => void seen.push(`${accountNumber} ${amount}`)
  const store = new Proxy(running.store, {
    get(target, key) {
      const value: unknown = Reflect.get(over, key) ?? Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { ...node(running, owner, { concurrency, handle }, { store }), seen }
}

describe('a handler whose concurrency changes', () => {
  it.each([
    [1, 4],
    [4, 1],
    [4, 8],
    [8, 4],
    [2, 3],
  ])('goes on with %i as it was with %i: nothing is skipped, and nothing of before is left', async (before, after) => {
    const running = await surroundings()
    const first = keeping(running, 'one', before)
    await first.runner.start()
    for (const account of accounts) deposit(running, account, 1)
    await until(() => first.seen.length === 16)
    await first.runner.stop()
    for (const account of accounts) deposit(running, account, 2)
    const second = keeping(running, 'two', after)
    await second.runner.start()
    await until(() => second.seen.length === 16)
    expect([...second.seen].sort()).toEqual(accounts.map((account) => `${account} 2`).sort())
    await second.runner.stop()
    expect(await names(running)).toEqual([...layout(after)].sort())
  })

  it('begins where the partition was that was furthest behind', async () => {
    const running = await surroundings()
    const { store } = running
    for (const account of accounts) deposit(running, account)
    for (const [index, position] of [9, 5, 16, 12].entries()) {
      const claim = await store.claimCheckpoint(`mails#${index}/4`, { owner: 'before', startAfter: position })
      await store.releaseCheckpoint(`mails#${index}/4`, claim?.epoch ?? 0)
    }
    const { runner, seen } = keeping(running, 'one', 3)
    await runner.start()
    await until(() => runner.position === 16)
    expect([...seen].sort()).toEqual(
      accounts
        .slice(5)
        .map((account) => `${account} 1`)
        .sort(),
    )
    await runner.stop()
  })

  it('waits while a node runs it as before, says so once, and takes over when that one is gone', async () => {
    const running = await surroundings()
    const { clock, logger } = running
    const old = keeping(running, 'one', 4)
    const fresh = keeping(running, 'two', 2)
    await old.runner.start()
    await fresh.runner.start()
    await clock.advance(20_000)
    deposit(running, 'account-1', 1)
    await turn()
    expect([old.seen.length, fresh.seen.length, fresh.runner.state]).toEqual([1, 0, 'starting'])
    expect(logger.lines.map(({ message }) => message)).toEqual([
      'the handler mails is to run with concurrency 2 and waits: a node that runs it with another one holds mails#0/4',
    ])
    await old.runner.stop()
    deposit(running, 'account-1', 2)
    await clock.advance(1_000)
    expect(fresh.seen).toEqual(['account-1 2'])
    await fresh.runner.stop()
    expect(await names(running)).toEqual(layout(2))
  })

  it.each([1, 4, 8])(
    'is run with one number only, where many nodes with different ones begin at once (%i)',
    async (first) => {
      const running = await surroundings()
      const { clock } = running
      const before = keeping(running, 'zero', 2)
      await before.runner.start()
      for (const account of accounts) deposit(running, account, 1)
      await until(() => before.seen.length === 16)
      await before.runner.stop()
      const counts = [first, ...[1, 4, 8].filter((count) => count !== first), 1, 4, 8]
      const nodes = counts.map((count, index) => keeping(running, `node-${index}`, count))
      await Promise.all(nodes.map(async ({ runner }) => runner.start()))
      for (const account of accounts) deposit(running, account, 2)
      await clock.advance(5_000)
      const busy = counts.filter((_, index) => (nodes[index]?.seen.length ?? 0) > 0)
      expect(new Set(busy).size).toBe(1)
      const seen = nodes.flatMap((one) => one.seen)
      expect([...seen].sort()).toEqual(accounts.map((account) => `${account} 2`).sort())
      for (const { runner } of nodes) await runner.stop()
      expect(new Set(await names(running))).toEqual(new Set(layout(busy[0] ?? 0)))
    },
  )

  it.each(Array.from({ length: 20 }, (_, step) => step))(
    'goes on with any number after a crash in the middle of the change (at step %i)',
    async (step) => {
      for (const next of [1, 3, 4]) {
        const running = await surroundings()
        const before = keeping(running, 'zero', 3)
        await before.runner.start()
        for (const account of accounts) deposit(running, account, 1)
        await until(() => before.seen.length === 16)
        await before.runner.stop()
        for (const account of accounts) deposit(running, account, 2)
        // From this call on, the node reaches the store no more.
        let calls = 0
        const crashing = (key: 'claimCheckpoint' | 'releaseCheckpoint' | 'deleteCheckpoint') => {
          const method = running.store[key].bind(running.store) as (...all: never[]) => unknown
          return ((...given: never[]) => (calls++ < step ? method(...given) : new Promise(() => undefined))) as never
        }
        const crashed = keeping(running, 'crashed', 4, {
          claimCheckpoint: crashing('claimCheckpoint'),
          releaseCheckpoint: crashing('releaseCheckpoint'),
          deleteCheckpoint: crashing('deleteCheckpoint'),
          renewCheckpoints: () => new Promise(() => undefined),
        })
        void crashed.runner.start()
        await turn()
        await running.clock.advance(6_000)
        const after = keeping(running, 'after', next)
        await after.runner.start()
        await running.clock.advance(6_000)
        const seen = new Set([...crashed.seen, ...after.seen])
        for (const account of accounts) expect(seen).toContain(`${account} 2`)
        expect(seen.size).toBe(16)
        await after.runner.stop()
        expect(new Set(await names(running))).toEqual(new Set(layout(next)))
      }
    },
  )

  it('gives way where another number won while it was claiming, and leaves nothing behind', async () => {
    const running = await surroundings()
    const { store, clock } = running
    const first = keeping(running, 'one', 4)
    await first.runner.start()
    for (const account of accounts) deposit(running, account, 1)
    await until(() => first.seen.length === 16)
    // What this one saw is from before the other one began.
    let stale = 1
    const late = keeping(running, 'late', 1, {
      listCheckpoints: (prefix) => (stale-- > 0 ? [] : store.listCheckpoints(prefix)),
    })
    await late.runner.start()
    expect([late.seen, await store.readCheckpoint('mails')]).toEqual([[], undefined])
    deposit(running, 'account-1', 2)
    await clock.advance(2_000)
    expect([first.seen.length, late.seen]).toEqual([17, []])
    await late.runner.stop()
    await first.runner.stop()
  })
})
