import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, inMemoryEventStore, skip, unitOfWork, UnitOfWork, workflow, type UnitOfWorkScope } from 'edict'
import { testClock } from 'edict/testing'
import { deferred, recordingLogger, started, stopAll, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { Enter, Entered, Ledger, ledgerRouter, Refuse } from './ledger.ts'

afterEach(stopAll)

const one = Enter({ ledger: 'a', text: 'one' })

/** Enters each text of one ledger into another one. */
const copying = (from: string, to: string) =>
  workflow(`copy-${from}-${to}`, {
    events: [Entered],
    handle: ({ text }, { streamId }, { executeCommands }) => {
      if (streamId.endsWith(`ledger-${from}`)) executeCommands(Enter({ ledger: to, text }))
    },
  })

describe.each(everyStore)('a workflow on $kind', ({ share }) => {
  const stores = share()

  it('in the foreground takes an ordinary dispatch into its transaction', async () => {
    const eventStore = stores.node()
    const workflows = [copying('a', 'b'), copying('b', 'c')]
    const app = await started({ router: ledgerRouter(), eventStore, workflows })
    let appends = 0
    app.on('append:stop', () => appends++)
    const result = await app.dispatch(one, { metadata: { by: 'Ada' }, tenant: 'acme' })
    expect(result).toMatchObject({ aggregateId: 'a', aggregateVersion: 1, events: [{ data: { text: 'one' } }] })
    expect(appends).toBe(1)
    const { events } = await eventStore.readAll()
    // What is scheduled is done for the same tenant, and carries on what is known of it.
    const { correlationId } = result.events[0] ?? { correlationId: '' }
    const context = { metadata: { by: 'Ada' }, tenant: 'acme', correlationId }
    expect(events).toMatchObject(['a', 'b', 'c'].map((id) => ({ streamId: `acme/ledger-${id}`, ...context })))
    // One that no workflow follows goes the usual way, and one that comes again is answered as the first time.
    const again = await app.dispatch(Enter({ ledger: 'a', text: 'two' }), { commandId: 'two' })
    expect(await app.dispatch(Enter({ ledger: 'a', text: 'two' }), { commandId: 'two' })).toEqual(again)
    const late = { deadline: Date.now() - 1 }
    expect(await app.dispatch(Enter({ ledger: 'a', text: 'two' }), { commandId: 'two', ...late })).toEqual(again)
    await expect(app.dispatch(Enter({ ledger: 'a', text: 'two' }), { commandId: 'three', ...late })).rejects.toThrow(
      expect.objectContaining({ code: 'deadline_exceeded' }),
    )
    expect(await app.aggregateState(Ledger, 'c')).toEqual({ texts: ['two'] })
  })

  it('in the foreground keeps its events from a unit of work that no command began, which could not take it in', async () => {
    const eventStore = stores.node()
    const app = await started({ router: ledgerRouter(), eventStore, workflows: [copying('a', 'b')] })
    const refused = {
      code: 'scheduling_refused',
      message: expect.stringMatching('the workflow copy-a-b follows Entered'),
    }
    const enter = async ({ repository }: Pick<UnitOfWorkScope, 'repository'>) => {
      const ledger = await repository.create(Ledger, 'a')
      ledger.execute(one)
      repository.add(ledger)
    }
    await expect(unitOfWork(app, enter)).rejects.toMatchObject(refused)
    const byHand = new UnitOfWork(app).start()
    await enter(byHand)
    await expect(byHand.commit()).rejects.toMatchObject(refused)
    expect(await eventStore.headPosition()).toBe(0)
  })

  it('in the foreground rolls back the dispatch whose events it does not take, or what it scheduled fails', async () => {
    const follow = workflow('follow', {
      events: [Entered],
      handle: ({ text }, _recorded, { executeCommands, afterCommit }) => {
        afterCommit(() => Promise.reject(new Error('never called')))
        if (text === 'one') throw new Error('no')
        executeCommands(Refuse({ ledger: 'b' }))
      },
    })
    const eventStore = stores.node()
    const app = await started({ router: ledgerRouter(), eventStore, workflows: [follow] })
    // The command's own failure is that of the dispatch.
    await expect(app.dispatch(one)).rejects.toMatchObject({ code: 'command_failed', cause: { message: 'no' } })
    await expect(app.dispatch(Enter({ ledger: 'a', text: 'two' }))).rejects.toMatchObject({
      ...{ code: 'batch_failed', failedCode: 'refused', command: 'Refuse', isScheduled: true, outcome: 'not-executed' },
    })
    expect(await eventStore.headPosition()).toBe(0)
  })

  it('does after the commit what it was told to, and what fails there changes nothing', async () => {
    const seen: unknown[] = []
    const follow = workflow('follow', {
      events: [Entered],
      handle: ({ text }, { position }, { afterCommit, isDryRun, workflowName, application }) => {
        seen.push([text, position, isDryRun, workflowName, application])
        afterCommit(() => Promise.reject(new Error('too bad')))
        afterCommit(async () => seen.push((await app.aggregateState(Ledger, 'a')).texts))
      },
    })
    const app = await started({ name: 'after', router: ledgerRouter(), eventStore: stores.node(), workflows: [follow] })
    await app.executeCommands(one)
    expect(seen).toEqual([['one', 0, false, 'follow', 'after'], ['one']])
  })

  it('in the background runs after the commit, as one batch for each event, which an event that comes again does not repeat', async () => {
    const eventStore = stores.node()
    let failures = 0
    const gate = deferred()
    const background = workflow('background', {
      events: [Entered],
      background: true,
      consistency: 'strong',
      handle: async ({ text }, { streamId }, { executeCommands, afterCommit }) => {
        if (streamId !== 'ledger-a') return
        await gate.promise
        executeCommands(Enter({ ledger: 'b', text }), Enter({ ledger: 'c', text }))
        afterCommit(() => Promise.reject(new Error('logged, and no more')))
      },
    })
    const app = await started({ router: ledgerRouter(), eventStore, workflows: [background] })
    let appends = 0
    app.on('append:stop', () => appends++)
    // A failure of the background is nobody's who has committed.
    app.on('handler:retry', () => failures++)
    const answer = app.executeCommands([one], { consistency: 'strong' })
    gate.resolve()
    await answer
    expect(appends).toBe(2)
    expect(await app.aggregateState(Ledger, 'c')).toEqual({ texts: ['one'] })
    await app.handler(background).reset()
    await app.dispatch(Enter({ ledger: 'a', text: 'two' }), { consistency: 'strong' })
    expect(await app.aggregateState(Ledger, 'b')).toEqual({ texts: ['one', 'two'] })
    expect(failures).toBe(0)
  })
})

describe('a workflow', () => {
  it('in the foreground takes queued commands into its transaction too, and those that handlers dispatch', async () => {
    const passing = eventHandler('passing', {
      events: [Entered],
      handle: async ({ text }, { streamId }, { dispatch }) => {
        if (streamId === 'ledger-queue') await dispatch(Enter({ ledger: 'a', text }))
      },
    })
    const refusing = workflow('refusing', {
      events: [Entered],
      handle: ({ text }, { streamId }) => {
        if (text === 'bad' && streamId === 'ledger-a') throw new Error('no')
      },
    })
    const app = await started({
      router: ledgerRouter(),
      handlers: [passing],
      workflows: [copying('a', 'b'), refusing],
      onHandlerError: () => skip(),
      eventProcessing: 'sync',
      workers: 1,
    })
    const queued = await app.enqueue(one)
    expect(await queued.completed()).toMatchObject({ aggregateVersion: 1 })
    // With events that are processed synchronously, a batch waits for every handler of its events.
    await app.executeCommands(Enter({ ledger: 'queue', text: 'two' }), Enter({ ledger: 'queue', text: 'bad' }))
    expect(await app.aggregateState(Ledger, 'b')).toEqual({ texts: ['one', 'two'] })
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['one', 'two'] })
  })

  it('in the background leaves out what would come after the deadline of its event, and goes on', async () => {
    const [clock, gate, logger] = [testClock(), deferred(), recordingLogger()]
    const done: string[] = []
    const background = workflow('background', {
      events: [Entered],
      background: true,
      handle: async ({ text }, { streamId }, { executeCommands, afterCommit }) => {
        if (streamId !== 'ledger-a') return
        await gate.promise
        executeCommands(Enter({ ledger: 'b', text }))
        afterCommit(() => done.push(text))
      },
    })
    const eventStore = inMemoryEventStore({ clock })
    const app = await started({ router: ledgerRouter(), eventStore, clock, logger, workflows: [background] })
    await app.dispatch(one, { deadline: clock.now() + 1_000 })
    await clock.advance(2_000)
    gate.resolve()
    await app.dispatch(Enter({ ledger: 'a', text: 'two' }))
    await until(() => done.length > 0, 'the one behind it')
    expect([done, await app.aggregateState(Ledger, 'b')]).toEqual([['two'], { texts: ['two'] }])
    expect(logger.entries).toMatchObject([
      { level: 'warn', fields: { commands: ['Enter'], position: 1 }, message: expect.stringContaining('deadline') },
    ])
  })

  it('has a name of its own, and no option that makes no sense', async () => {
    const invalid = { code: 'invalid_definition' }
    const parts = { events: [Entered] as const, handle: () => undefined }
    expect(() => workflow('', parts)).toThrow(expect.objectContaining(invalid))
    // @ts-expect-error only what runs in the background has a place to start from
    expect(() => workflow('w', { ...parts, startFrom: 'origin' })).toThrow(/startFrom is for workflows with background/)
    // @ts-expect-error there is no such option
    expect(() => workflow('w', { ...parts, foreground: true })).toThrow(/unknown option foreground/)
    // @ts-expect-error each event has its function
    expect(() => workflow('w', { events: [Entered], handle: {} })).toThrow(expect.objectContaining(invalid))
    const taken = eventHandler('taken', { events: [Entered], handle: () => undefined })
    const twice = workflow('taken', parts)
    await expect(started({ router: ledgerRouter(), handlers: [taken], workflows: [twice] })).rejects.toMatchObject(
      invalid,
    )
    // @ts-expect-error a handler is no workflow
    await expect(started({ router: ledgerRouter(), workflows: [taken] })).rejects.toMatchObject(invalid)
  })
})
