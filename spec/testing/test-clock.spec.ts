import { describe, expect, it } from '@jest/globals'
import { application, inMemoryEventStore } from 'edict'
import { testClock, testIds, testRandom } from 'edict/testing'
import { Add, counterRouter } from '../support/counter.ts'

describe('a clock that a test holds', () => {
  it('stands still until time is let pass', async () => {
    const clock = testClock('2026-03-01T10:00:00Z')
    expect(new Date(clock.now()).toISOString()).toBe('2026-03-01T10:00:00.000Z')
    await clock.advance(1_500)
    expect([new Date(clock.now()).toISOString(), clock.monotonic()]).toEqual(['2026-03-01T10:00:01.500Z', 1_500])
    expect(new Date(testClock().now()).toISOString()).toBe('2026-01-01T00:00:00.000Z')
    expect(testClock(5).now()).toBe(5)
    expect(() => testClock('soon')).toThrow(RangeError)
    await expect(clock.advance(-1)).rejects.toThrow(RangeError)
    await expect(clock.advance(Infinity)).rejects.toThrow(RangeError)
  })

  it('fires timers in the order in which they are due, each at its own time', async () => {
    const clock = testClock(0)
    const fired: [string, number][] = []
    const at = (name: string, milliseconds: number) =>
      clock.setTimeout(() => fired.push([name, clock.now()]), milliseconds)
    at('late', 30)
    at('early', 10)
    at('second of the same time', 30)
    at('never', 31)
    const taken = at('taken back', 20)
    expect([clock.timers, clock.next]).toEqual([5, 10])
    clock.clearTimeout(taken)
    clock.clearTimeout(undefined)
    await clock.advance(30)
    expect(fired).toEqual([
      ['early', 10],
      ['late', 30],
      ['second of the same time', 30],
    ])
    expect([clock.timers, clock.next]).toEqual([1, 1])
  })

  it('gives what a timer sets going its turn before the next one, and fires what that sets', async () => {
    const clock = testClock(0)
    const seen: string[] = []
    const sleep = (milliseconds: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, milliseconds))
    const work = async () => {
      await sleep(10)
      await new Promise(setImmediate)
      seen.push(`first at ${clock.now()}`)
      await sleep(10)
      seen.push(`second at ${clock.now()}`)
    }
    void work()
    clock.setTimeout(() => seen.push(`other at ${clock.now()}`), 15)
    await clock.advance(100)
    expect(seen).toEqual(['first at 10', 'other at 15', 'second at 20'])
    expect(clock.next).toBeUndefined()
  })

  it('can be put to another time, at which no timer fires and none is late', async () => {
    const clock = testClock(0)
    let fired = 0
    clock.setTimeout(() => fired++, 10)
    clock.set(1_000)
    expect([clock.now(), clock.monotonic(), clock.next, fired]).toEqual([1_000, 0, 10, 0])
    clock.set('1970-01-01T00:00:00Z')
    await clock.advance(10)
    expect([clock.now(), fired]).toEqual([10, 1])
  })

  it('governs the timeouts of an application, whose times and ids a test can foretell', async () => {
    const clock = testClock()
    const app = application({
      name: 'held',
      router: counterRouter,
      eventStore: inMemoryEventStore({ clock }),
      clock,
      ids: testIds('held'),
      random: testRandom(),
    })
    await app.start()
    const { events } = await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(events[0]).toMatchObject({ commandId: 'held-1', createdAt: new Date(clock.now()) })
    await app.stop()
    expect(clock.timers).toBe(0)
  })
})

describe('ids and randomness of a test', () => {
  it('are the same each time', () => {
    const ids = testIds()
    expect([ids.next(), ids.next()]).toEqual(['id-1', 'id-2'])
    const drawn = (seed?: number) => {
      const random = testRandom(seed)
      const bytes = new Uint8Array(8)
      random.fill(bytes)
      return [random.number(), random.number(), ...bytes]
    }
    expect(drawn(7)).toEqual(drawn(7))
    expect(drawn()).toEqual(drawn(1))
    expect(drawn(7)).not.toEqual(drawn(8))
  })

  it('are spread evenly', () => {
    const random = testRandom(3)
    const numbers = Array.from({ length: 10_000 }, () => random.number())
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
    const counts = Array.from({ length: 10 }, () => 0)
    for (const number of numbers) counts[Math.floor(number * 10)]!++
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  })
})
