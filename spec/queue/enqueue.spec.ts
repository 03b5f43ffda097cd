import { describe, expect, it } from '@jest/globals'
import {
  aggregate,
  application,
  command,
  event,
  inMemoryEventStore,
  jsonSerializer,
  reject,
  reply,
  router,
  shape,
} from 'edict'
import { z } from 'zod'
import { Add, Added, Counter, counterRouter, Explode, Noop, started, until } from '../support/counter.ts'
import { everyQueueStore, readFrom } from './queue-stores.ts'

const add = (by = 1, id = 'a') => Add({ id, by })

describe.each(everyQueueStore)('a queued command, on $kind,', ({ share }) => {
  const stores = share()

  it.each([
    ['would be refused now', () => reject('twice')],
    ['would change nothing now', () => undefined],
    [
      'would fail now',
      () => {
        throw new Error('twice')
      },
    ],
    ['would add the same now', (by: number) => Added({ by })],
    ['would add something else now', (by: number) => Added({ by: 10 * by })],
  ])('that was dispatched before under its id gives what it gave then, though it %s', async (_, again) => {
    const Once = aggregate('Counter', {
      commands: [Add],
      events: [Added],
      initialState: () => ({ total: 0 }),
      execute: ({ total }, { data }) => (total === 0 ? Added({ by: data.by }) : again(data.by)),
      apply: ({ total }, { data }) => ({ total: total + data.by }),
    })
    const once = router('once', (r) => r.identify(Once, { by: 'id', prefix: 'counter-' }).dispatch(Add, { to: Once }))
    const app = await started({ router: once, eventStore: stores.node(), workers: 1 })
    const first = await app.dispatch(add(5), { commandId: 'form-7' })
    const receipt = await app.enqueue(add(5), { commandId: 'form-7' })
    expect((await receipt.completed()).events).toEqual(first.events)
    expect(await app.aggregateVersion(Once, 'a')).toBe(1)
    expect(await receipt.status()).toMatchObject({ state: 'completed', attempts: 0 })
  })

  it('that was dispatched before under its id is not handled once more by a handler that may do more than decide', async () => {
    let runs = 0
    const counting = router('counting', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: (_counter, { by }) => {
          runs++
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: counting, eventStore: stores.node(), workers: 1 })
    const first = await app.dispatch(add(5), { commandId: 'form-7' })
    const receipt = await app.enqueue(add(5), { commandId: 'form-7' })
    expect((await receipt.completed()).events).toEqual(first.events)
    expect(runs).toBe(1)
  })

  it('is stored at once, run by a worker, and its receipt gives what dispatch would have given', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node(), workers: 2 })
    const receipt = await app.enqueue(add(5), { metadata: { user: 'ada' }, correlationId: 'form-1', tenant: 'acme' })
    expect(receipt).toMatchObject({ commandId: expect.any(String), position: 1 })
    const result = await receipt.completed()
    expect(result).toMatchObject({
      aggregateId: 'a',
      aggregateVersion: 1,
      aggregateState: { total: 5 },
      events: [
        {
          type: 'Added',
          commandId: receipt.commandId,
          causationId: receipt.commandId,
          correlationId: 'form-1',
          tenant: 'acme',
          metadata: { user: 'ada' },
        },
      ],
    })
    expect(await receipt.status()).toMatchObject({
      state: 'completed',
      attempts: 0,
      failure: undefined,
      tenant: 'acme',
    })
  })

  it('is run by another node than the one that took it, and the receipt waits for that one', async () => {
    const taker = await started({ router: counterRouter, eventStore: stores.node() })
    const receipt = await taker.enqueue(add(5))
    expect(await receipt.status()).toMatchObject({ state: 'queued', data: { id: 'a', by: 5 }, priority: 'normal' })
    await expect(receipt.completed({ timeout: 20 })).rejects.toMatchObject({
      code: 'receipt_timeout',
      outcome: 'unknown',
    })
    await started({ router: counterRouter, eventStore: stores.node(), workers: 1 })
    expect(await receipt.completed()).toMatchObject({ aggregateVersion: 1, aggregateState: { total: 5 } })
    // Another request has nothing but the id.
    const later = await taker.commands.receipt(receipt.commandId)
    expect(await later.completed()).toEqual(await receipt.completed())
    await expect(taker.commands.receipt('nobody')).rejects.toMatchObject({ code: 'unknown_command' })
  })

  it('is refused, and not stored, where it is unknown, invalid, or goes nowhere', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node() })
    const Unknown = command('Unknown', shape<{ id: string }>())
    await expect(app.enqueue(Unknown({ id: 'a' }) as never)).rejects.toMatchObject({ code: 'unregistered_command' })
    await expect(app.enqueue({ type: 'Add', data: {} } as never)).rejects.toMatchObject({ code: 'invalid_message' })
    await expect(app.enqueue(add(1, ''))).rejects.toMatchObject({ code: 'invalid_identity' })
    const wrong: readonly object[] = [
      { priority: 'urgent' },
      { delay: -1 },
      { delay: 1, notBefore: new Date() },
      { notBefore: new Date(Number.NaN) },
      { strict: 'yes' },
      { idempotencyKey: '' },
      { signal: new AbortController().signal },
      { consistency: ['nobody'] },
      { nonsense: 1 },
    ]
    for (const options of wrong) {
      await expect(app.enqueue(add(), options as never)).rejects.toMatchObject({ code: 'invalid_option' })
    }
    // The message names what may be said here, not what a dispatch takes alone.
    await expect(app.enqueue(add(), { nonsense: 1 } as never)).rejects.toThrow(
      /nonsense; it has idempotencyKey, .*timeout/,
    )
    expect(await app.commands.list()).toEqual([])
  })

  it('comes in the order of its aggregate, while other aggregates go on beside it', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node() })
    for (let by = 1; by <= 20; by++) {
      await app.enqueue(add(by))
      await app.enqueue(add(by, 'b'))
    }
    const worker = await started({ router: counterRouter, eventStore: stores.node(), workers: 4 })
    await until(async () => (await worker.commands.depth()).states.completed === 40, 'the end of the queue')
    for (const id of ['a', 'b']) {
      const amounts: number[] = []
      const { events } = await readFrom(stores, (store) => store.readStream(`counter-${id}`))
      for (const stored of events) amounts.push((await worker.commands.get(stored.commandId))!.data as never)
      expect(amounts).toEqual(Array.from({ length: 20 }, (_, index) => ({ id, by: index + 1 })))
    }
  })

  it('that the domain rejects has an outcome, and is not tried again', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node(), workers: 1 })
    const receipt = await app.enqueue(add(-1))
    const rejection = { code: 'negative', details: { by: -1 }, outcome: 'not-executed', name: 'CommandRejectedError' }
    await expect(receipt.completed()).rejects.toMatchObject(rejection)
    expect(await receipt.status()).toMatchObject({ state: 'rejected', attempts: 0, failure: { code: 'negative' } })
    // As whoever was not there when it ran is told.
    const other = await started({ router: counterRouter, eventStore: stores.node() })
    const elsewhere = await other.commands.receipt(receipt.commandId)
    await expect(elsewhere.completed()).rejects.toMatchObject(rejection)
  })

  it('that appends nothing is completed', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node(), workers: 1 })
    const receipt = await app.enqueue(Noop({ id: 'a' }))
    expect(await receipt.completed()).toMatchObject({ events: [], position: 0, aggregateVersion: 0 })
  })

  it('gives the reply of its handler to whoever waits, on whichever node', async () => {
    const replying = router('replying', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: (_counter, { by }) => reply({ at: new Date(by) }, Added({ by })),
      }),
    )
    const taker = await started({ router: replying, eventStore: stores.node() })
    const worker = await started({ router: replying, eventStore: stores.node(), workers: 1 })
    const receipt = await taker.enqueue(add(7))
    expect((await receipt.completed()).reply).toEqual({ at: new Date(7) })
    const here = await worker.enqueue(add(8))
    expect((await here.completed()).reply).toEqual({ at: new Date(8) })
  })

  it('may be cancelled until it is begun, and is then never run', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node() })
    const receipt = await app.enqueue(add(5))
    expect(await receipt.cancel()).toBe(true)
    expect(await receipt.cancel()).toBe(false)
    await expect(receipt.completed()).rejects.toMatchObject({ code: 'command_cancelled', outcome: 'not-executed' })
    const worker = await started({ router: counterRouter, eventStore: stores.node(), workers: 1 })
    await (await worker.enqueue(add(1))).completed()
    expect(await worker.aggregateState(Counter, 'a')).toEqual({ total: 1 })
    expect(await worker.commands.cancel('nobody')).toBe(false)
  })

  it('is counted by state and priority, with the age of the oldest', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node() })
    await app.enqueue(add(1))
    await app.enqueue(add(1), { priority: 'low' })
    await app.enqueue(add(1), { delay: 60_000 })
    const depth = await app.commands.depth()
    expect(depth.states).toMatchObject({ queued: 2, delayed: 1, running: 0, dead: 0 })
    expect(depth.priorities).toEqual({ high: 0, normal: 1, low: 1 })
    await until(async () => (await app.commands.depth()).oldestAge > 0)
    expect(await app.commands.list({ states: ['delayed'] })).toHaveLength(1)
  })
})

