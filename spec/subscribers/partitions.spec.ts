import { describe, expect, it } from '@jest/globals'
import { retry, skip, stop } from '../../lib/subscribers/error-action.ts'
import { hashOf } from '../../lib/subscribers/partitioning.ts'
import { turn, until } from '../event-store/subscription-harness.ts'
import { deposit, node, type Definition } from './node-harness.ts'
import { surroundings, type Running } from './runner-harness.ts'

const accounts = Array.from({ length: 16 }, (_, index) => `account-${index}`)

const lastPartition = accounts.find((account) => hashOf(account) % 4 === 3) ?? ''

async function checkpoints(running: Running): Promise<Record<string, number>> {
  const states = await running.store.listCheckpoints('mails')
  return Object.fromEntries(states.map(({ name, position }) => [name, position]))
}

describe('a handler with several partitions', () => {
  it('handles events of different partitions at once, and those of one key in order', async () => {
    const running = await surroundings()
    const inHand = new Set<string>()
    const seen = new Map<string, number[]>()
    let most = 0
    const { runner } = node(running, 'one', {
      handle: async ({ accountNumber, amount }) => {
        expect(inHand.has(accountNumber)).toBe(false)
        inHand.add(accountNumber)
        most = Math.max(most, inHand.size)
        await turn()
        seen.set(accountNumber, [...(seen.get(accountNumber) ?? []), amount])
        inHand.delete(accountNumber)
      },
    })
    for (const amount of [1, 2]) for (const account of accounts) deposit(running, account, amount)
    await runner.start()
    for (const amount of [3, 4]) for (const account of accounts) deposit(running, account, amount)
    await until(() => [...seen.values()].flat().length === 64)
    expect(most).toBe(4)
    for (const account of accounts) expect(seen.get(account)).toEqual([1, 2, 3, 4])
    await until(() => runner.position === 64)
    expect([runner.state, runner.lag]).toEqual(['live', 0])
    await runner.stop()
    expect([runner.state, running.clock.timers]).toEqual(['stopped', 0])
    expect(await checkpoints(running)).toEqual({ 'mails#0/4': 64, 'mails#1/4': 64, 'mails#2/4': 64, 'mails#3/4': 64 })
  })

  it('keeps in order what partitionBy gives the same key', async () => {
    const running = await surroundings()
    const seen: number[] = []
    let inHand = 0
    const { runner } = node(running, 'one', {
      partitionBy: () => 'one for all',
      handle: async ({ amount }) => {
        expect(++inHand).toBe(1)
        await turn()
        inHand--
        seen.push(amount)
      },
    })
    await runner.start()
    accounts.forEach((account, amount) => deposit(running, account, amount))
    await until(() => seen.length === 16)
    expect(seen).toEqual([...accounts.keys()])
    await runner.stop()
  })

  it('goes on where each of its partitions was', async () => {
    const running = await surroundings()
    const seen: string[] = []
    const definition: Definition = { handle: ({ accountNumber }) => void seen.push(accountNumber) }
    const first = node(running, 'one', definition)
    await first.runner.start()
    for (const account of accounts.slice(0, 8)) deposit(running, account)
    await until(() => seen.length === 8)
    await first.runner.stop()
    for (const account of accounts.slice(8)) deposit(running, account)
    const second = node(running, 'two', definition)
    await second.runner.start()
    await until(() => seen.length === 16)
    expect([...seen].sort()).toEqual([...accounts].sort())
    await second.runner.stop()
  })

  it('calls afterStart once, before the first event of whichever partition', async () => {
    const running = await surroundings()
    const seen: string[] = []
    for (const account of accounts) deposit(running, account)
    const { runner } = node(running, 'one', {
      afterStart: async ({ handlerName }) => {
        await turn()
        seen.push(`started ${handlerName}`)
      },
      handle: () => void seen.push('event'),
    })
    await runner.start()
    await until(() => seen.length === 17)
    expect(seen).toEqual(['started mails', ...accounts.map(() => 'event')])
    await runner.stop()
    await runner.start()
    await until(() => seen.length === 18)
    await runner.stop()
  })

  it('begins all partitions with what comes next, where it starts from current', async () => {
    const running = await surroundings()
    for (const account of accounts) deposit(running, account)
    let handled = 0
    const { runner } = node(running, 'one', {
      startFrom: 'current',
      handle: () => {
        handled++
      },
    })
    await runner.start()
    for (const account of accounts) deposit(running, account)
    await until(() => handled === 16 && runner.position === 32)
    expect(handled).toBe(16)
    await runner.stop()
  })
})

