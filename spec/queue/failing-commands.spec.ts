import { describe, expect, it } from '@jest/globals'
import { CommandDeadError, command, router, shape, type CommandReceipt } from 'edict'
import { Add, Added, Counter, counterRouter, deferred, Explode, Noop, started, until } from '../support/counter.ts'
import { everyQueueStore, readFrom } from './queue-stores.ts'

const add = (by = 1, id = 'a') => Add({ id, by })
const quick = { backoff: { base: 1, longest: 5 } }

/** A router whose handler of `Add` does what a spec says. */
const handling = (before: (by: number) => unknown) =>
  router('handling', (r) =>
    r
      .identify(Counter, { by: 'id', prefix: 'counter-' })
      .dispatch([Noop, Explode], { to: Counter })
      .dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          await before(by)
          return Added({ by })
        },
      }),
  )

describe.each(everyQueueStore)('a queued command that fails, on $kind,', ({ share }) => {
  const stores = share()

  it('is tried again with growing waits, and completes where it may', async () => {
    let attempts = 0
    const flaky = handling(() => {
      if (++attempts < 3) throw new Error('not now')
    })
    const app = await started({ router: flaky, eventStore: stores.node(), workers: 1, queue: quick })
    const told: unknown[] = []
    app.on('command:settle', ({ state, attempts: failed, delay }) => told.push([state, failed, delay !== undefined]))
    const receipt = await app.enqueue(add(5))
    expect(await receipt.completed()).toMatchObject({ aggregateVersion: 1 })
    expect(await receipt.status()).toMatchObject({ state: 'completed', attempts: 2 })
    expect(told).toEqual([
      ['delayed', 1, true],
      ['delayed', 2, true],
      ['completed', 2, false],
    ])
  })

  it('is a dead letter after its last attempt, with all that is to be known, until it is replayed or discarded', async () => {
    let broken = true
    const router = handling((by) => {
      if (broken && by > 100) throw new TypeError('too much')
    })
    const queue = { ...quick, maxAttempts: 3 }
    const app = await started({ router, eventStore: stores.node(), workers: 2, queue })
    const dead = await app.enqueue(add(101), { metadata: { user: 'ada' } })
    const another = await app.enqueue(add(102, 'b'))
    // Poison never blocks its neighbours.
    const neighbour = await app.enqueue(add(1))
    expect(await neighbour.completed()).toMatchObject({ aggregateVersion: 1 })
    const error = await dead.completed().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CommandDeadError)
    expect(error).toMatchObject({
      code: 'command_dead',
      commandId: dead.commandId,
      attempts: 3,
      cause: { name: 'CommandFailedError', message: expect.stringContaining('too much'), code: 'command_failed' },
    })
    await another.completed().catch(() => undefined)
    const { deadLetters } = app.commands
    expect(await deadLetters.get(dead.commandId)).toMatchObject({
      state: 'dead',
      data: { id: 'a', by: 101 },
      attempts: 3,
      failure: { code: 'command_failed', stack: expect.stringContaining('TypeError: too much') },
      metadata: { user: 'ada' },
      changedAt: expect.any(Date),
    })
    expect(await deadLetters.get(neighbour.commandId)).toBeUndefined()
    expect((await deadLetters.list()).map(({ commandId }) => commandId)).toEqual([dead.commandId, another.commandId])
    expect(await deadLetters.discard(another.commandId)).toBe(1)
    await expect(another.completed()).rejects.toMatchObject({ code: 'command_dead' })
    broken = false
    expect(await deadLetters.replay({ types: ['Add'] })).toBe(1)
    expect(await dead.completed()).toMatchObject({ aggregateVersion: 2, aggregateState: { total: 102 } })
    expect(await deadLetters.replay(dead.commandId)).toBe(0)
    expect(await deadLetters.list()).toEqual([])
    await expect(deadLetters.replay(undefined as never)).rejects.toMatchObject({ code: 'invalid_option' })
  })

  it('is dead at once where no attempt would mend it: nobody registers it any more, or it is not made so any more', async () => {
    const Old = command('Old', shape<{ id: string }>())
    const yesterday = router('yesterday', (r) =>
      r
        .identify(Counter, { by: 'id', prefix: 'counter-' })
        .dispatch(Add, { to: Counter })
        .dispatch(Old, { aggregate: Counter, to: () => undefined }),
    )
    const before = await started({ router: yesterday, eventStore: stores.node() })
    const unknown = await before.enqueue(Old({ id: 'a' }))
    const stricter = await before.enqueue(add(5))
    const NewAdd = command('Add', {
      '~standard': {
        version: 1,
        vendor: 'spec',
        validate: (value: unknown) =>
          (value as { by: number }).by > 9 ? { value } : { issues: [{ message: 'too little' }] },
      },
    } as never)
    const today = router('today', (r) =>
      r
        .identify(Counter, { by: () => 'a', prefix: 'counter-' })
        .dispatch(NewAdd as never, { aggregate: Counter, to: () => undefined }),
    )
    const after = await started({ router: today, eventStore: stores.node(), workers: 1 })
    await until(async () => (await after.commands.depth()).states.dead === 2, 'two dead letters')
    expect(await unknown.status()).toMatchObject({ attempts: 1, failure: { code: 'unregistered_command' } })
    expect(await stricter.status()).toMatchObject({
      failure: { code: 'invalid_message', message: expect.stringContaining('too little') },
    })
  })

  it('keeps later commands of its aggregate waiting where order is strict, until it is given up', async () => {
    const done: number[] = []
    const failing = handling((by) => {
      if (by === 2) throw new Error('stuck')
      done.push(by)
    })
    const queue = { ...quick, maxAttempts: 2, order: 'strict' } as const
    const taker = await started({ router: failing, eventStore: stores.node(), queue })
    const receipts: CommandReceipt<unknown>[] = []
    for (const by of [1, 2, 3, 4]) receipts.push(await taker.enqueue(add(by)))
    const beside = await taker.enqueue(add(9, 'b'))
    const app = await started({ router: failing, eventStore: stores.node(), workers: 2, queue })
    await beside.completed()
    await until(async () => (await app.commands.depth()).states.dead === 1, 'the dead letter')
    // The worker that had it gives it back.
    await until(async () => (await receipts[2]!.status()).state === 'queued', 'the later one to wait')
    await app.commands.deadLetters.discard(receipts[1]!.commandId)
    await receipts[3]!.completed()
    expect(done.filter((by) => by !== 9)).toEqual([1, 3, 4])
  })

  it('is rejected where a middleware halts it, or its form is out of date', async () => {
    const halting = router('halting', (r) =>
      r
        .middleware({ beforeDispatch: (pipeline) => pipeline.halt({ reason: 'not you' }) })
        .identify(Counter, { by: 'id', prefix: 'counter-' })
        .dispatch(Add, { to: Counter }),
    )
    const strict = await started({ router: halting, eventStore: stores.node(), workers: 1 })
    const halted = await strict.enqueue(add())
    const refusal = { code: 'halted', response: { reason: 'not you' } }
    await expect(halted.completed()).rejects.toMatchObject(refusal)
    await strict.stop()
    const app = await started({ router: counterRouter, eventStore: stores.node(), workers: 1 })
    await expect((await app.commands.receipt(halted.commandId)).completed()).rejects.toMatchObject(refusal)
    await app.dispatch(add())
    const form = await app.enqueue(add(), { expectedVersion: 0 })
    const conflict = { code: 'version_conflict', expected: 0, actual: 1 }
    await expect(form.completed()).rejects.toMatchObject(conflict)
    await expect((await app.commands.receipt(form.commandId)).completed()).rejects.toMatchObject(conflict)
  })
})

