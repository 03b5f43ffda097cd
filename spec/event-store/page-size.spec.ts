import { describe, expect, it } from '@jest/globals'
import { PageSize } from '../../lib/event-store/page-size.ts'
import type { StoredEvent } from '../../lib/event-store/stored-event.ts'

function pageOf(count: number, data: unknown): StoredEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    eventId: `event-${index}`,
    type: 'MoneyDeposited',
    schemaVersion: 1,
    contentType: 'application/json',
    data,
    metadata: {},
    commandId: `command-${index}`,
    causationId: `command-${index}`,
    correlationId: `command-${index}`,
    createdAt: 0,
    streamId: 'account-1',
    category: 'BankAccount',
    streamVersion: index + 1,
    position: index + 1,
  }))
}

describe('the size of a page', () => {
  it('grows while pages are full and light, up to the most', () => {
    const size = new PageSize(2_000)
    const counts = [size.count]
    for (let turn = 0; turn < 4; turn++) {
      size.learn(pageOf(size.count, '{"amount":5}'))
      counts.push(size.count)
    }
    expect(counts).toEqual([500, 1_000, 2_000, 2_000, 2_000])
  })

  it('stays as it is where there is no more to be read', () => {
    const size = new PageSize(2_000)
    size.learn(pageOf(499, '{}'))
    expect(size.count).toBe(500)
  })

  it('is no larger than the most from the beginning', () => {
    const size = new PageSize(7)
    size.learn(pageOf(7, '{}'))
    expect(size.count).toBe(7)
  })

  it.each([
    ['text', 'x'.repeat(100_000)],
    ['bytes', new Uint8Array(100_000)],
  ])('shrinks while data is heavy %s, and grows again behind it', (_kind, data) => {
    const size = new PageSize(2_000)
    size.learn(pageOf(500, data))
    size.learn(pageOf(size.count, data))
    expect(size.count).toBe(125)
    for (let turn = 0; turn < 10; turn++) size.learn(pageOf(size.count, data))
    expect(size.count * data.length).toBeLessThan(4_000_000)
    expect(size.count).toBeGreaterThan(1)
    size.learn(pageOf(1, 'x'.repeat(5_000_000)))
    expect(size.count).toBe(1)
    for (let turn = 0; turn < 20; turn++) size.learn(pageOf(size.count, '{}'))
    expect(size.count).toBe(2_000)
  })
})
