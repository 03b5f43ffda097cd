import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { Fairness } from '../../lib/effects/fairness.ts'

afterEach(() => {
  jest.restoreAllMocks()
})

/** Counts the turns of the event loop until it is told to end. */
function countTurns() {
  const counted = { turns: 0, end: () => clearImmediate(next) }
  let next: NodeJS.Immediate
  const count = (): void => {
    counted.turns++
    next = setImmediate(count)
  }
  next = setImmediate(count)
  return counted
}

/** A clock that stands still, but for what it is told. */
function heldClock() {
  const clock = { now: Date.now() }
  jest.spyOn(Date, 'now').mockImplementation(() => clock.now)
  return clock
}

describe('a line for turns of the event loop', () => {
  it('serves in order, in each turn as many as a slice of ten milliseconds has time for, and nobody twice', async () => {
    const clock = heldClock()
    const fairness = new Fairness()
    const counted = countTurns()
    const served: [number, number][] = []
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        await fairness.inLine()
        served.push([index, counted.turns])
        clock.now += 4
      }),
    )
    counted.end()
    const [[, first]] = served as [[number, number]]
    expect(served.map(([index]) => index)).toEqual(Array.from({ length: 30 }, (_, index) => index))
    expect(served.map(([, turn]) => turn - first)).toEqual(
      Array.from({ length: 30 }, (_, index) => Math.floor(index / 3)),
    )
  })

  it('is due for newcomers while somebody stands in it, and leaves their slices to those who do not', async () => {
    const clock = heldClock()
    const fairness = new Fairness()
    const waiting = Promise.all(
      Array.from({ length: 30 }, async () => {
        await fairness.inLine()
        clock.now += 4
      }),
    )
    for (let turn = 0; turn < 10; turn++) {
      expect(fairness.lineDue()).toBe(true)
      await fairness.turn()
    }
    await waiting
    await fairness.turn()
    expect([fairness.lineDue(), fairness.turnDue()]).toEqual([false, false])
  })

  it('serves one more who comes while the last is served', async () => {
    const fairness = new Fairness()
    const order: string[] = []
    await fairness.inLine().then(async () => {
      order.push('first')
      await fairness.inLine()
      order.push('second')
    })
    expect(order).toEqual(['first', 'second'])
  })
})
