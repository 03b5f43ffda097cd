import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { RecordedEvent } from '../../lib/messages/recorded-event.ts'
import { handlerCheckpoints, memberCheckpoint, partitionCheckpoint } from '../../lib/subscribers/partition-names.ts'
import { partitionShares } from '../../lib/subscribers/partition-share.ts'
import { Partitioning, hashOf } from '../../lib/subscribers/partitioning.ts'

const recorded = (streamId: string) => ({ streamId, type: 'Happened', data: {} }) as unknown as RecordedEvent

describe('the partition of an event', () => {
  it('follows from its key for ever: stored checkpoints depend on it', () => {
    expect(['', 'a', 'account-1', 'account-2', 'Zoë 😀'].map(hashOf)).toEqual([
      2872998923, 444641715, 3894197580, 2087578016, 2272663359,
    ])
  })

  it('is one of those there are, much alike in number', () => {
    const partitioning = new Partitioning('h', 8, undefined)
    const counts = new Map<number, number>()
    for (let number = 0; number < 8_000; number++) {
      const partition = partitioning.partitionOf(recorded(`account-${number}`))
      counts.set(partition, (counts.get(partition) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(200)
  })

  it('is looked for once where several partitions ask for the same event', () => {
    let asked = 0
    const partitioning = new Partitioning('h', 4, () => ++asked)
    const event = recorded('account-1')
    const partitions = [1, 2, 3].map(() => partitioning.partitionOf(event))
    expect([asked, new Set(partitions).size]).toEqual([1, 1])
  })

  it('takes numbers as their text', () => {
    const [number, text] = [7, '7'].map((key) => new Partitioning('h', 16, () => key).partitionOf(recorded('x')))
    expect(number).toBe(text)
  })

  it.each([undefined, null, NaN, Infinity, {}, 1n, true])('refuses %p as a key', (key) => {
    expect(() => new Partitioning('h', 4, () => key).partitionOf(recorded('x'))).toThrow(
      expect.objectContaining({ code: 'invalid_definition' }),
    )
  })
})

describe('the share of a node', () => {
  it('is even, whatever was held before, and moves nothing that need not move', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(5), { minLength: 6, maxLength: 6 }),
        (count, owners, before) => {
          const held = new Map(owners.map((owner, index) => [owner, before[index] ?? 0]))
          const shares = [...partitionShares(count, held).values()]
          expect(shares.reduce((sum, share) => sum + share, 0)).toBe(count)
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
          // Whoever sees the same comes to the same, in whatever order.
          expect(new Map(partitionShares(count, new Map([...held].reverse())))).toEqual(partitionShares(count, held))
        },
      ),
    )
    const settled = new Map([
      ['one', 1],
      ['two', 2],
      ['three', 1],
    ])
    expect(partitionShares(4, settled)).toEqual(settled)
  })
})

describe('the checkpoints of a handler', () => {
  const state = (name: string) => ({ name, position: 0, index: 0, epoch: 1, owner: undefined })

  it('are told from those of all others', () => {
    const mine = [
      partitionCheckpoint('mails', 0, 1),
      partitionCheckpoint('mails', 3, 4),
      memberCheckpoint('mails', 'n/1', 4),
    ]
    const others = [
      'mail',
      'mails-daily',
      'mails#',
      'mails#1',
      'mails#1/x',
      'mails#1/2/3',
      'mails@x',
      'other#3/4',
      '#3/4',
    ]
    const { layouts, members } = handlerCheckpoints('mails', [...mine, ...others].map(state))
    expect([...layouts].map(([count, rows]) => [count, [...rows.keys()]])).toEqual([
      [1, ['mails']],
      [4, ['mails#3/4']],
    ])
    expect(members.map(({ name, count }) => [name, count])).toEqual([['mails@4/n/1', 4]])
  })
})
