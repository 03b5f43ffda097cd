import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, inMemoryEventStore, router } from 'edict'
import { testClock } from 'edict/testing'
import { Add, Added, Counter, counterRouter, deferred, Explode, started, stopAll, until } from '../support/counter.ts'
import { everyQueueStore } from './queue-stores.ts'

const add = (by = 1, id = 'a') => Add({ id, by })

describe.each(everyQueueStore)('process, on $kind,', ({ share }) => {
  const stores = share()

  it('follows commandProcessing, and the call wins, both ways', async () => {
    const now = await started({ router: counterRouter, eventStore: stores.node() })
    expect(await now.process(add(5))).toMatchObject({ aggregateState: { total: 5 } })
    const receipt = await now.process(add(1), { asynchronous: true })
    expect(await receipt.status()).toMatchObject({ state: 'queued' })
    const later = await started({ router: counterRouter, eventStore: stores.node(), commandProcessing: 'async' })
    const { commandId, position } = await later.process(add(2))
    expect([typeof commandId, position]).toEqual(['string', 3])
    expect(await later.process(add(3), { asynchronous: false })).toMatchObject({ aggregateState: { total: 8 } })
    await expect(later.process(add(3), { asynchronous: 'no' } as never)).rejects.toMatchObject({
      code: 'invalid_option',
    })
  })

  it('stores a command that is run now before it runs, and its outcome after', async () => {
    const gate = deferred()
    const begun = deferred()
    const slow = router('slow', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          begun.resolve()
          await gate.promise
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: slow, eventStore: stores.node(), workers: 1 })
    const result = app.process(add(5), { commandId: 'c1', metadata: { user: 'ada' } })
    await begun.promise
    expect(await app.commands.get('c1')).toMatchObject({ state: 'running', attempts: 0, metadata: { user: 'ada' } })
    expect(await app.commands.cancel('c1')).toBe(false)
    gate.resolve()
    const { events } = await result
    expect(events[0]).toMatchObject({ commandId: 'c1', correlationId: 'c1', metadata: { user: 'ada' } })
    expect(await app.commands.get('c1')).toMatchObject({ state: 'completed' })
    // No worker has run it too.
    expect(await app.aggregateVersion(Counter, 'a')).toBe(1)
  })

  it('is waited for by a stop, until its outcome is stored', async () => {
    const gate = deferred()
    const begun = deferred()
    const slow = router('slow', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          begun.resolve()
          await gate.promise
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: slow, eventStore: stores.node() })
    const result = app.process(add(5), { commandId: 'c1' })
    await begun.promise
    const stopped = app.stop()
    gate.resolve()
    await stopped
    expect(await result).toMatchObject({ aggregateState: { total: 5 } })
    const other = await started({ router: counterRouter, eventStore: stores.node() })
    expect(await other.commands.get('c1')).toMatchObject({ state: 'completed' })
  })

  it('rejects as dispatch does, and keeps what it failed with: a failure is a dead letter, a rejection is not', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node() })
    await expect(app.process(add(-1), { commandId: 'r' })).rejects.toMatchObject({ code: 'negative' })
    expect(await app.commands.get('r')).toMatchObject({ state: 'rejected', failure: { code: 'negative' } })
    await expect(app.process(Explode({ id: 'a', with: 'boom' }), { commandId: 'd' })).rejects.toMatchObject({
      code: 'command_failed',
      cause: 'boom',
    })
    expect(await app.commands.deadLetters.list()).toMatchObject([{ commandId: 'd', attempts: 1 }])
    await expect(app.process(add(), { deadline: Date.now() - 1_000, commandId: 'e' })).rejects.toMatchObject({
      code: 'deadline_exceeded',
    })
    expect(await app.commands.get('e')).toMatchObject({ state: 'expired' })
    await expect(app.process(add(), { delay: 5 })).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(app.process(add(1, ''), { commandId: 'x' })).rejects.toMatchObject({ code: 'invalid_identity' })
    expect(await app.commands.get('x')).toBeUndefined()
  })
})

describe('process', () => {
  afterEach(stopAll)

  it('does not take a caller for dead that waits for handlers, for as long as it said that it would', async () => {
    const clock = testClock()
    const eventStore = inMemoryEventStore({ clock })
    const gate = deferred()
    const slow = eventHandler('slow', { events: [Added], handle: () => gate.promise, consistency: 'strong' })
    const parts = { router: counterRouter, eventStore, clock }
    const app = await started({ ...parts, handlers: [slow] })
    const other = await started(parts)
    const options = { commandId: 'c1', consistency: 'strong', consistencyTimeout: 60_000 } as const
    const waiting = app.process(add(5), options)
    await until(async () => (await other.aggregateVersion(Counter, 'a')) === 1, 'the event')
    await clock.advance(30_000)
    const { position } = await other.enqueue(add(5), { commandId: 'c1' })
    expect(await other.commands.get('c1')).toMatchObject({ state: 'running', position })
    gate.resolve()
    expect(await waiting).toMatchObject({ aggregateVersion: 1 })
    expect(await other.commands.get('c1')).toMatchObject({ state: 'completed', position })
  })
})