describe('a partition that fails', () => {
  it('stops alone; the handler counts as failed, and who waits for it is answered at once', async () => {
    const running = await surroundings()
    const seen: string[] = []
    const { runner, board } = node(running, 'one', {
      consistency: 'strong',
      onError: () => stop(),
      handle: ({ accountNumber, amount }) => {
        if (amount === 13) throw new Error('unlucky')
        seen.push(accountNumber)
      },
    })
    await runner.start()
    deposit(running, 'account-0', 13)
    for (const account of accounts) deposit(running, account)
    await until(() => seen.length >= 8)
    const position = deposit(running, 'account-0')
    await turn()
    expect(seen).not.toContain('account-0')
    expect(new Set(seen).size).toBeGreaterThan(8)
    expect([runner.state, runner.position, (runner.lastError as Error).message]).toEqual(['failed', 0, 'unlucky'])
    const waiting = board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), Infinity)
    expect(await waiting).toEqual(['mails'])
    // It is not tried again while the node runs.
    await running.clock.advance(5_000)
    expect(running.logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    await runner.stop()
    expect(runner.state).toBe('failed')
  })

  it('is the one that gets no key for an event: it is tried again, and skipped where onError says so', async () => {
    const running = await surroundings()
    const asked: number[] = []
    const seen: number[] = []
    const { runner } = node(running, 'one', {
      partitionBy: ({ data }) => {
        asked.push(data.amount)
        return data.amount === 1 ? (undefined as unknown as string) : data.accountNumber
      },
      onError: (_error, _recorded, { failures }) => (failures < 2 ? retry({ after: 1 }) : skip()),
      handle: ({ amount }) => void seen.push(amount),
    })
    await runner.start()
    deposit(running, 'account-0', 1)
    deposit(running, 'account-0', 2)
    await running.clock.advance(10)
    await until(() => seen.length === 1)
    expect(asked.filter((amount) => amount === 1).length).toBeGreaterThan(1)
    expect([seen, runner.state]).toEqual([[2], 'live'])
    await runner.stop()
  })
})

