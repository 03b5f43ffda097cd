import { afterEach, describe, expect, it } from '@jest/globals'
import {
  aggregate,
  command,
  commandHandler,
  inMemoryEventStore,
  router,
  shape,
  UnitOfWork,
  unitOfWork,
  workflow,
  type AroundMiddleware,
  type Repository,
} from 'edict'
import { deferred, started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { heldAppend } from '../support/held-append.ts'
import { Enter, Entered, Ledger, ledgerRouter } from './ledger.ts'

// What batches and units promise, where they meet tenants, workflows, dry runs and each other.

const one = Enter({ ledger: 'a', text: 'one' })
const two = Enter({ ledger: 'b', text: 'two' })

async function enter(repository: Repository, ledger: string, text: string): Promise<void> {
  const root = (await repository.find(Ledger, ledger)) ?? (await repository.create(Ledger, ledger))
  root.execute(Enter({ ledger, text }))
  repository.add(root)
}

const EnterBoth = command('EnterBoth', shape<{ ledger: string; other: string }>())
const clerk = commandHandler(Ledger, {
  commands: [EnterBoth],
  multipleAggregates: true,
  handle: {
    async EnterBoth({ ledger, other }, { repository }) {
      await enter(repository, ledger, 'both')
      await enter(repository, other, 'both')
    },
  },
})
const clerks = router('clerks', (r) => r.router(ledgerRouter()).dispatch(EnterBoth, { to: clerk, identity: 'ledger' }))
const both = EnterBoth({ ledger: 'a', other: 'b' })

const textOf = (type: string, ledger: string) =>
  `${type} was to change ledger-${ledger} from within a batch that has loaded it: schedule a command, by executeCommands of the context`

const Order = command('Order', shape<{ order: string }>())
const Forgo = command('Forgo', shape<{ ledger: string; events: boolean }>())

const follow = workflow('follow', {
  events: [Entered],
  handle: async ({ text }, _recorded, { executeCommands }) => {
    if (text === 'both') executeCommands(Enter({ ledger: 'a', text: 'more' }))
    await Promise.resolve()
  },
})

describe.each(everyStore)('an idempotent batch on $kind', ({ share }) => {
  const stores = share()

  it('is known to its own tenant alone', async () => {
    const app = await started({ router: ledgerRouter(), eventStore: stores.node() })
    const commandIds = ['1', '2']
    await app.executeCommands([one, two], { commandIds, tenant: 'north' })
    const { results } = await app.executeCommands([one, two], { commandIds, tenant: 'south' })
    expect(results.map(({ events: [event] }) => event?.tenant)).toEqual(['south', 'south'])
    const again = await app.executeCommands([one, two], { commandIds, tenant: 'south' })
    expect(again.results[1].events).toEqual(results[1].events)
    expect(await app.aggregateVersion(Ledger, 'a', { tenant: 'north' })).toBe(1)
    expect(await app.aggregateVersion(Ledger, 'a', { tenant: 'south' })).toBe(1)
  })

  it('says that it took effect where its events are deleted since', async () => {
    const eventStore = stores.node()
    const app = await started({ router: ledgerRouter(), eventStore })
    await app.executeCommands([one, two], { commandIds: ['1', '2'] })
    await eventStore.deleteStream('ledger-a')
    await expect(app.executeCommands([one, two], { commandIds: ['1', '2'] })).rejects.toMatchObject({
      code: 'stream_closed',
      outcome: 'executed',
    })
  })
})

describe.each(everyStore)('a command handler that workflows followed, on $kind', ({ share }) => {
  const stores = share()

  it('is answered with all of its events when it comes again without them', async () => {
    const eventStore = stores.node()
    const before = await started({ router: clerks, eventStore, workflows: [follow] })
    const first = await before.dispatch(both, { commandId: '1' })
    // Between the two lie those of what the workflow has scheduled.
    expect(first.events.map(({ position }) => position)).toEqual([1, 4])
    const after = await started({ router: clerks, eventStore: stores.node() })
    const again = await after.dispatch(both, { commandId: '1' })
    expect(again.events.map(({ eventId }) => eventId)).toEqual(first.events.map(({ eventId }) => eventId))
    expect(again.aggregateVersion).toBe(first.aggregateVersion)
  })
})

describe('a foreground workflow', () => {
  afterEach(stopAll)

  it('lets many dispatches to one aggregate run one after another', async () => {
    const app = await started({ router: ledgerRouter(), workflows: [follow], defaults: { retryAttempts: 0 } })
    const hold = deferred()
    const enterings = Array.from({ length: 30 }, (_, index) =>
      hold.promise.then(() => app.dispatch(Enter({ ledger: 'a', text: `${index}` }))),
    )
    hold.resolve()
    await Promise.all(enterings)
    expect(await app.aggregateVersion(Ledger, 'a')).toBe(30)
  })

  it('may dispatch to the aggregate of its own turn after the commit, and one that runs out of time lets others in', async () => {
    const never = deferred()
    const answering = workflow('answering', {
      events: [Entered],
      handle: async ({ text }, _recorded, { afterCommit }) => {
        if (text === 'one') afterCommit(() => app.dispatch(Enter({ ledger: 'a', text: 'answer' })))
        if (text === 'slow') await never.promise
      },
    })
    const app = await started({ router: ledgerRouter(), workflows: [answering] })
    await app.dispatch(one)
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['one', 'answer'] })
    const slow = app.dispatch(Enter({ ledger: 'a', text: 'slow' }), { timeout: 20 })
    const behind = app.dispatch(Enter({ ledger: 'a', text: 'behind' }))
    await expect(slow).rejects.toMatchObject({ code: 'command_timeout', outcome: 'not-executed' })
    await behind
    never.resolve()
    expect(await app.aggregateVersion(Ledger, 'a')).toBe(3)
  })

  it('that dispatches by itself does not keep a background workflow from its own batch', async () => {
    const dispatching = workflow('dispatching', {
      events: [Entered],
      handle: async ({ text }) => {
        if (text === 'one') await app.dispatch(Enter({ ledger: 'n', text: 'nested' }), { consistency: 'strong' })
      },
    })
    const behind = workflow('behind', {
      events: [Entered],
      background: true,
      consistency: 'strong',
      handle: ({ text }, _recorded, { executeCommands }) => {
        if (text === 'nested') executeCommands(Enter({ ledger: 'z', text: 'behind' }))
      },
    })
    const app = await started({ router: ledgerRouter(), workflows: [dispatching, behind] })
    await app.executeCommands(one)
    expect(await app.aggregateVersion(Ledger, 'z')).toBe(1)
  })

  it('that schedules something else in the run after a conflict leaves no dispatch without an end', async () => {
    const eventStore = inMemoryEventStore()
    const other = await started({ router: ledgerRouter(), eventStore })
    let runs = 0
    const fickle = workflow('fickle', {
      events: [Entered],
      handle: async ({ text }, _recorded, { executeCommands }) => {
        if (text !== 'one') return
        executeCommands(Enter({ ledger: 'q', text: `run ${++runs}` }))
        if (runs === 1) await other.dispatch(Enter({ ledger: 'a', text: 'other' }))
      },
    })
    const app = await started({ router: ledgerRouter(), eventStore, workflows: [fickle] })
    const told: string[] = []
    app.on('dispatch:start', () => void told.push('start'))
    app.on('dispatch:stop', () => void told.push('stop'))
    app.on('dispatch:exception', ({ error }) => void told.push(error.code))
    await app.executeCommands(one)
    expect(told.sort()).toEqual(['start', 'start', 'start', 'stop', 'stop', 'version_conflict'])
    expect(await app.aggregateState(Ledger, 'q')).toEqual({ texts: ['run 2'] })
  })
})

