import { describe, expect, it } from '@jest/globals'
import { StoreError } from '../../lib/errors.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import { turn } from '../event-store/subscription-harness.ts'
import { Add, counterRouter, recordingLogger, started, until } from '../support/counter.ts'
import { deposit, node } from './node-harness.ts'
import { altered, projectedDatabase, storeKinds, totals } from './projection-harness.ts'
import { surroundings } from './runner-harness.ts'

const blip = (): StoreError => new StoreError('connection terminated unexpectedly')

/** A store whose first look at the checkpoints after the claim of one with this name fails. */
function blipAfterClaimOf(inner: EventStore, checkpoint: string) {
  const state = { armed: false, blips: 0, claims: 0 }
  const store = new Proxy(inner, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      const method = value.bind(target) as (...given: unknown[]) => unknown
      return (...given: unknown[]) => {
        // A layout with several partitions is made under a first claim of each of them.
        if (key === 'claimCheckpoint' && given[0] === checkpoint) state.claims++
        if (key === 'claimCheckpoint' && state.blips === 0)
          state.armed = state.claims > (checkpoint === 'mails' ? 0 : 1)
        if (key !== 'listCheckpoints' || !state.armed) return method(...given)
        state.armed = false
        state.blips++
        return Promise.reject(blip())
      }
    },
  })
  return { store, state }
}

describe('a store that does not answer once, after a checkpoint was claimed', () => {
  it.each([
    [1, 'mails'],
    [2, 'mails#0/2'],
  ])('stops no handler with %i partitions: it is tried again', async (concurrency, checkpoint) => {
    const running = await surroundings()
    const { clock, logger } = running
    const { store, state } = blipAfterClaimOf(running.store, checkpoint)
    const seen: number[] = []
    const { runner } = node(running, 'one', { concurrency, handle: ({ amount }) => void seen.push(amount) }, { store })
    await runner.start()
    for (let amount = 0; amount < 16; amount++) deposit(running, `account-${amount}`, amount)
    await clock.advance(2_000)
    expect([state.blips, runner.state, runner.lastError]).toEqual([1, 'live', undefined])
    expect([...seen].sort((one, other) => one - other)).toEqual(Array.from({ length: 16 }, (_, amount) => amount))
    expect(logger.lines.map(({ level }) => level)).not.toContain('error')
    expect(logger.lines.filter(({ level }) => level === 'warn')).not.toEqual([])
    await runner.stop()
    expect(clock.timers).toBe(0)
  })

  it('still stops one whose afterStart fails by it', async () => {
    const running = await surroundings()
    const { runner } = node(running, 'one', { concurrency: 1, afterStart: () => Promise.reject(blip()) })
    await runner.start()
    await turn()
    expect(runner.state).toBe('failed')
    await runner.stop()
  })
})

describe.each(storeKinds)('a projection on %s whose connection is lost while its tables are made', (_, kind) => {
  const database = projectedDatabase(kind)

  it('tries again', async () => {
    let blips = 0
    const eventStore = altered(database.store(), (projections) => ({
      execute: (tx, sql) => {
        if (blips++ === 0) throw new Error('Connection terminated unexpectedly')
        return projections.execute(tx, sql)
      },
    }))
    const logger = recordingLogger()
    const app = await started({
      router: counterRouter,
      eventStore,
      handlers: [totals(kind)],
      logger,
      subscriptions: { claimInterval: 20 },
    })
    await until(() => blips > 1, 'another attempt')
    await app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    expect(await database.read('SELECT total, events FROM totals')).toEqual([{ total: 1, events: 1 }])
    expect(logger.entries.filter(({ level }) => level === 'error')).toEqual([])
  })
})
