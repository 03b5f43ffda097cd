import { afterEach, describe, expect, it } from '@jest/globals'
import {
  eventHandler,
  inMemoryEventStore,
  router,
  systemClock,
  type Clock,
  type DispatchOptions,
  type EventHandler,
} from 'edict'
import { Add, Added, Counter, Noop, counterRouter, deferred, started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

const add = Add({ id: 'a', by: 1 })
const HOUR = 3_600_000
const past = () => Date.now() - 1
const future = () => Date.now() + HOUR

/** Counters whose handler of `Add` takes as long as it is told to. */
const slow = (work: () => Promise<unknown>) =>
  router('slow', (r) =>
    r
      .identify(Counter, { by: 'id', prefix: 'counter-' })
      .dispatch(Noop, { to: Counter })
      .dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          await work()
          return Added({ by })
        },
      }),
  )

describe('a command whose deadline', () => {
  it.each<[string, () => Date | number]>([
    ['a Date', () => new Date(past())],
    ['milliseconds', past],
  ])('has passed, given as %s, is not executed', async (_what, deadline) => {
    const eventStore = inMemoryEventStore()
    const app = await started({ router: counterRouter, eventStore })
    const at = deadline()
    const outcome = await app.tryDispatch(add, { deadline: at })
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'deadline_exceeded', outcome: 'not-executed', deadline: Number(at) },
    })
    expect(await eventStore.headPosition()).toBe(0)
  })

  it('is to come is executed, and nobody sees the deadline in the metadata', async () => {
    const eventStore = inMemoryEventStore()
    const app = await started({ router: counterRouter, eventStore })
    const deadline = future()
    const { events, metadata } = await app.dispatch(add, { deadline, metadata: { user: 'ada' } })
    expect([events[0]!.metadata, metadata]).toEqual([{ user: 'ada' }, { user: 'ada' }])
    const { events: stored } = await eventStore.readStream('counter-a')
    expect(stored[0]!.metadata).toEqual({ user: 'ada', 'edict.deadline': deadline })
  })

  it('passes while it waits for its turn is not executed', async () => {
    const gate = deferred()
    const app = await started({ router: slow(() => gate.promise) })
    const first = app.dispatch(add)
    const waiting = app.dispatch(Noop({ id: 'a' }), { deadline: Date.now() + 20, timeout: Infinity })
    await expect(waiting).rejects.toMatchObject({ code: 'deadline_exceeded', outcome: 'not-executed' })
    gate.resolve()
    await expect(first).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('passes while its handler works is not stored', async () => {
    const gate = deferred()
    const app = await started({ router: slow(() => gate.promise) })
    const dispatched = app.dispatch(add, { deadline: Date.now() + 20 })
    await expect(dispatched).rejects.toMatchObject({ code: 'deadline_exceeded', outcome: 'not-executed' })
    gate.resolve()
    expect(await app.aggregateVersion(Counter, 'a')).toBe(0)
  })

  it('passes in middleware is not executed', async () => {
    let now = Date.now()
    const clock: Clock = { ...systemClock, now: () => now }
    const delaying = router('delaying', (r) =>
      r.middleware({ beforeDispatch: () => void (now += HOUR) }).router(counterRouter),
    )
    const app = await started({ router: delaying, clock })
    await expect(app.dispatch(add, { deadline: now + 1 })).rejects.toMatchObject({ code: 'deadline_exceeded' })
  })

  it('is later than its timeout still ends with the timeout', async () => {
    const app = await started({ router: slow(() => new Promise(() => undefined)) })
    await expect(app.dispatch(add, { deadline: future(), timeout: 20 })).rejects.toMatchObject({
      code: 'command_timeout',
      timeout: 20,
    })
  })

  it('has passed is answered as the first time where it was executed before', async () => {
    const app = await started({ router: counterRouter })
    const first = await app.dispatch(add, { commandId: 'c1', deadline: future() })
    await expect(app.dispatch(add, { commandId: 'c1', deadline: past() })).resolves.toEqual(first)
    await expect(app.dispatch(add, { commandId: 'c2', deadline: past() })).rejects.toMatchObject({
      code: 'deadline_exceeded',
    })
  })

  it.each<[string, unknown]>([
    ['text', '2030-01-01'],
    ['an invalid Date', new Date(Number.NaN)],
    ['NaN', Number.NaN],
    ['an infinity', Infinity],
    ['null', null],
  ])('is %s is refused', async (_what, deadline) => {
    const app = await started({ router: counterRouter })
    await expect(app.dispatch(add, { deadline } as DispatchOptions)).rejects.toMatchObject({ code: 'invalid_option' })
  })
})

describe.each(everyStore)('on $kind, what a handler dispatches', ({ share }) => {
  const stores = share()

  /** Dispatches `b` because of `a`, and tells what came of it. */
  const following = (done: (outcome: unknown) => void, options?: DispatchOptions) =>
    eventHandler('following', {
      events: [Added],
      handle: async (_data, { streamId }, { tryDispatch }) => {
        if (streamId !== 'counter-a') return
        const outcome = await tryDispatch(Add({ id: 'b', by: 1 }), options)
        done(outcome.ok ? outcome.value.streamId : outcome.error.code)
      },
    })

  /** A command with a deadline, which has passed when another node gives its event to the handler. */
  async function handledLate(handlerOf: (now: number) => EventHandler) {
    let now = Date.now()
    const clock: Clock = { ...systemClock, now: () => now }
    const writer = await started({ router: counterRouter, eventStore: stores.node(), clock })
    await writer.dispatch(add, { deadline: now + HOUR })
    await writer.stop()
    now += HOUR
    return started({ router: counterRouter, eventStore: stores.node(), clock, handlers: [handlerOf(now)] })
  }

  it('has the deadline of the command that led to it, also on another node and later', async () => {
    const late = deferred<unknown>()
    const app = await handledLate(() => following(late.resolve))
    expect(await late.promise).toBe('deadline_exceeded')
    expect(await app.aggregateVersion(Counter, 'b')).toBe(0)
  })

  it('may be given another deadline', async () => {
    const done = deferred<unknown>()
    await handledLate((now) => following(done.resolve, { deadline: now + HOUR }))
    expect(await done.promise).toBe('counter-b')
  })
})
