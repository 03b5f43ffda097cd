import { describe, expect, it } from '@jest/globals'
import { LONGEST_TIMER_MS, callLater, idleTimer } from '../../lib/effects/clock.ts'

/** A clock whose one timer is fired by hand. */
function handClock() {
  const waits: number[] = []
  const cleared: unknown[] = []
  let fire: (() => void) | undefined
  return {
    waits,
    cleared,
    fire: () => fire?.(),
    now: () => 0,
    setTimeout: (callback: () => void, milliseconds: number) => {
      fire = callback
      return waits.push(milliseconds)
    },
    clearTimeout: (handle: unknown) => {
      cleared.push(handle)
    },
  }
}

describe('a call later', () => {
  it('comes after as many timers as its time takes, none longer than a timer can count', () => {
    const clock = handClock()
    let called = 0
    callLater(clock, 2 * LONGEST_TIMER_MS + 5, () => called++)
    clock.fire()
    clock.fire()
    expect(called).toBe(0)
    clock.fire()
    expect([called, clock.waits]).toEqual([1, [LONGEST_TIMER_MS, LONGEST_TIMER_MS, 5]])
  })

  it('can be taken back, whichever of its timers runs', () => {
    const clock = handClock()
    const cancel = callLater(clock, LONGEST_TIMER_MS + 1, () => undefined)
    clock.fire()
    cancel()
    expect(clock.cleared).toEqual([2])
  })
})

describe('a timer that keeps no process alive', () => {
  it('fires early rather than at once where its time is more than a timer can count', () => {
    const clock = handClock()
    for (const milliseconds of [5, LONGEST_TIMER_MS + 1, 2 ** 34, Infinity]) {
      idleTimer(clock, milliseconds, () => undefined)
    }
    expect(clock.waits).toEqual([5, LONGEST_TIMER_MS, LONGEST_TIMER_MS, LONGEST_TIMER_MS])
  })
})
