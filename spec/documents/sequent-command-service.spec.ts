import { describe, expect, it } from '@jest/globals'
import { BatchFailedError, readRecordedEvents, workflow, type EventStore } from 'edict'
import { started } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { Enter, Entered, Explode, Ledger, ledgerRouter, loggingMiddleware } from '../batches/ledger.ts'

// The sentences of Sequent's page on its command service, one by one.

async function stored(eventStore: EventStore): Promise<string[]> {
  const lines: string[] = []
  for await (const { streamId, data } of readRecordedEvents(eventStore)) {
    lines.push(`${streamId}: ${(data as { text: string }).text}`)
  }
  return lines
}

describe.each(everyStore)("Sequent's command service, on $kind", ({ share }) => {
  const stores = share()

  it('takes a command by executeCommands', async () => {
    const app = await started({ router: ledgerRouter(), eventStore: stores.node() })
    const { results, scheduled, position } = await app.executeCommands(Enter({ ledger: 'a', text: 'one' }))
    expect(results[0].events).toMatchObject([{ data: { text: 'one', after: 0 }, streamVersion: 1, position: 1 }])
    expect({ scheduled, position }).toEqual({ scheduled: [], position: 1 })
  })

  it('executes all commands that are passed to it in a single transaction', async () => {
    const eventStore = stores.node()
    const app = await started({ router: ledgerRouter(), eventStore })
    let appends = 0
    app.on('append:stop', () => appends++)
    const { results } = await app.executeCommands(
      Enter({ ledger: 'a', text: 'one' }),
      Enter({ ledger: 'b', text: 'two' }),
      Enter({ ledger: 'a', text: 'three' }),
    )
    expect(appends).toBe(1)
    // Each has seen what the one before it has left.
    expect(results.map(({ aggregateVersion, events: [event] }) => [aggregateVersion, event?.data])).toEqual([
      [1, { text: 'one', after: 0 }],
      [1, { text: 'two', after: 0 }],
      [2, { text: 'three', after: 1 }],
    ])
    expect(results.map(({ events: [event] }) => [event?.streamVersion, event?.position])).toEqual([
      [1, 1],
      [1, 3],
      [2, 2],
    ])
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['one', 'three'] })
  })

  it('throws when something fails, and rolls the transaction back; the next batch is clean', async () => {
    const eventStore = stores.node()
    const lines: string[] = []
    const app = await started({ router: ledgerRouter(loggingMiddleware(lines)), eventStore })
    const error: unknown = await app
      .executeCommands(
        Enter({ ledger: 'a', text: 'one' }),
        Explode({ ledger: 'b' }),
        Enter({ ledger: 'a', text: 'never' }),
      )
      .catch((thrown: unknown) => thrown)
    if (!(error instanceof BatchFailedError)) throw error
    expect(error).toMatchObject({ code: 'batch_failed', failedCode: 'command_failed', outcome: 'not-executed' })
    expect(error).toMatchObject({ command: 'Explode', index: 1, isScheduled: false })
    expect(error).toHaveProperty('cause.cause.message', 'boom')
    // Later ones never start.
    expect(lines).toEqual(['Before Enter one', 'After Enter one', 'Before Explode', 'Error Explode', 'After Explode'])
    expect(await stored(eventStore)).toEqual([])
    await app.executeCommands(Enter({ ledger: 'a', text: 'two' }))
    expect(await stored(eventStore)).toEqual(['ledger-a: two'])
  })

  it('executes commands in the order in which they are scheduled: c1, c2, then the c3 of the workflow', async () => {
    const eventStore = stores.node()
    const receipts: unknown[] = []
    const follow = workflow('follow', {
      events: [Entered],
      handle: {
        Entered: async ({ text }, _recorded, { executeCommands }) => {
          if (text !== 'c1') return
          // It is no promise: who awaits it waits for nobody.
          receipts.push(await Promise.resolve(executeCommands(Enter({ ledger: 'log', text: 'c3' }))))
        },
      },
    })
    const app = await started({ router: ledgerRouter(), eventStore, workflows: [follow] })
    const { results, scheduled } = await app.executeCommands(
      Enter({ ledger: 'log', text: 'c1' }),
      Enter({ ledger: 'log', text: 'c2' }),
    )
    expect(await stored(eventStore)).toEqual(['ledger-log: c1', 'ledger-log: c2', 'ledger-log: c3'])
    expect(results).toHaveLength(2)
    const [{ commandId, type, scheduledBy, result } = never()] = scheduled
    expect({ type, scheduledBy, data: result.events[0]?.data }).toEqual({
      type: 'Enter',
      scheduledBy: 'follow',
      data: { text: 'c3', after: 2 },
    })
    expect(receipts).toEqual([{ commands: [{ type: 'Enter', commandId }], depth: 1 }])
    // It follows from the event, as it would from a handler.
    const [c1] = results
    expect(result.events[0]).toMatchObject({
      causationId: c1.events[0]?.eventId,
      correlationId: c1.events[0]?.correlationId,
      commandId,
    })
  })

  it('goes through middleware once for each command, in order of definition, scheduled commands after their parent', async () => {
    const lines: string[] = []
    const follow = workflow('follow', {
      events: [Entered],
      handle: ({ text }, _recorded, { executeCommands }) => {
        lines.push(`Workflow ${text}`)
        if (text === 'John') executeCommands(Enter({ ledger: 'c', text: 'Welcome' }))
      },
    })
    const app = await started({
      router: ledgerRouter(loggingMiddleware(lines, '1 '), loggingMiddleware(lines, '2 ')),
      eventStore: stores.node(),
      workflows: [follow],
    })
    await app.executeCommands(Enter({ ledger: 'a', text: 'John' }), Enter({ ledger: 'b', text: 'Jane' }))
    const around = (text: string) => [
      `Before 1 Enter ${text}`,
      `Before 2 Enter ${text}`,
      `Workflow ${text}`,
      `After 2 Enter ${text}`,
      `After 1 Enter ${text}`,
    ]
    expect(lines).toEqual([...around('John'), ...around('Jane'), ...around('Welcome')])
  })
})

function never(): never {
  throw new Error('there is none')
}
