import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, type Clock } from 'edict'
import { projection, sqliteEventStore } from 'edict/sqlite'
import { LONGEST_TIMER_MS } from '../../lib/effects/clock.ts'
import { Add, Added, counterRouter, deferred, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

/** The machine's clock, which tells whether a timer without an end keeps the process alive. */
function watchedClock(): { readonly clock: Clock; readonly isHeld: () => boolean } {
  const holding = new Map<unknown, number>()
  const clock: Clock = {
    now: () => Date.now(),
    setTimeout: (callback, milliseconds) => {
      const handle = setTimeout(() => {
        holding.delete(handle)
        callback()
      }, milliseconds)
      const unref = handle.unref.bind(handle)
      handle.unref = () => {
        holding.delete(handle)
        return unref()
      }
      holding.set(handle, milliseconds)
      return handle
    },
    clearTimeout: (handle) => {
      holding.delete(handle)
      clearTimeout(handle as NodeJS.Timeout)
    },
  }
  return { clock, isHeld: () => [...holding.values()].includes(LONGEST_TIMER_MS) }
}

describe('a process stays alive while somebody waits without an end', () => {
  it('for a position', async () => {
    const { clock, isHeld } = watchedClock()
    const handler = eventHandler('strong', { events: [Added], consistency: 'strong', handle: () => undefined })
    const app = await started({ router: counterRouter, clock, handlers: [handler] })
    const waiting = app.waitFor(1, { timeout: Infinity })
    expect(isHeld()).toBe(true)
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await waiting
    expect(isHeld()).toBe(false)
  })

  it('for a handler that is to have handled what was stored', async () => {
    const { clock, isHeld } = watchedClock()
    const gate = deferred()
    const handler = eventHandler('strong', { events: [Added], consistency: 'strong', handle: () => gate.promise })
    const app = await started({ router: counterRouter, clock, handlers: [handler] })
    const dispatched = app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong', consistencyTimeout: Infinity })
    await until(isHeld, 'the wait')
    gate.resolve()
    await dispatched
    expect(isHeld()).toBe(false)
  })

  it('for a stored command', async () => {
    const { clock, isHeld } = watchedClock()
    const app = await started({ router: counterRouter, clock })
    const receipt = await app.enqueue(Add({ id: 'a', by: 1 }))
    const completed = receipt.completed({ timeout: Infinity })
    const outcome = completed.catch((error: unknown) => error)
    expect(isHeld()).toBe(true)
    await receipt.cancel()
    expect(await outcome).toMatchObject({ code: 'command_cancelled' })
    expect(isHeld()).toBe(false)
  })

  it('for the rebuild of a projection, which another node may have in hand', async () => {
    const { clock, isHeld } = watchedClock()
    const folder = await mkdtemp(join(tmpdir(), 'edict-alive-'))
    const totals = projection('totals', {
      events: [Added],
      tables: { totals: 'amount INTEGER' },
      project: ({ by }, _recorded, tx, { tables }) => tx.prepare(`INSERT INTO ${tables.totals} VALUES (?)`).run(by),
    })
    const eventStore = sqliteEventStore(join(folder, 'alive.db'))
    const app = await started({ router: counterRouter, clock, eventStore, handlers: [totals] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    const rebuilt = app.rebuild(totals)
    expect(isHeld()).toBe(true)
    await rebuilt
    expect(isHeld()).toBe(false)
    await app.stop()
    await rm(folder, { recursive: true })
  })
})