describe('a dispatch from within a batch', () => {
  afterEach(stopAll)

  const refusing = (text: string) => expect.objectContaining({ code: 'reentrant_dispatch', message: text })

  it('is refused where it goes to an aggregate that the batch has loaded, before anything is stored', async () => {
    const refused: unknown[] = []
    let runs = 0
    const inner = (ledger: string) =>
      app.dispatch(Enter({ ledger, text: 'inner' })).then(
        () => refused.push(ledger),
        (error: unknown) => refused.push(error),
      )
    const nesting = commandHandler(Ledger, {
      commands: [EnterBoth],
      multipleAggregates: true,
      handle: {
        async EnterBoth({ ledger, other }, { repository }) {
          runs++
          // Its own, which it has not loaded; one that a command before it has; one that nobody has.
          for (const to of [ledger, 'b', 'free']) await inner(to)
          await enter(repository, other, 'outer')
          await inner(other)
        },
      },
    })
    const app = await started({
      router: router('nesting', (r) =>
        r.router(ledgerRouter()).dispatch(EnterBoth, { to: nesting, identity: 'ledger' }),
      ),
    })
    await app.executeCommands(two, EnterBoth({ ledger: 'a', other: 'c' }))
    const [a, b, c] = ['a', 'b', 'c'].map((ledger) => refusing(textOf('Enter', ledger)))
    expect([runs, refused]).toEqual([1, [a, b, 'free', c]])
    expect(await app.aggregateState(Ledger, 'b')).toEqual({ texts: ['two'] })
    expect(await app.aggregateState(Ledger, 'c')).toEqual({ texts: ['outer'] })
    expect(await app.aggregateState(Ledger, 'free')).toEqual({ texts: ['inner'] })
    // What the batch had loaded is free again.
    await app.dispatch(two)
  })

  it('is refused likewise from a workflow, where one follows it too', async () => {
    const refused: unknown[] = []
    const nested = workflow('nested', {
      events: [Entered],
      handle: async ({ text }) => {
        if (text === 'one') await app.dispatch(two).catch((error: unknown) => refused.push(error))
      },
    })
    const app = await started({ router: ledgerRouter(), workflows: [nested] })
    await app.executeCommands(two, one)
    expect(refused).toEqual([refusing(textOf('Enter', 'b'))])
    await app.dispatch(one)
    expect(await app.aggregateState(Ledger, 'b')).toEqual({ texts: ['two', 'two'] })
  })

  it('stores nothing where its handler changes an aggregate that the batch has loaded', async () => {
    const refused: unknown[] = []
    const nesting = commandHandler(Ledger, {
      commands: [Order],
      handle: {
        async Order() {
          await app.dispatch(EnterBoth({ ledger: 'free', other: 'b' })).catch((error: unknown) => refused.push(error))
        },
      },
    })
    const app = await started({
      router: router('nesting', (r) => r.router(clerks).dispatch(Order, { to: nesting, identity: 'order' })),
    })
    await app.executeCommands(two, Order({ order: 'o' }))
    expect(refused).toEqual([refusing(textOf('a unit of work', 'b'))])
    expect(await app.aggregateVersion(Ledger, 'free')).toBe(0)
  })

  it('may come from its middleware, which runs once', async () => {
    let isFirst = true
    const inner: AroundMiddleware = async (_pipeline, next) => {
      await next()
      if (!isFirst) return
      isFirst = false
      await app.dispatch(Enter({ ledger: 'a', text: 'inner' }))
    }
    const app = await started({ router: ledgerRouter(inner) })
    await app.executeCommands(one)
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['inner', 'one'] })
  })
})

