import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, router } from 'edict'
import type { EventStore } from 'edict'
import { testClock } from 'edict/testing'
import { Add, Added, Counter, Noop, deferred, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

/** Time that passes when a command is where a spec wants it, and not when the machine is. */
async function passing(clock: ReturnType<typeof testClock>, isThere: () => boolean, milliseconds: number) {
  await until(isThere)
  await clock.advance(milliseconds)
}

function counters(handle: (by: number, signal: AbortSignal) => Promise<unknown>, timeout?: number) {
  return router('counters', (r) =>
    r
      .identify(Counter, { by: 'id', prefix: 'counter-' })
      .dispatch(Noop, { to: Counter })
      .dispatch(Add, {
        aggregate: Counter,
        ...(timeout === undefined ? {} : { timeout }),
        to: async (_counter, { by }, { signal }) => {
          await handle(by, signal)
          return Added({ by })
        },
      }),
  )
}

/** The in-memory store, whose appends wait until they are let go. */
function slowStore() {
  const gate = deferred()
  const store = inMemoryEventStore()
  const slow = Object.create(store) as EventStore
  let begun = false
  Object.assign(slow, {
    append: async (...args: Parameters<EventStore['append']>) => {
      begun = true
      await gate.promise
      return store.append(...args)
    },
  })
  for (const method of ['open', 'close', 'readStream', 'readAll', 'readCommand', 'headPosition', 'watch'] as const) {
    Object.defineProperty(slow, method, { value: (store[method] as (...args: never[]) => unknown).bind(store) })
  }
  return { store: slow, isAppending: () => begun, release: gate.resolve }
}

describe('a timeout', () => {
  it('ends the wait for a command handler, and what the handler gives later is not stored', async () => {
    const gate = deferred()
    const app = await started({ router: counters(() => gate.promise) })
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), { timeout: 20 })).rejects.toMatchObject({
      code: 'command_timeout',
      outcome: 'not-executed',
      timeout: 20,
    })
    gate.resolve()
    await new Promise(setImmediate)
    expect(await app.aggregateVersion(Counter, 'a')).toBe(0)
  })

  it('aborts the signal that the handler was given', async () => {
    let seen: AbortSignal | undefined
    const clock = testClock()
    const app = await started({
      clock,
      router: counters((_by, signal) => {
        seen = signal
        return new Promise(() => undefined)
      }),
    })
    const dispatched = app.dispatch(Add({ id: 'a', by: 1 }), { timeout: 20 }).catch((error: unknown) => error)
    await passing(clock, () => seen !== undefined, 20)
    expect(await dispatched).toMatchObject({ code: 'command_timeout' })
    expect(seen?.aborted).toBe(true)
    expect(seen?.reason).toMatchObject({ code: 'command_timeout' })
  })

  it('lets the next command of the aggregate go on, though the handler never ends', async () => {
    const app = await started({ router: counters(() => new Promise(() => undefined)) })
    const stuck = app.dispatch(Add({ id: 'a', by: 1 }), { timeout: 20 })
    const next = app.dispatch(Noop({ id: 'a' }))
    await expect(stuck).rejects.toMatchObject({ code: 'command_timeout' })
    await expect(next).resolves.toMatchObject({ events: [] })
  })

  it('covers the wait for earlier commands of the same aggregate', async () => {
    const gate = deferred()
    const app = await started({ router: counters(() => gate.promise) })
    const first = app.dispatch(Add({ id: 'a', by: 1 }))
    await expect(app.dispatch(Noop({ id: 'a' }), { timeout: 20 })).rejects.toMatchObject({
      code: 'command_timeout',
      outcome: 'not-executed',
    })
    gate.resolve()
    await expect(first).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('during the append leaves the outcome unknown, and the aggregate in step with the store', async () => {
    const { store, isAppending, release } = slowStore()
    const clock = testClock()
    const app = await started({ router: counters(() => Promise.resolve()), eventStore: store, clock })
    const dispatched = app.dispatch(Add({ id: 'a', by: 1 }), { timeout: 1_000 }).catch((error: unknown) => error)
    await passing(clock, isAppending, 1_000)
    expect(await dispatched).toMatchObject({ code: 'command_timeout', outcome: 'unknown' })
    release()
    await until(async () => (await app.aggregateVersion(Counter, 'a')) === 1, 'the late append')
    await expect(app.dispatch(Add({ id: 'a', by: 2 }))).resolves.toMatchObject({
      aggregateVersion: 2,
      aggregateState: { total: 3 },
    })
  })

  it('of the call wins over that of the route, and that over the application’s', async () => {
    const never = () => new Promise(() => undefined)
    const byDefault = await started({ router: counters(never), defaults: { timeout: 15 } })
    await expect(byDefault.dispatch(Add({ id: 'a', by: 1 }))).rejects.toMatchObject({ timeout: 15 })
    const byRoute = await started({ router: counters(never, 16), defaults: { timeout: 15 } })
    await expect(byRoute.dispatch(Add({ id: 'a', by: 1 }))).rejects.toMatchObject({ timeout: 16 })
    await expect(byRoute.dispatch(Add({ id: 'b', by: 1 }), { timeout: 17 })).rejects.toMatchObject({ timeout: 17 })
  })

  it('of Infinity, or of longer than a timer can count, never comes', async () => {
    const gate = deferred()
    const app = await started({ router: counters(() => gate.promise) })
    const waits = [Infinity, 2 ** 40].map((timeout, index) =>
      app.dispatch(Add({ id: `a${index}`, by: 1 }), { timeout }),
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    gate.resolve()
    await expect(Promise.all(waits)).resolves.toHaveLength(2)
  })
})

describe('an abort by the caller', () => {
  it('before the dispatch keeps the command from running', async () => {
    const app = await started({ router: counters(() => Promise.resolve()) })
    const reason = new Error('gone')
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'aborted',
      outcome: 'not-executed',
      cause: reason,
    })
  })

  it('while the handler runs reaches the handler, and nothing is stored', async () => {
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    const gate = deferred()
    const app = await started({
      router: counters((_by, signal) => {
        seen = signal
        return gate.promise
      }),
    })
    const dispatch = app.dispatch(Add({ id: 'a', by: 1 }), { signal: controller.signal })
    await until(() => seen !== undefined, 'the handler')
    controller.abort()
    await expect(dispatch).rejects.toMatchObject({ code: 'aborted', outcome: 'not-executed' })
    expect(seen?.aborted).toBe(true)
    gate.resolve()
    await new Promise(setImmediate)
    expect(await app.aggregateVersion(Counter, 'a')).toBe(0)
  })

  it('during the append comes too late: the command is answered as stored', async () => {
    const { store, isAppending, release } = slowStore()
    const controller = new AbortController()
    const app = await started({ router: counters(() => Promise.resolve()), eventStore: store })
    const dispatch = app.dispatch(Add({ id: 'a', by: 1 }), { signal: controller.signal })
    await until(isAppending, 'the append')
    controller.abort()
    release()
    await expect(dispatch).resolves.toMatchObject({ aggregateVersion: 1 })
  })
})
