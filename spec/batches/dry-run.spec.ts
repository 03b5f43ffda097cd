import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, processManager, workflow, type DryRunReport } from 'edict'
import { projection } from 'edict/projections'
import { started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { Enter, Entered, Explode, Ledger, ledgerRouter, loggingMiddleware, Refuse } from './ledger.ts'

afterEach(stopAll)

const one = Enter({ ledger: 'a', text: 'one' })

/** Each command with who sends it, in which transaction, and what it would come to. */
const told = ({ commands }: DryRunReport) =>
  commands.map(({ command, sentBy, transaction, depth, outcome, events }) => [
    (command.data as { text?: string }).text ?? command.type,
    sentBy?.name,
    ...[transaction, depth, outcome],
    events.map(({ recorded: { streamId, streamVersion, position } }) => [streamId, streamVersion, position]),
  ])

describe.each(everyStore)('a dry run on $kind', ({ kind, share }) => {
  const stores = share()

  it('tells what commands would lead to, at full depth, and changes nothing', async () => {
    const eventStore = stores.node()
    const lines: string[] = []
    let handled = 0
    const on = (ledger: string, text: string) => text === ledger
    const foreground = workflow('foreground', {
      events: [Entered],
      handle: ({ text }, _recorded, { executeCommands, isDryRun }) => {
        if (on('one', text) && isDryRun) executeCommands(Enter({ ledger: 'b', text: 'two' }))
      },
    })
    const background = workflow('background', {
      events: [Entered],
      background: true,
      handle: ({ text }, _recorded, { executeCommands, isDryRun }) => {
        if (on('two', text) && isDryRun) executeCommands(Enter({ ledger: 'a', text: 'three' }), Refuse({ ledger: 'a' }))
      },
    })
    const manager = processManager('manager', {
      events: [Entered],
      initialState: () => ({ seen: 0 }),
      interested: { Entered: ({ text }) => (text === 'past' ? { start: 'p' } : { continue: 'p' }) },
      handle: { Entered: ({ seen }) => (seen === 2 ? Enter({ ledger: 'c', text: `seen ${seen}` }) : undefined) },
      apply: {
        Entered: (state) => {
          state.seen++
        },
      },
      consistency: 'strong',
    })
    const handler = eventHandler('handler', {
      events: [Entered],
      handle: () => {
        handled++
      },
      consistency: 'strong',
    })
    const elsewhere = eventHandler('elsewhere', {
      events: [Entered],
      subscribeTo: { stream: 'ledger-c' },
      handle: () => {
        handled++
      },
    })
    const table =
      kind === 'memory'
        ? []
        : [projection('table', { events: [Entered], tables: { table: 'text TEXT' }, project: () => undefined })]
    const app = await started({
      router: ledgerRouter(loggingMiddleware(lines)),
      eventStore,
      handlers: [handler, elsewhere, manager, ...table],
      workflows: [foreground, background],
    })
    await app.dispatch(Enter({ ledger: 'a', text: 'past' }), { consistency: 'strong' })
    const before = [await eventStore.headPosition(), handled, lines.length]
    const report = await app.dryRun(one)
    expect(report).toMatchObject({ ok: true, error: undefined, failures: [] })
    expect(told(report)).toEqual([
      ['one', undefined, 0, 0, 'executed', [['ledger-a', 2, 2]]],
      ['two', 'foreground', 0, 1, 'executed', [['ledger-b', 1, 3]]],
      ['three', 'background', 1, 2, 'rolled-back', []],
      ['Refuse', 'background', 1, 2, 'failed', []],
      ['seen 2', 'manager', 2, 2, 'executed', [['ledger-c', 1, 4]]],
    ])
    const [first, , , refused, last] = report.commands
    expect(first?.events[0]?.followers.map(({ name }) => name)).toEqual([
      ...['handler', ...table.map(({ name }) => name), 'foreground', 'background', 'manager'],
    ])
    expect(last?.events[0]?.followers.map(({ name }) => name)).toContain('elsewhere')
    expect(first).toMatchObject({
      streamId: 'ledger-a',
      aggregateVersion: 2,
      aggregateState: { texts: ['past', 'one'] },
    })
    expect(refused).toMatchObject({ error: { code: 'refused' }, sentBy: { kind: 'background-workflow' } })
    expect(last?.sentBy).toEqual({ kind: 'process-manager', name: 'manager', instanceId: 'p' })
    // Neither in the store, nor in memory, nor by anybody's hand.
    expect([await eventStore.headPosition(), handled, lines.length]).toEqual(before)
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['past'] })
    expect(await app.processState(manager, 'p')).toEqual({ seen: 1 })
    const { events } = await app.dispatch(Enter({ ledger: 'z', text: 'next' }))
    expect(events[0]?.position).toBe(2)
  })

  it('tells which command of a batch would fail, and that the others would not take effect', async () => {
    const app = await started({ router: ledgerRouter(), eventStore: stores.node() })
    const report = await app.dryRun([one, Explode({ ledger: 'a' }), Enter({ ledger: 'a', text: 'three' })])
    expect(report).toMatchObject({ ok: false, error: { code: 'batch_failed', failedCode: 'command_failed' } })
    expect(told(report).map(([what, , , , outcome]) => [what, outcome])).toEqual([
      ['one', 'rolled-back'],
      ['Explode', 'failed'],
      ['three', 'not-run'],
    ])
    await expect(app.dryRun(Enter({ ledger: '', text: '' }))).rejects.toMatchObject({ failedCode: 'invalid_identity' })
  })
})

describe('a dry run', () => {
  it('cuts a chain without an end, and tells where', async () => {
    const endless = processManager('endless', {
      events: [Entered],
      initialState: () => ({}),
      interested: { Entered: () => ({ start: '1' }) },
      handle: { Entered: () => Enter({ ledger: 'a', text: 'again' }) },
    })
    const app = await started({ router: ledgerRouter(), handlers: [endless], batches: { maxDepth: 5 } })
    const { commands, failures } = await app.dryRun(one)
    expect(commands).toHaveLength(6)
    expect(failures).toMatchObject([
      { follower: { kind: 'process-manager', name: 'endless' }, error: { code: 'dispatch_too_deep' } },
    ])
  })
})