describe.each(everyQueueStore)('workers, on $kind,', ({ share }) => {
  const stores = share()

  it('never run a command whose deadline has passed in the queue, and say that it expired', async () => {
    let ran = 0
    const counting = handling(() => ran++)
    const taker = await started({ router: counting, eventStore: stores.node() })
    const deadline = Date.now() + 20
    const late = await taker.enqueue(add(), { deadline })
    const later = await taker.enqueue(add(2), { deadline, delay: 60_000 })
    const inTime = await taker.enqueue(add(3))
    // Nobody works here.
    for (const receipt of [late, later]) {
      await expect(receipt.completed()).rejects.toMatchObject({ code: 'command_expired', outcome: 'not-executed' })
      expect(await receipt.status()).toMatchObject({ state: 'expired', failure: { code: 'deadline_exceeded' } })
      expect(await receipt.cancel()).toBe(false)
    }
    expect(await taker.commands.list({ states: ['expired'] })).toHaveLength(2)
    expect(await taker.commands.list({ states: ['queued', 'delayed'] })).toMatchObject([{ data: { by: 3 } }])
    expect((await taker.commands.depth()).states).toMatchObject({ expired: 2, queued: 1, delayed: 0 })
    const worker = await started({ router: counting, eventStore: stores.node(), workers: 1 })
    await inTime.completed()
    expect(await worker.commands.list({ states: ['expired'] })).toHaveLength(2)
    expect(ran).toBe(1)
  })

  it('expire what has failed when its deadline passes, and not when its next turn would have come', async () => {
    let ran = 0
    const failing = handling(() => {
      ran++
      throw new Error('not now')
    })
    const queue = { backoff: { base: 60_000, longest: 60_000 }, pollInterval: 10 }
    const app = await started({ router: failing, eventStore: stores.node(), workers: 1, queue })
    const receipt = await app.enqueue(add(), { deadline: Date.now() + 300 })
    await expect(receipt.completed()).rejects.toMatchObject({ code: 'command_expired' })
    // On a busy machine it was not tried in time.
    expect(ran).toBeLessThanOrEqual(1)
  })

  it('begin what is of a higher priority first, and a back-fill gives way between two of its commands', async () => {
    const order: number[] = []
    const gate = deferred()
    const slow = handling(async (by) => {
      order.push(by)
      if (by === 1) await gate.promise
      await new Promise((resolve) => setTimeout(resolve, 10))
    })
    const app = await started({ router: slow, eventStore: stores.node(), workers: 1 })
    for (let by = 1; by <= 8; by++) await app.enqueue(add(by), { priority: 'low' })
    await until(() => order.length === 1)
    const normal = await app.enqueue(add(100, 'b'))
    const high = await app.enqueue(add(200, 'c'), { priority: 'high' })
    gate.resolve()
    await Promise.all([normal.completed(), high.completed()])
    expect(order.indexOf(200)).toBeLessThan(order.indexOf(100))
    expect(order.indexOf(100)).toBeLessThan(6)
    await until(() => order.length === 10)
    expect(order.filter((by) => by < 100)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('run a delayed command when it is due, and not before', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node(), workers: 1 })
    const before = Date.now()
    const soon = await app.enqueue(add(1), { delay: 60 })
    const later = await app.enqueue(add(2), { notBefore: new Date(Date.now() + 3_600_000) })
    await soon.completed()
    expect(Date.now() - before).toBeGreaterThanOrEqual(59)
    expect(await later.status()).toMatchObject({ state: 'delayed' })
    expect(await later.cancel()).toBe(true)
  })

  it('end what they run when the application stops, and give back what they have not begun', async () => {
    const gate = deferred()
    const slow = handling((by) => (by === 1 ? gate.promise : undefined))
    const app = await started({ router: slow, eventStore: stores.node(), workers: 1 })
    const other = await started({ router: slow, eventStore: stores.node() })
    const first = await app.enqueue(add(1))
    const second = await app.enqueue(add(2))
    await until(async () => (await other.commands.depth()).states.running > 0)
    const stopped = app.stop()
    gate.resolve()
    await stopped
    const seen = await Promise.all([first, second].map((receipt) => other.commands.get(receipt.commandId)))
    expect(seen).toMatchObject([{ state: 'completed' }, { state: 'queued', attempts: 0 }])
  })

  it('carry causation, depth and deadline on to the events and what these lead to', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node(), workers: 1 })
    const deadline = Date.now() + 60_000
    const receipt = await app.enqueue(add(), { causationId: 'click', correlationId: 'visit', deadline })
    const { events } = await receipt.completed()
    expect(events[0]).toMatchObject({ causationId: 'click', correlationId: 'visit' })
    const [stored] = await readFrom(stores, (store) => store.readCommand('counter-a', receipt.commandId))
    expect(stored?.metadata).toMatchObject({ 'edict.deadline': deadline })
    expect(await receipt.status()).toMatchObject({ deadline: new Date(deadline), causationId: 'click', depth: 0 })
  })
})
