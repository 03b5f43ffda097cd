import { afterEach, describe, expect, it } from '@jest/globals'
import {
  aggregate,
  BatchFailedError,
  command,
  commandLogger,
  event,
  inMemoryEventStore,
  router,
  shape,
  workflow,
  type AroundMiddleware,
  type HookMiddleware,
} from 'edict'
import { deferred, recordingLogger, started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'
import { Enter, Entered, Explode, Ledger, ledgerRouter, Look, Refuse } from './ledger.ts'

afterEach(stopAll)

const failed = async (batch: Promise<unknown>): Promise<BatchFailedError> => {
  const error: unknown = await batch.catch((thrown: unknown) => thrown)
  if (error instanceof BatchFailedError) return error
  throw error
}

const one = Enter({ ledger: 'a', text: 'one' })

describe('a batch', () => {
  it('validates all commands before the first one runs', async () => {
    const Foreign = command('Foreign', shape<{ ledger: string }>())
    const lines: string[] = []
    const noting: AroundMiddleware = async (_pipeline, next) => {
      lines.push('ran')
      await next()
    }
    const app = await started({ router: ledgerRouter(noting) })
    // @ts-expect-error Foreign is registered nowhere
    const unregistered = await failed(app.executeCommands(one, Foreign({ ledger: 'a' })))
    expect(unregistered).toMatchObject({ failedCode: 'unregistered_command', index: 1, command: 'Foreign' })
    const nameless = await failed(app.executeCommands(one, Enter({ ledger: '', text: 'two' })))
    expect(nameless).toMatchObject({ failedCode: 'invalid_identity', index: 1, outcome: 'not-executed' })
    await expect(app.executeCommands([one], { commandIds: [] })).rejects.toMatchObject({ code: 'invalid_option' })
    // @ts-expect-error there is no such option
    await expect(app.executeCommands([one], { ids: ['1'] })).rejects.toMatchObject({ code: 'invalid_option' })
    expect(lines).toEqual([])
    expect(await app.executeCommands()).toEqual({ results: [], scheduled: [], position: 0 })
  })

  it('keeps the code and the details of a rejection reachable', async () => {
    const app = await started({ router: ledgerRouter() })
    const { cause, failedCode } = await failed(app.executeCommands(one, Refuse({ ledger: 'b' })))
    expect(failedCode).toBe('refused')
    expect(cause).toMatchObject({ code: 'refused', details: { why: 'because' }, outcome: 'not-executed' })
  })

  it('stores nothing of a command whose failure a middleware swallows, nor of the others', async () => {
    const swallowing: AroundMiddleware = async (_pipeline, next) => {
      await next().catch(() => undefined)
    }
    const eventStore = inMemoryEventStore()
    const app = await started({ router: ledgerRouter(swallowing), eventStore })
    expect(await failed(app.executeCommands(one, Explode({ ledger: 'b' })))).toMatchObject({ index: 1 })
    expect(await eventStore.headPosition()).toBe(0)
    await app.executeCommands(one)
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['one'] })
  })

  it('is rolled back by a middleware that fails after its command, or halts; cleanup runs', async () => {
    const lines: string[] = []
    const seen: HookMiddleware = {
      afterDispatch: ({ result, command: { type } }) => void lines.push(`${type} ${result?.events[0]?.position}`),
      afterFailure: ({ error }) => void lines.push(`failed ${error?.code}`),
    }
    const choosy: AroundMiddleware = async (pipeline, next) => {
      const { text } = pipeline.command.data as { text: string }
      try {
        if (text !== 'halted') await next()
        if (text === 'late') throw new Error('too late')
      } finally {
        lines.push(`cleaned ${text}`)
      }
    }
    const eventStore = inMemoryEventStore()
    const app = await started({ router: ledgerRouter(seen, choosy), eventStore })
    const late = await failed(app.executeCommands(one, Enter({ ledger: 'a', text: 'late' })))
    expect(late).toMatchObject({ failedCode: 'command_failed', index: 1, outcome: 'not-executed' })
    const halted = await failed(app.executeCommands(one, Enter({ ledger: 'a', text: 'halted' })))
    expect(halted).toMatchObject({ failedCode: 'halted', index: 1 })
    // What is not stored yet has no position.
    expect(lines.slice(0, 4)).toEqual(['Enter 0', 'cleaned one', 'Enter 0', 'cleaned late'])
    expect(lines).toContain('cleaned halted')
    expect(await eventStore.headPosition()).toBe(0)
  })

  it('is logged as run, and not as a success, before it is committed', async () => {
    const logger = recordingLogger()
    const app = await started({ router: ledgerRouter(commandLogger({ logger })) })
    await failed(app.executeCommands(one, Refuse({ ledger: 'b' })))
    await app.dispatch(one)
    expect(logger.entries.map(({ message }) => message)).toEqual([
      ...['Enter dispatched', 'Enter ran'],
      ...['Refuse dispatched', expect.stringContaining('Refuse failed')],
      ...['Enter dispatched', 'Enter succeeded'],
    ])
  })

  it('is cut where its cascade has no end, even if the workflow catches that', async () => {
    const endless = workflow('endless', {
      events: [Entered],
      handle: ({ text }, _recorded, { executeCommands }) => {
        try {
          const more = Enter({ ledger: 'a', text })
          if (text === 'wide') executeCommands(more, more, more)
          else executeCommands(more)
        } catch {
          // It is the batch's failure all the same.
        }
      },
    })
    const eventStore = inMemoryEventStore()
    const app = await started({
      router: ledgerRouter(),
      eventStore,
      workflows: [endless],
      batches: { maxDepth: 5, maxCommands: 20 },
    })
    const deep = await failed(app.executeCommands(one))
    expect(deep).toMatchObject({ failedCode: 'dispatch_too_deep', index: 5, isScheduled: true })
    const wide = await failed(app.executeCommands(Enter({ ledger: 'a', text: 'wide' })))
    expect(wide).toMatchObject({ failedCode: 'batch_too_large' })
    expect(await eventStore.headPosition()).toBe(0)
  })

  it('refuses one within it, and what is scheduled, or is to be done after it, too late', async () => {
    const late = deferred<readonly (() => unknown)[]>()
    const refused: unknown[] = []
    const within = workflow('within', {
      events: [Entered],
      handle: async (_data, _recorded, { executeCommands, afterCommit }) => {
        await app.executeCommands(one).catch((error: unknown) => refused.push(error))
        late.resolve([
          () => executeCommands(one),
          () => {
            afterCommit(() => undefined)
          },
        ])
      },
    })
    const app = await started({ router: ledgerRouter(), workflows: [within] })
    await app.executeCommands(one)
    expect(refused).toMatchObject([{ code: 'reentrant_dispatch' }])
    for (const schedule of await late.promise) {
      expect(schedule).toThrow(expect.objectContaining({ code: 'scheduling_refused' }))
    }
  })

  it('has one time limit and one signal for all of it', async () => {
    const hold = deferred()
    const slow: AroundMiddleware = async (_pipeline, next) => {
      await next()
      await hold.promise
    }
    const app = await started({ router: ledgerRouter(slow) })
    await expect(app.executeCommands([one, one], { timeout: 20 })).rejects.toMatchObject({
      code: 'command_timeout',
      outcome: 'not-executed',
    })
    const abort = new AbortController()
    const aborted = app.executeCommands([one, one], { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } })
    await expect(app.executeCommands([one], { deadline: Date.now() - 1 })).rejects.toMatchObject({
      code: 'deadline_exceeded',
    })
    hold.resolve()
    // What comes too late is refused before it is stored.
    await app.executeCommands(Enter({ ledger: 'a', text: 'only' }))
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['only'] })
  })

  it('is refused by a store that cannot commit several streams at once: when it is defined, else at the call', async () => {
    const inner = inMemoryEventStore()
    const simple = new Proxy(inner, {
      get(store, key) {
        if (key === 'capabilities') return { ...store.capabilities, atomicStreams: false }
        const value: unknown = Reflect.get(store, key)
        return typeof value === 'function' ? value.bind(store) : value
      },
    })
    const follow = workflow('follow', { events: [Entered], handle: () => undefined })
    const unsupported = { code: 'unsupported_capability' }
    await expect(started({ router: ledgerRouter(), eventStore: simple, workflows: [follow] })).rejects.toMatchObject(
      unsupported,
    )
    await expect(started({ router: ledgerRouter(), eventStore: simple, batches: {} })).rejects.toMatchObject(
      unsupported,
    )
    const app = await started({ router: ledgerRouter(), eventStore: simple })
    await expect(app.executeCommands(one)).rejects.toMatchObject(unsupported)
  })

  it('tells telemetry of each command when it is known what became of it', async () => {
    const told: unknown[] = []
    const app = await started({ router: ledgerRouter() })
    app.on('dispatch:stop', ({ command: type, outcome, events }) => told.push([type, outcome, events[0]?.position]))
    app.on('dispatch:exception', ({ command: type, outcome, error }) => told.push([type, outcome, error.code]))
    await app.executeCommands(one, Look({ ledger: 'a' }))
    await app.executeCommands(one, Refuse({ ledger: 'b' })).catch(() => undefined)
    expect(told).toEqual([
      ['Enter', 'executed', 1],
      ['Look', 'executed', undefined],
      ['Enter', 'failed', 'batch_failed'],
      ['Refuse', 'rejected', 'refused'],
    ])
    const { dispatches } = await app.metrics()
    expect(dispatches).toMatchObject({ executed: 2, failed: 1, rejected: 1 })
  })
})