describe('process', () => {
  afterEach(stopAll)

  it('takes a caller for dead that has committed nothing in its time, however long it would have waited for handlers', async () => {
    const clock = testClock()
    const eventStore = inMemoryEventStore({ clock })
    const gate = deferred()
    const slow = router('slow', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          await gate.promise
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: slow, eventStore, clock })
    const other = await started({ router: counterRouter, eventStore, clock })
    const options = { commandId: 'c1', consistency: 'strong', consistencyTimeout: Infinity, timeout: 1_000 } as const
    const lost = app.process(add(5), options).catch((error: unknown) => error)
    await until(async () => (await other.commands.get('c1'))?.state === 'running', 'the command')
    const settling = eventStore.commands?.settle
    Object.assign(eventStore.commands ?? {}, { settle: () => Promise.resolve([]) })
    await clock.advance(2_000)
    await lost
    Object.assign(eventStore.commands ?? {}, { settle: settling })
    await clock.advance(20_000)
    expect(await other.process(add(5), { commandId: 'c1' })).toMatchObject({ aggregateVersion: 1 })
    gate.resolve()
  })

  it('takes over from a caller that has died, also where the clock of the store goes slower than its own', async () => {
    const [clock, slowClock] = [testClock(), testClock()]
    const eventStore = inMemoryEventStore({ clock: slowClock })
    const gate = deferred()
    const stuck = router('stuck', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: () => gate.promise.then(() => undefined),
      }),
    )
    const app = await started({ router: stuck, eventStore, clock: testClock() })
    const other = await started({ router: counterRouter, eventStore, clock })
    const lost = app.process(add(5), { commandId: 'c1', timeout: 1_000 })
    await until(async () => (await other.commands.get('c1'))?.state === 'running', 'the command')
    let answer: unknown
    void other.process(add(5), { commandId: 'c1', timeout: 60_000 }).then(
      (result) => (answer = result),
      (error: unknown) => (answer = error),
    )
    await until(async () => {
      await Promise.all([clock.advance(1_000), slowClock.advance(990)])
      return answer !== undefined
    }, 'the answer')
    expect(answer).toMatchObject({ aggregateVersion: 1 })
    gate.resolve()
    await lost
  })
})

describe.each(everyQueueStore)('an idempotency key, on $kind,', ({ share }) => {
  const stores = share()

  it('answers the same payload with the first result, also while that one runs, here and elsewhere', async () => {
    const gate = deferred()
    let ran = 0
    const slow = router('slow', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          ran++
          await gate.promise
          return Added({ by })
        },
      }),
    )
    const one = await started({ router: slow, eventStore: stores.node() })
    const other = await started({ router: slow, eventStore: stores.node() })
    const key = { idempotencyKey: 'payment-7' }
    const first = one.process(add(5), key)
    await until(() => ran === 1)
    const second = one.process(add(5), key)
    const third = other.process(add(5), key)
    const receipt = await other.enqueue(add(5), key)
    gate.resolve()
    const results = await Promise.all([first, second, third, receipt.completed(), other.process(add(5), key)])
    for (const { events } of results) expect(events).toEqual(results[0].events)
    expect(ran).toBe(1)
    expect(await one.aggregateVersion(Counter, 'a')).toBe(1)
  })

  it('gives the receipt of the first to whoever enqueues it again', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node() })
    const key = { idempotencyKey: 'payment-7' }
    const first = await app.enqueue(add(5), key)
    const again = await app.enqueue(add(5), key)
    expect([again.commandId, again.position]).toEqual([first.commandId, first.position])
    expect(await app.commands.list()).toHaveLength(1)
  })

  it('refuses another payload, of one tenant: each has keys of its own', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node() })
    const first = await app.enqueue(add(5), { idempotencyKey: 'k', tenant: 'acme' })
    const refusal = { code: 'duplicate_command', commandId: first.commandId, message: expect.stringContaining('key k') }
    await expect(app.enqueue(add(6), { idempotencyKey: 'k', tenant: 'acme' })).rejects.toMatchObject(refusal)
    await expect(app.process(add(6), { idempotencyKey: 'k', tenant: 'acme' })).rejects.toMatchObject(refusal)
    const others = await app.enqueue(add(6), { idempotencyKey: 'k', tenant: 'initech' })
    expect(others.commandId).not.toBe(first.commandId)
    await expect(app.process(add(6), { idempotencyKey: 'k' })).resolves.toMatchObject({ aggregateState: { total: 6 } })
  })

  it('may be used again where its command came to nothing', async () => {
    let fails = true
    const flaky = router('flaky', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: (_counter, { by }) => {
          if (fails) throw new Error('not now')
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: flaky, eventStore: stores.node() })
    const key = { idempotencyKey: 'k' }
    await expect(app.process(add(5), key)).rejects.toMatchObject({ code: 'command_failed' })
    const receipt = await app.enqueue(add(5), key)
    await receipt.cancel()
    fails = false
    expect(await app.process(add(5), key)).toMatchObject({ aggregateState: { total: 5 } })
    expect(await app.process(add(5), key)).toMatchObject({ aggregateVersion: 1 })
    expect(await app.commands.list()).toMatchObject([{ state: 'completed' }])
  })
})
