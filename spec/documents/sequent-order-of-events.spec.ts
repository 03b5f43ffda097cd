import { afterEach, describe, expect, it } from '@jest/globals'
import { command, commandHandler, readRecordedEvents, router, shape, workflow, type EventStore } from 'edict'
import { started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { Enter, Entered, Ledger, ledgerRouter } from '../batches/ledger.ts'

afterEach(stopAll)

// The sentences of Sequent's page on the order of events, and command handlers that load several aggregates in a batch.

const MarkPaid = command('MarkPaid', shape<{ first: string; second: string }>())
const Forget = command('Forget', shape<{ ledger: string }>())
const Both = command('Both', shape<{ ledger: string }>())
const Defer = command('Defer', shape<{ ledger: string }>())

const clerk = commandHandler(Ledger, {
  commands: [MarkPaid, Forget],
  multipleAggregates: true,
  handle: {
    async MarkPaid({ first, second }, { repository, executeCommands, unitOfWork }) {
      const [one, two] = [await repository.find(Ledger, first), await repository.find(Ledger, second)]
      const invoices = {
        one: one ?? (await repository.create(Ledger, first)),
        two: two ?? (await repository.create(Ledger, second)),
      }
      for (const text of ['paid', 'final']) {
        for (const root of [invoices.two, invoices.one]) root.raise(Entered({ text, after: root.state.texts.length }))
      }
      repository.add(invoices.two)
      repository.add(invoices.one)
      unitOfWork.afterCommit(({ events }) => void hooks.push(events.length))
      executeCommands(Enter({ ledger: 'log', text: 'marked' }))
      return 'marked'
    },
    async Forget({ ledger }, { repository }) {
      const root = await repository.create(Ledger, ledger)
      root.raise(Entered({ text: 'lost', after: 0 }))
    },
  },
})
const hooks: number[] = []

/** Says nothing of several aggregates. */
const picky = commandHandler(Ledger, {
  commands: [Both, Defer],
  handle: {
    async Both({ ledger }, { repository }) {
      for (const id of [ledger, `${ledger}-too`]) {
        const root = await repository.create(Ledger, id)
        root.raise(Entered({ text: 'both', after: 0 }))
        repository.add(root)
      }
    },
    Defer({ ledger }, { executeCommands }) {
      if (ledger !== 'idle') executeCommands(Enter({ ledger, text: 'deferred' }))
    },
  },
})

const desk = router('desk', (r) =>
  r
    .router(ledgerRouter())
    .dispatch(MarkPaid, { to: clerk, identity: 'first' })
    .dispatch(Forget, { to: clerk, identity: 'ledger' })
    .dispatch([Both, Defer], { to: picky, identity: 'ledger' }),
)

async function stored(eventStore: EventStore): Promise<string[]> {
  const lines: string[] = []
  for await (const { streamId, data } of readRecordedEvents(eventStore)) {
    lines.push(`${streamId}: ${(data as { text: string }).text}`)
  }
  return lines
}

describe.each(everyStore)('the events of a batch on $kind', ({ share }) => {
  const stores = share()

  it('are stored by the order in which aggregates were loaded, those of each in the order of occurrence', async () => {
    const eventStore = stores.node()
    hooks.length = 0
    const app = await started({ router: desk, eventStore })
    const { results, scheduled } = await app.executeCommands(MarkPaid({ first: '1', second: '2' }))
    expect(await stored(eventStore)).toEqual([
      ...['ledger-1: paid', 'ledger-1: final', 'ledger-2: paid', 'ledger-2: final', 'ledger-log: marked'],
    ])
    const [{ reply, events, aggregateVersion, aggregateState }] = results
    expect({ reply, positions: events.map(({ position }) => position), aggregateVersion, aggregateState }).toEqual({
      reply: 'marked',
      positions: [1, 2, 3, 4],
      aggregateVersion: 2,
      aggregateState: { texts: ['paid', 'final'] },
    })
    expect(scheduled).toMatchObject([{ type: 'Enter', scheduledBy: 'MarkPaid', result: { position: 5 } }])
    expect(hooks).toEqual([5])
  })

  it('are ordered over the whole batch, whichever command loaded an aggregate first', async () => {
    const eventStore = stores.node()
    const app = await started({ router: desk, eventStore })
    const batch = [Enter({ ledger: '2', text: 'sent' }), MarkPaid({ first: '1', second: '2' })] as const
    await app.executeCommands(...batch)
    expect(await stored(eventStore)).toEqual([
      ...['ledger-2: sent', 'ledger-2: paid', 'ledger-2: final'],
      ...['ledger-1: paid', 'ledger-1: final', 'ledger-log: marked'],
    ])
    // What came of it before is answered as it was, with what was scheduled.
    const again = [Enter({ ledger: '2', text: 'again' }), MarkPaid({ first: '1', second: '2' })] as const
    const first = await app.executeCommands(again, { commandIds: ['a', 'b'] })
    const second = await app.executeCommands(again, { commandIds: ['a', 'b'] })
    expect(second.results.map(({ events }) => events)).toEqual(first.results.map(({ events }) => events))
    expect(second.scheduled).toEqual(first.scheduled)
  })

  it('are ordered likewise where ids are given, so that the aggregate of a command is looked at before its handler', async () => {
    const other = router('other', (r) => r.router(ledgerRouter()).dispatch(MarkPaid, { to: clerk, identity: 'second' }))
    const eventStore = stores.node()
    const app = await started({ router: other, eventStore })
    const { results } = await app.executeCommands([MarkPaid({ first: '1', second: '2' })], { commandIds: ['a'] })
    const [{ events, aggregateId }] = results
    const order = ['ledger-1', 'ledger-1', 'ledger-2', 'ledger-2']
    expect([aggregateId, events.map(({ streamId }) => streamId)]).toEqual(['2', order])
    expect((await stored(eventStore)).slice(0, 4).map((line) => line.split(':')[0])).toEqual(order)
  })

  it('are all there: what a handler changed and did not add fails the batch by its name', async () => {
    const eventStore = stores.node()
    const app = await started({ router: desk, eventStore })
    await expect(
      app.executeCommands(Enter({ ledger: '1', text: 'one' }), Forget({ ledger: '2' })),
    ).rejects.toMatchObject({ failedCode: 'aggregate_not_added', index: 1 })
    expect(await stored(eventStore)).toEqual([])
  })

  it('of a command handler that is dispatched are followed by workflows inside its transaction', async () => {
    const eventStore = stores.node()
    const copy = workflow('copy', {
      events: [Entered],
      handle: ({ text }, { streamId }, { executeCommands }) => {
        if (streamId !== 'ledger-copy') executeCommands(Enter({ ledger: 'copy', text }))
      },
    })
    const app = await started({ router: desk, eventStore, workflows: [copy] })
    const options = { commandId: 'once' }
    const result = await app.dispatch(MarkPaid({ first: '1', second: '2' }), options)
    const all = await stored(eventStore)
    expect(all.slice(4)).toEqual([
      'ledger-log: marked',
      ...['paid', 'final', 'paid', 'final', 'marked'].map((text) => `ledger-copy: ${text}`),
    ])
    expect((await app.dispatch(MarkPaid({ first: '1', second: '2' }), options)).events).toEqual(result.events)
    expect(await stored(eventStore)).toEqual(all)
  })

  it('come of several aggregates where a batch persists them; one dispatch does not by itself, with workflows or without', async () => {
    const eventStore = stores.node()
    const idle = workflow('idle', { events: [Entered], handle: () => undefined })
    const app = await started({ router: desk, eventStore })
    const followed = await started({ router: desk, eventStore, workflows: [idle] })
    const refused = { code: 'several_aggregates', outcome: 'not-executed' }
    await expect(app.dispatch(Both({ ledger: 'a' }))).rejects.toMatchObject(refused)
    await expect(followed.dispatch(Both({ ledger: 'a' }))).rejects.toMatchObject(refused)
    expect(await stored(eventStore)).toEqual([])
    await app.executeCommands(Both({ ledger: 'a' }))
    expect(await stored(eventStore)).toEqual(['ledger-a: both', 'ledger-a-too: both'])
  })

  it('come of what a command handler schedules in a batch; by itself, it has no queue to schedule into', async () => {
    const app = await started({ router: desk, eventStore: stores.node() })
    await app.executeCommands(Defer({ ledger: 'a' }))
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['deferred'] })
    // To have been given it is not to have used it.
    expect((await app.dispatch(Defer({ ledger: 'idle' }))).events).toEqual([])
    await expect(app.dispatch(Defer({ ledger: 'a' }))).rejects.toMatchObject({
      code: 'command_failed',
      cause: { code: 'scheduling_refused' },
    })
  })
})