const Register = command('Register', shape<{ id: string; email: string }>())
const Registered = event('Registered', shape<{ email: string }>())
const User = aggregate('User', {
  commands: [Register],
  events: [Registered],
  initialState: () => ({ email: '' }),
  execute: { Register: (_user, { email }) => Registered({ email }) },
  apply: { Registered: (user, { email }) => void (user.email = email) },
  unique: { email: { of: ({ email }) => (email === '' ? undefined : email) } },
})
const users = router('users', (r) =>
  r.router(ledgerRouter()).identify(User, { by: 'id', prefix: 'user-' }).dispatch(Register, { to: User }),
)

describe.each(everyStore)('the commit of a batch on $kind', ({ share }) => {
  const stores = share()

  it('names the command whose value is taken, whose stream is closed, or on whose stream others were first', async () => {
    const eventStore = stores.node()
    let disturb = (): unknown => undefined
    const follow = workflow('follow', {
      events: [Entered],
      handle: async ({ text }) => {
        if (text === 'disturbed') await disturb()
      },
    })
    const other = await started({ router: users, eventStore })
    const app = await started({ router: users, eventStore, workflows: [follow] })
    await app.dispatch(Register({ id: '1', email: 'ada@x' }))
    const taken = Register({ id: '2', email: 'ada@x' })
    const named = { command: 'Register', index: 1, isScheduled: false, outcome: 'not-executed' }
    expect(await failed(app.executeCommands(one, taken, Enter({ ledger: 'b', text: 'b' })))).toMatchObject({
      ...named,
      failedCode: 'value_taken',
      cause: { scope: 'User.email' },
    })
    const same = [Register({ id: '3', email: 'same@x' }), Register({ id: '4', email: 'same@x' })] as const
    expect(await failed(app.executeCommands(...same))).toMatchObject({ ...named, failedCode: 'value_taken' })
    await expect(app.dispatch(taken)).rejects.toMatchObject({ code: 'value_taken' })
    const { ok, commands } = await app.dryRun([one, taken, one])
    expect([ok, commands.map(({ outcome }) => outcome)]).toEqual([false, ['rolled-back', 'failed', 'rolled-back']])

    disturb = () => other.dispatch(Register({ id: '1', email: 'ada@y' }))
    const disturbed = Enter({ ledger: 'c', text: 'disturbed' })
    const changed = Register({ id: '1', email: 'ada@z' })
    const conflict = await failed(app.executeCommands([disturbed, changed, disturbed], { retryAttempts: 0 }))
    expect(conflict).toMatchObject({ ...named, failedCode: 'version_conflict' })

    disturb = () => eventStore.archiveStream('user-1')
    const closed = await failed(app.executeCommands(disturbed, changed))
    expect(closed).toMatchObject({ ...named, failedCode: 'stream_closed', cause: { streamId: 'user-1' } })
    expect(await app.aggregateVersion(Ledger, 'c')).toBe(0)
  })
})

