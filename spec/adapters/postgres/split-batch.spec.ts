import { describe, expect, it } from '@jest/globals'
import { splitBatch } from '../../../lib/adapters/postgres/split-batch.ts'
import { textAppend } from './test-database.ts'

const call = (...streamIds: string[]) => ({
  streams: streamIds.map((streamId) => textAppend(streamId)),
  atomic: false,
})
const many = (count: number) => Array.from({ length: count }, (_, index) => call(`account-${index}`))

describe('the appends of one group commit', () => {
  it('are of each stream once: a later one for a stream waits, and lets nothing of its own pass', () => {
    const [first, second, third, fourth] = [call('a'), call('a', 'b'), call('b'), call('c')]
    expect(splitBatch([first, second, third, fourth])).toEqual({ taken: [first, fourth], left: [second, third] })
  })

  it('are of 512 streams, and all others wait in their order, however many they are', () => {
    const waiting = many(300_000)
    const { taken, left } = splitBatch(waiting)
    expect(taken).toEqual(waiting.slice(0, 512))
    expect(left).toHaveLength(waiting.length - 512)
    expect([left[0], left.at(-1)]).toEqual([waiting[512], waiting.at(-1)])
  })

  it('are one at least, though it is larger than a batch is to be', () => {
    const large = { streams: [textAppend('large', 10_000)], atomic: true }
    const [before, after] = many(2)
    expect(splitBatch([large, before!, after!])).toEqual({ taken: [large], left: [before, after] })
  })
})
