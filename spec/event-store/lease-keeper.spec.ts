import { describe, expect, it } from '@jest/globals'
import type { CheckpointHold } from '../../lib/event-store/checkpoint.ts'
import { LeaseKeeper } from '../../lib/event-store/lease-keeper.ts'
import { ManualClock, keepingLogger, turn } from './subscription-harness.ts'

type Answer = (holds: readonly CheckpointHold[]) => readonly boolean[] | Promise<readonly boolean[]>

const all: Answer = (holds) => holds.map(() => true)

function keeper(lease = 4_000) {
  const clock = new ManualClock()
  const logger = keepingLogger()
  const calls: string[][] = []
  const script = { answer: all }
  const made = new LeaseKeeper({
    clock,
    logger,
    lease,
    store: {
      renewCheckpoints: (holds) => {
        calls.push(holds.map(({ name, epoch }) => `${name} ${epoch}`))
        return script.answer(holds)
      },
    },
  })
  const lost: string[] = []
  const keep = (name: string, epoch = 1) => made.keep({ name, epoch }, made.time.moment(), () => void lost.push(name))
  return { clock, logger, calls, script, lost, keep, keeper: made }
}

/** What `holds()` has come to: undefined while it waits. */
function asked(answer: unknown): { answer: unknown } {
  const state: { answer: unknown } = { answer: undefined }
  void Promise.resolve(answer).then((given) => (state.answer = given))
  return state
}

describe('the keeper of leases', () => {
  it('renews all claims of a node in one call, four times within a lease', async () => {
    const { clock, calls, keep } = keeper()
    keep('balances', 3)
    keep('mails', 7)
    await clock.advance(4_000)
    expect(calls).toEqual(Array.from({ length: 4 }, () => ['balances 3', 'mails 7']))
  })

  it('asks for nothing, and sets no timer, once nothing is held', async () => {
    const { clock, calls, keep } = keeper()
    const lease = keep('balances')
    lease.end()
    lease.end()
    expect([clock.timers, lease.holds()]).toEqual([0, false])
    await clock.advance(8_000)
    expect(calls).toEqual([])
  })

  it('needs no renewal of what nobody contests', () => {
    const { clock, keep } = keeper(Infinity)
    expect([keep('transient').holds(), clock.timers]).toEqual([true, 0])
  })

  it('tells who has lost its claim at once, and keeps the others', async () => {
    const { clock, calls, script, lost, keep } = keeper()
    const balances = keep('balances')
    const mails = keep('mails')
    script.answer = (holds) => holds.map(({ name }) => name === 'mails')
    await clock.advance(1_000)
    expect([lost, balances.holds(), mails.holds()]).toEqual([['balances'], false, true])
    await clock.advance(1_000)
    expect(calls.at(-1)).toEqual(['mails 1'])
  })

  it('does not fence a claim that was given up while the renewal was under way', async () => {
    const { clock, script, lost, keep } = keeper()
    const lease = keep('balances')
    let answer: (held: readonly boolean[]) => void = () => undefined
    script.answer = () => new Promise((resolve) => (answer = resolve))
    await clock.advance(1_000)
    lease.end()
    answer([false])
    await turn()
    expect(lost).toEqual([])
  })

  it('is in doubt when the store was not reached for a lease, until it is reached again', async () => {
    const { clock, script, logger, keep } = keeper()
    const lease = keep('balances')
    script.answer = () => Promise.reject(new Error('no connection'))
    await clock.advance(3_999)
    expect(lease.holds()).toBe(true)
    await clock.advance(1)
    const waiting = asked(lease.holds())
    await clock.advance(5_500)
    expect(waiting.answer).toBeUndefined()
    script.answer = all
    await clock.advance(1_000)
    expect([waiting.answer, lease.holds()]).toEqual([true, true])
    expect(logger.lines.map(({ level }) => level)).toEqual(['warn'])
  })

  it('counts a lease from when the renewal was begun, not from its answer', async () => {
    const { clock, script, keep } = keeper()
    const lease = keep('balances')
    let answer: () => void = () => undefined
    script.answer = () => new Promise((resolve) => (answer = () => resolve([true])))
    await clock.advance(3_900)
    // Begun at 1,000.
    answer()
    await clock.advance(1_099)
    expect(lease.holds()).toBe(true)
    await clock.advance(1)
    expect(lease.holds()).not.toBe(true)
  })

  it('begins nothing any more when asked so, and answers those who wait', async () => {
    const { clock, calls, script, keep } = keeper()
    const lease = keep('balances')
    script.answer = () => Promise.reject(new Error('no connection'))
    await clock.advance(4_000)
    const waiting = asked(lease.holds())
    lease.beginNothing()
    await turn()
    expect([waiting.answer, lease.holds()]).toEqual([false, false])
    // What is in hand is kept for.
    const before = calls.length
    await clock.advance(1_000)
    expect(calls.length).toBe(before + 1)
  })

  it.each([
    ['was put back', -60_000, 5_000],
    ['stood still, as the other one does while the machine sleeps', 5_000, 0],
  ])('trusts the clock that tells of more time, where one %s', (_why, now, monotonic) => {
    const clock = Object.assign(new ManualClock(), { monotonic: () => passed.monotonic })
    const passed = { now: 100_000, monotonic: 0 }
    clock.now = () => passed.now
    const made = new LeaseKeeper({ clock, logger: keepingLogger(), lease: 4_000, store: { renewCheckpoints: all } })
    const lease = made.keep({ name: 'balances', epoch: 1 }, made.time.moment(), () => undefined)
    expect(lease.holds()).toBe(true)
    passed.now += now
    passed.monotonic += monotonic
    expect(lease.holds()).not.toBe(true)
    lease.end()
  })
})