describe('a dry run', () => {
  afterEach(stopAll)

  it('stores nothing of a unit that a command handler opens within its own', async () => {
    const nesting = commandHandler(Ledger, {
      commands: [Enter],
      handle: {
        Enter: ({ ledger, text }): Promise<void> =>
          unitOfWork(app, ({ repository }) => enter(repository, ledger, text)),
      },
    })
    const eventStore = inMemoryEventStore()
    const app = await started({
      router: router('nesting', (r) => r.identify(Ledger, { by: 'ledger' }).dispatch(Enter, { to: nesting })),
      eventStore,
    })
    const { ok, commands } = await app.dryRun(one)
    expect([ok, commands[0]?.events.length, await eventStore.headPosition()]).toEqual([true, 1, 0])
  })

  it('lets nothing that runs in it store anything by itself, and keeps nobody from it who is no part of it', async () => {
    const refused: unknown[] = []
    const own = Enter({ ledger: 'free', text: 'by itself' })
    const sending = async (): Promise<void> => {
      const sent: readonly (() => Promise<unknown>)[] = [
        () => app.dispatch(own),
        () => app.executeCommands(own),
        () => app.enqueue(own),
        () => app.process(own),
        () => unitOfWork(app, ({ repository }) => enter(repository, 'free', 'by itself')),
      ]
      for (const send of sent) await send().catch((error: unknown) => refused.push(error))
    }
    const [over, later] = [deferred(), deferred()]
    const background = workflow('background', {
      events: [Entered],
      background: true,
      handle: async ({ text }, _recorded, { isDryRun }) => {
        if (text !== 'one' || !isDryRun) return
        await sending()
        void over.promise
          .then(() => app.dispatch(two))
          .then(() => {
            later.resolve()
          })
      },
    })
    const eventStore = inMemoryEventStore()
    const app = await started({ router: ledgerRouter(), eventStore, workflows: [background] })
    expect(await app.dryRun(one)).toMatchObject({ ok: true, failures: [] })
    expect(refused).toMatchObject([
      { code: 'reentrant_dispatch', message: expect.stringContaining('within a dry run') },
      ...Array.from({ length: 4 }, () => ({ code: 'reentrant_dispatch', outcome: 'not-executed' })),
    ])
    expect([await eventStore.headPosition(), await app.commands.list()]).toEqual([0, []])
    over.resolve()
    await later.promise
    await app.dispatch(own)
    expect(await eventStore.headPosition()).toBe(2)
  })

  it('finds the aggregates that a command handler loads, also where no command goes to them', async () => {
    const Other = aggregate('Other', {
      commands: [Order],
      events: [],
      initialState: () => ({}),
      execute: { Order: () => undefined },
      apply: {},
    })

    const other = commandHandler(Other, {
      commands: [Order],
      handle: { Order: ({ order }, { repository }) => enter(repository, order, 'ordered') },
    })
    const app = await started({
      router: router('orders', (r) =>
        r
          .identify(Ledger, { by: 'ledger' })
          .identify(Other, { by: 'order', prefix: 'order-' })
          .dispatch(Order, { to: other }),
      ),
    })
    const { commands } = await app.dryRun(Order({ order: '1' }))
    expect(commands[0]?.events).toMatchObject([{ type: 'Entered', data: { text: 'ordered' } }])
  })

  it('takes no commands for nothing to do, and options only as an object', async () => {
    const app = await started({ router: ledgerRouter() })
    expect(await app.dryRun([])).toMatchObject({ ok: true, commands: [] })
    for (const options of [null, 5]) {
      // @ts-expect-error options are an object
      await expect(app.dryRun(one, options)).rejects.toMatchObject({ code: 'invalid_option' })
    }
  })
})