describe('partitions on several nodes', () => {
  it('are spread evenly, and spread anew when a node comes or goes', async () => {
    const running = await surroundings()
    const { clock } = running
    const seen: string[] = []
    const handle: Definition['handle'] = ({ accountNumber, amount }) => void seen.push(`${accountNumber} ${amount}`)
    const nodes = ['one', 'two', 'three'].map((owner) => node(running, owner, { handle }))
    const [one, two, three] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]]
    const all = () => nodes.map(({ held }) => held().length)
    const everyPartition = () => nodes.flatMap(({ held }) => held()).sort()
    await one.runner.start()
    expect(all()).toEqual([4, 0, 0])
    await two.runner.start()
    await clock.advance(1_500)
    expect(all()).toEqual([2, 2, 0])
    await three.runner.start()
    await clock.advance(1_500)
    expect(all().sort()).toEqual([1, 1, 2])
    expect(everyPartition()).toEqual([0, 1, 2, 3])
    const settled = nodes.map(({ held }) => held())
    for (let round = 1; round <= 5; round++) for (const account of accounts) deposit(running, account, round)
    await clock.advance(10_000)
    expect(nodes.map(({ held }) => held())).toEqual(settled)
    await two.runner.stop()
    await clock.advance(1_000)
    expect(all()).toEqual([2, 0, 2])
    await three.runner.stop()
    await clock.advance(1_000)
    expect(one.held()).toEqual([0, 1, 2, 3])
    expect(seen).toHaveLength(80)
    for (const account of accounts) {
      expect(seen.filter((line) => line.startsWith(`${account} `))).toEqual(
        [1, 2, 3, 4, 5].map((n) => `${account} ${n}`),
      )
    }
    await one.runner.stop()
    expect(Object.keys(await checkpoints(running))).toEqual(['mails#0/4', 'mails#1/4', 'mails#2/4', 'mails#3/4'])
    expect(clock.timers).toBe(0)
  })

  it('are taken over from a node that was killed, and nothing of it is left behind', async () => {
    const running = await surroundings()
    const { clock, store } = running
    for (const name of ['mails@4/killed', 'mails#0/4', 'mails#1/4', 'mails#2/4', 'mails#3/4']) {
      await store.claimCheckpoint(name, { owner: 'killed', startAfter: 0, lease: 5_000 })
    }
    const { runner, held } = node(running, 'one', {})
    await runner.start()
    await clock.advance(4_000)
    expect([held(), runner.state]).toEqual([[], 'starting'])
    await clock.advance(2_000)
    expect(held()).toEqual([0, 1, 2, 3])
    expect(Object.keys(await checkpoints(running))).not.toContain('mails@4/killed')
    await runner.stop()
  })

  it('move after the event in hand, whose signal is not disturbed', async () => {
    const running = await surroundings()
    const { clock } = running
    let end: (() => void) | undefined
    const aborted: boolean[] = []
    const seen: string[] = []
    // Of the partition that the first node gives up first.
    const partitionBy = () => lastPartition
    const one = node(running, 'one', {
      partitionBy,
      handle: async ({ accountNumber }, _recorded, { signal }) => {
        await new Promise<void>((resolve) => (end = resolve))
        aborted.push(signal.aborted)
        seen.push(`one ${accountNumber}`)
      },
    })
    const handle: Definition['handle'] = ({ accountNumber }) => void seen.push(`two ${accountNumber}`)
    const two = node(running, 'two', { partitionBy, handle })
    await one.runner.start()
    deposit(running, 'a')
    deposit(running, 'b')
    await turn()
    await two.runner.start()
    await clock.advance(20_000)
    expect([seen, one.held(), two.held()]).toEqual([[], [0, 1, 3], [2]])
    end?.()
    await clock.advance(1_000)
    expect([seen, one.held(), two.held()]).toEqual([
      ['one a', 'two b'],
      [0, 1],
      [2, 3],
    ])
    expect(aborted).toEqual([false])
    await one.runner.stop()
    await two.runner.stop()
  })

  it('make a dispatch wait for all of them, wherever they are', async () => {
    const running = await surroundings()
    const { clock } = running
    const pending: (() => void)[] = []
    const definition: Definition = {
      consistency: 'strong',
      handle: () => new Promise<void>((resolve) => void pending.push(resolve)),
    }
    const one = node(running, 'one', definition)
    const two = node(running, 'two', definition)
    await one.runner.start()
    await two.runner.start()
    await clock.advance(1_500)
    expect([one.held().length, two.held().length]).toEqual([2, 2])
    for (const account of ['account-0', 'account-1', 'account-2', 'account-3']) {
      const position = deposit(running, account)
      const answers = [one, two].map(({ board }) => {
        const state = { answer: undefined as unknown }
        const waiting = board.wait([{ type: 'MoneyDeposited', position }], board.resolve('strong'), 60_000)
        void Promise.resolve(waiting).then((answer) => (state.answer = answer))
        return state
      })
      await clock.advance(300)
      expect(answers.map(({ answer }) => answer)).toEqual([undefined, undefined])
      pending.shift()?.()
      await clock.advance(150)
      expect(answers.map(({ answer }) => answer)).toEqual([[], []])
    }
    await one.runner.stop()
    await two.runner.stop()
  })
})