it('keeps what a schema made of its input, whatever the schema would make of that', async () => {
  const Length = command('Length', z.object({ id: z.string(), text: z.string().transform((text) => text.length) }))
  const Noted = event('Noted', shape<{ length: number }>())
  const Note = aggregate('Note', {
    commands: [Length],
    events: [Noted],
    initialState: () => ({ length: 0 }),
    execute: { Length: (_note, { text }) => Noted({ length: text }) },
    apply: { Noted: (note, { length }) => ({ ...note, length }) },
  })
  const notes = router('notes', (r) => r.identify(Note, { by: 'id' }).dispatch(Length, { to: Note }))
  const app = await started({ router: notes, workers: 1 })
  const receipt = await app.enqueue(Length({ id: 'n', text: 'seven!!' }))
  expect((await receipt.completed()).aggregateState).toEqual({ length: 7 })
  await app.stop()
})

it('refuses an identity that is an object where data is encoded, and says what to give instead', async () => {
  const Visit = command('Visit', shape<{ page: URL }>())
  const Visited = event('Visited', shape<{ page: string }>())
  const Page = aggregate('Page', {
    commands: [Visit],
    events: [Visited],
    initialState: () => ({}),
    execute: { Visit: (_page, { page }) => Visited({ page: page.href }) },
    apply: { Visited: () => undefined },
  })
  const pages = router('pages', (r) => r.identify(Page, { by: 'page' }).dispatch(Visit, { to: Page }))
  const app = await started({ router: pages, serializer: jsonSerializer })
  const visit = Visit({ page: new URL('https://example.com/') })
  const refused = {
    code: 'invalid_message',
    issues: [{ path: ['page'], message: expect.stringContaining('give its text') }],
  }
  await expect(app.enqueue(visit)).rejects.toMatchObject(refused)
  await expect(app.process(visit)).rejects.toMatchObject(refused)
  await expect(app.dispatch(visit)).resolves.toMatchObject({ aggregateId: 'https://example.com/' })
})

it('refuses an application whose store keeps no commands, where it is defined or where it is asked', async () => {
  const store = inMemoryEventStore()
  const keepsNone = new Proxy(store, {
    get: (target, key) => {
      if (key === 'commands') return undefined
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const define = (options: object) =>
    application({ name: 'none', router: counterRouter, eventStore: keepsNone, ...options })
  expect(() => define({ workers: 1 })).toThrow(expect.objectContaining({ code: 'invalid_definition' }))
  expect(() => define({ commandProcessing: 'async' })).toThrow(expect.objectContaining({ code: 'invalid_definition' }))
  const app = await define({}).start()
  await expect(app.enqueue(add())).rejects.toMatchObject({ code: 'unsupported_capability' })
  expect(() => app.commands).toThrow(expect.objectContaining({ code: 'unsupported_capability' }))
  await expect(app.process(add(), { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'unsupported_capability' })
  await expect(app.process(add(3))).resolves.toMatchObject({ aggregateState: { total: 3 } })
  await expect(app.process(Explode({ id: 'a', with: 'no' }))).rejects.toMatchObject({ code: 'command_failed' })
  await app.stop()
})