describe('a unit of work', () => {
  afterEach(stopAll)

  it('is refused within the handler of the aggregate that it changes, as a batch is, and stores nothing', async () => {
    const refused: unknown[] = []
    let runs = 0
    const within = async (ledger: string): Promise<void> => {
      runs++
      const note = (error: unknown) => void refused.push(error)
      await unitOfWork(app, ({ repository }) => enter(repository, ledger, 'within')).catch(note)
      await app.executeCommands(Enter({ ledger, text: 'within' })).catch(note)
      // Another one is nobody's in this moment.
      await unitOfWork(app, ({ repository }) => enter(repository, 'other', 'within'))
    }
    const careless = router('careless', (r) =>
      r
        .identify(Ledger, { by: 'ledger', prefix: 'ledger-' })
        .dispatch(Enter, { to: Ledger })
        .dispatch(Forgo, {
          aggregate: Ledger,
          to: async (_ledger, { ledger, events }) => {
            await within(ledger)
            return events ? Entered({ text: 'own', after: 0 }) : undefined
          },
        }),
    )
    const app = await started({ router: careless })
    await app.dispatch(one)
    const refusal = { code: 'reentrant_dispatch', message: expect.stringContaining('within its own handler') }
    for (const events of [true, false]) await app.dispatch(Forgo({ ledger: 'a', events }))
    expect(refused).toMatchObject([refusal, refusal, refusal, refusal])
    expect(runs).toBe(2)
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['one', 'own'] })
    expect(await app.aggregateVersion(Ledger, 'other')).toBe(2)
  })

  it('is not committed while a unit within it goes on: half of the work is not all of it', async () => {
    const eventStore = inMemoryEventStore()
    const app = await started({ router: ledgerRouter(), eventStore })
    const half = deferred()
    const left = unitOfWork(app, async () => {
      void unitOfWork(app, async ({ repository }) => {
        await enter(repository, 'a', 'half')
        half.resolve()
        await new Promise(setImmediate)
      })
      await half.promise
    })
    await expect(left).rejects.toMatchObject({ code: 'unit_rolled_back', cause: { code: 'unit_of_work_misuse' } })
    const forgotten = unitOfWork(app, () => enter(new UnitOfWork(app).start().repository, 'a', 'forgotten'))
    await expect(forgotten).rejects.toMatchObject({ code: 'unit_rolled_back' })
    expect(await eventStore.headPosition()).toBe(0)
  })

  it('that fails, or does not end, within a command of a batch fails that command, so that none after it starts', async () => {
    const ran: string[] = []
    const left = commandHandler(Ledger, {
      commands: [Order],
      handle: {
        Order: async ({ order }): Promise<void> => {
          ran.push(order)
          if (order === 'open') new UnitOfWork(app).start()
          else if (order === 'failing')
            await unitOfWork(app, () => Promise.reject(new Error('half'))).catch(() => undefined)
        },
      },
    })
    const app = await started({
      router: router('left', (r) => r.router(ledgerRouter()).dispatch(Order, { to: left, identity: 'order' })),
    })
    for (const order of ['open', 'failing']) {
      const batch = app.executeCommands(one, Order({ order }), Order({ order: 'never' }))
      await expect(batch).rejects.toMatchObject({ command: 'Order', index: 1, failedCode: 'unit_rolled_back' })
    }
    expect(ran).toEqual(['open', 'failing'])
    expect(await app.aggregateVersion(Ledger, 'a')).toBe(0)
  })

  it('refuses a hook that is no function before anything is stored', async () => {
    const app = await started({ router: ledgerRouter() })
    // @ts-expect-error a hook is a function
    const hooked = unitOfWork(app, (unit) => unit.afterCommit('log'))
    await expect(hooked).rejects.toMatchObject({ code: 'unit_of_work_misuse' })
  })
})

describe('who is aborted while an append is under way', () => {
  afterEach(stopAll)

  it.each(['a batch', 'a unit'])('stores nothing by %s after a conflict', async (what) => {
    const inner = inMemoryEventStore()
    const { eventStore, begun, letGo } = heldAppend(inner)
    const other = await started({ router: ledgerRouter(), eventStore: inner })
    const app = await started({ router: ledgerRouter(), eventStore })
    const abort = new AbortController()
    const { signal } = abort
    const aborted =
      what === 'a batch'
        ? app.executeCommands([one], { signal })
        : unitOfWork(app, ({ repository }) => enter(repository, 'a', 'one'), { signal })
    await begun
    await other.dispatch(Enter({ ledger: 'a', text: 'other' }))
    abort.abort()
    letGo()
    await expect(aborted).rejects.toMatchObject({ code: 'aborted', outcome: 'not-executed' })
    expect(await other.aggregateState(Ledger, 'a')).toEqual({ texts: ['other'] })
  })
})
