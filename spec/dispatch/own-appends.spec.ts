import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { OwnAppends } from '../../lib/dispatch/own-appends.ts'

describe('the account of positions', () => {
  it('goes as far as own appends and read pages reach without a gap, in whatever order they are told', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 20 })
    const plan = lengths.chain((list) => {
      let next = 1
      const ranges = list.map((length) => ({ first: next, last: (next += length) - 1 }))
      return fc.record({ ranges: fc.shuffledSubarray(ranges), readTo: fc.integer({ min: 0, max: next - 1 }) })
    })
    fc.assert(
      fc.property(plan, ({ ranges, readTo }) => {
        const appends = new OwnAppends()
        const known = new Set<number>()
        for (const { first, last } of ranges) {
          appends.note(first, last)
          for (let position = first; position <= last; position++) known.add(position)
        }
        expect(appends.position).toBe(gapless(known))
        appends.advanceTo(readTo)
        for (let position = 1; position <= readTo; position++) known.add(position)
        expect(appends.position).toBe(gapless(known))
      }),
    )
  })

  it('forgets what lies beyond too many gaps, rather than to grow', () => {
    const appends = new OwnAppends()
    for (let position = 2; position <= 6_000; position += 2) appends.note(position, position)
    appends.advanceTo(1)
    expect(appends.position).toBe(2)
    appends.advanceTo(5_999)
    expect(appends.position).toBe(5_999)
  })
})

function gapless(known: ReadonlySet<number>): number {
  let position = 0
  while (known.has(position + 1)) position++
  return position
}
