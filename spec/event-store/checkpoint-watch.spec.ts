import { describe, expect, it } from '@jest/globals'
import { NotRunningError } from '../../lib/errors.ts'
import { CheckpointWatch } from '../../lib/event-store/checkpoint-watch.ts'
import { StoreHead } from '../../lib/event-store/store-head.ts'
import type { CheckpointState } from '../../lib/event-store/checkpoint.ts'
import { ManualClock, keepingLogger } from './subscription-harness.ts'

function watch() {
  const clock = new ManualClock()
  const logger = keepingLogger()
  const prefixes: string[] = []
  const times: number[] = []
  const script = { position: 0, error: undefined as unknown }
  const made = new CheckpointWatch({
    clock,
    logger,
    interval: 500,
    head: new StoreHead({ headPosition: () => script.position }),
    store: {
      listCheckpoints: (prefix = '') => {
        prefixes.push(prefix)
        times.push(clock.now() - 1_000)
        if (script.error !== undefined) throw script.error
        return [state('balances', script.position), state('basket', 0)]
      },
    },
  })
  return { watch: made, clock, logger, prefixes, times, script }
}

function state(name: string, position: number): CheckpointState {
  return { name, position, index: 0, epoch: 1, owner: 'other' }
}

describe('the watch on what others hold', () => {
  it('looks once for everyone who follows, from what their names have in common', async () => {
    const { watch: it, clock, prefixes } = watch()
    const seen: string[] = []
    const follow = (prefix: string) =>
      it.follow({ prefix, seen: (states) => void seen.push(`${prefix} ${states.length}`) })
    const following = ['balances', 'basket'].map(follow)
    await clock.advance(1_000)
    expect(prefixes).toEqual(['ba', 'ba'])
    expect(seen).toEqual(['balances 2', 'basket 2', 'balances 2', 'basket 2'])
    for (const one of following) one.end()
    expect(clock.timers).toBe(0)
  })

  it('does not cut a character in two', async () => {
    const { watch: it, clock, prefixes } = watch()
    const following = ['a😀', 'a😁'].map((prefix) => it.follow({ prefix, seen: () => undefined }))
    await clock.advance(500)
    expect(prefixes).toEqual(['a'])
    for (const one of following) one.end()
  })

  it('looks often while somebody waits, less often while nothing moves, and often again when something does', async () => {
    const { watch: it, clock, times, script } = watch()
    const following = it.follow({ prefix: 'balances', seen: () => undefined })
    await clock.advance(100)
    expect(times).toEqual([])
    following.isClose = true
    await clock.advance(1_000)
    const waits = times.map((time, index) => Math.round(time - (times[index - 1] ?? 100)))
    expect(waits.slice(0, 5)).toEqual([5, 5, 8, 11, 17])
    expect(waits.at(-1)).toBe(100)
    script.position = 1
    const before = times.length
    await clock.advance(200)
    expect(times.length - before).toBeGreaterThan(5)
    following.isClose = false
    await clock.advance(500)
    const last = times.length
    await clock.advance(1_000)
    expect(times.length).toBe(last + 2)
    following.end()
  })

  it('goes on when the store does not answer, and says so once', async () => {
    const { watch: it, clock, logger, script } = watch()
    let seen = 0
    const following = it.follow({ prefix: 'balances', seen: () => (seen += 1) })
    script.error = new Error('no connection')
    await clock.advance(1_500)
    script.error = undefined
    await clock.advance(500)
    expect([seen, logger.lines.length]).toEqual([1, 1])
    script.error = new NotRunningError('closed')
    await clock.advance(1_000)
    expect(logger.lines).toHaveLength(1)
    following.end()
  })
})