describe.each(everyStore)('a batch on $kind', ({ share }) => {
  const stores = share()

  it('is run again as a whole where somebody else writes meanwhile, its middleware once', async () => {
    const [router, eventStore] = [ledgerRouter(), stores.node()]
    const other = await started({ router, eventStore })
    let passed = 0
    const disturbing: AroundMiddleware = async (_pipeline, next) => {
      await next()
      if (++passed === 2) await other.dispatch(Enter({ ledger: 'b', text: 'other' }))
    }
    const app = await started({ router: ledgerRouter(disturbing), eventStore })
    const { results } = await app.executeCommands(one, Enter({ ledger: 'b', text: 'two' }))
    expect(results.map(({ events: [event] }) => event?.data)).toEqual([
      { text: 'one', after: 0 },
      { text: 'two', after: 1 },
    ])
    expect(passed).toBe(2)
    await expect(
      app.executeCommands([one, Enter({ ledger: 'b', text: 'two' })], { retryAttempts: 0 }),
    ).resolves.toBeDefined()
  })

  it('with given ids is answered with its first results when it comes again, and not run', async () => {
    const eventStore = stores.node()
    let runs = 0
    const follow = workflow('follow', {
      events: [Entered],
      handle: ({ text }, _recorded, { executeCommands }) => {
        runs++
        if (text === 'one') executeCommands(Enter({ ledger: 'c', text: 'three' }))
      },
    })
    const app = await started({ router: ledgerRouter(), eventStore, workflows: [follow] })
    const commands = [one, Enter({ ledger: 'b', text: 'two' }), Look({ ledger: 'a' })] as const
    const options = { commandIds: ['1', '2', '3'] }
    const sent = [app.executeCommands(commands, options), app.executeCommands(commands, options)] as const
    const [first, second] = await Promise.all(sent)
    const third = await app.executeCommands(commands, options)
    for (const again of [second, third]) {
      expect(again.results.map((result) => ({ ...result }))).toEqual(first.results.map((result) => ({ ...result })))
      expect(again.scheduled).toEqual(first.scheduled)
    }
    // Also where it would be too late by now.
    const late = { deadline: Date.now() - 1 }
    const fourth = await app.executeCommands(commands, { ...options, ...late })
    expect(fourth.results.map(({ events }) => events)).toEqual(first.results.map(({ events }) => events))
    await expect(app.executeCommands(commands, { commandIds: ['4', '5', '6'], ...late })).rejects.toMatchObject({
      code: 'deadline_exceeded',
      outcome: 'not-executed',
    })
    expect(first.scheduled[0]?.result.events).toHaveLength(1)
    expect(await app.aggregateState(Ledger, 'a')).toEqual({ texts: ['one'] })
    // Those two that ran at once may both have run; only one of them was stored.
    expect(runs).toBeLessThanOrEqual(6)
    const other = await app
      .executeCommands([one, Enter({ ledger: 'b', text: 'other' }), Look({ ledger: 'a' })], options)
      .catch((error: unknown) => error)
    expect(other).toMatchObject({ code: 'duplicate_command' })
    // Of another batch, nobody knows what became of the rest of it.
    const part = await failed(app.executeCommands([one, Look({ ledger: 'a' })], { commandIds: ['1', '9'] }))
    expect(part).toMatchObject({ failedCode: 'duplicate_command', index: 0 })
    const [alone] = (await app.executeCommands([one], { commandIds: ['1'] })).results
    expect(alone.events).toEqual(first.results[0].events)
  })
})
