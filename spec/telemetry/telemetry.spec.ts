import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, reject, retry, router, skip, stop } from 'edict'
import type { Application, Instrumentation, TelemetryName } from 'edict'
import { telemetryNames } from '../../lib/telemetry/telemetry-events.ts'
import {
  Add,
  Added,
  Counter,
  Explode,
  Noop,
  counterRouter,
  recordingLogger,
  started,
  stopAll,
  until,
} from '../support/counter.ts'

afterEach(stopAll)

const add = Add({ id: 'a', by: 1 })
/** Who writes JavaScript may listen with an asynchronous function. */
const asListener = (listener: () => unknown): (() => void) => listener

/** Everything that an application tells, in order. */
function toldBy(app: Pick<Application<unknown>, 'on'>, wanted: (name: TelemetryName) => boolean = () => true) {
  const told: { readonly name: TelemetryName; readonly payload: Readonly<Record<string, unknown>> }[] = []
  for (const name of telemetryNames.filter(wanted)) {
    app.on(
      name,
      (payload) => void told.push({ name, payload: payload as unknown as Readonly<Record<string, unknown>> }),
    )
  }
  return {
    told,
    names: () => told.map(({ name }) => name),
    of: (name: TelemetryName) => told.filter((one) => one.name === name),
  }
}

const isOf =
  (...operations: string[]) =>
  (name: TelemetryName) =>
    operations.includes(name.split(':')[0] ?? '')

describe('the telemetry of a dispatch', () => {
  it('tells of the dispatch, its execution, what is read and what is appended, each from start to stop', async () => {
    const app = await started({ router: counterRouter })
    const { told, names } = toldBy(app)
    await app.dispatch(add, { metadata: { user: 'ada' } })
    expect(names()).toEqual([
      'dispatch:start',
      'execute:start',
      'populate:start',
      'read:start',
      'read:stop',
      'populate:stop',
      'append:start',
      'append:stop',
      'execute:stop',
      'dispatch:stop',
    ])
    const [first] = told
    const last = told.at(-1)
    expect(first?.payload).toMatchObject({
      command: 'Add',
      aggregate: 'Counter',
      aggregateId: 'a',
      streamId: 'counter-a',
    })
    expect(last?.payload).toMatchObject({
      ...first?.payload,
      outcome: 'executed',
      aggregateVersion: 1,
      metadata: { user: 'ada' },
      events: [{ type: 'Added', position: 1 }],
    })
    expect(last?.payload['duration']).toBeGreaterThanOrEqual(0)
    expect(Object.isFrozen(last?.payload)).toBe(true)
  })

  it.each([
    ['a rejection', Add({ id: 'a', by: -1 }), {}, 'rejected', 'negative'],
    ['a failure of the code', Explode({ id: 'a', with: 'broken' }), {}, 'failed', 'command_failed'],
    ['a wrong version', add, { expectedVersion: 7 }, 'failed', 'version_conflict'],
  ] as const)(
    'tells of %s as an exception, with its outcome and its code',
    async (_what, command, options, outcome, code) => {
      const app = await started({ router: counterRouter })
      const { of } = toldBy(app, isOf('dispatch', 'execute'))
      await expect(app.dispatch(command, options)).rejects.toMatchObject({ code })
      expect(of('dispatch:exception')).toMatchObject([{ payload: { outcome, error: { code }, events: [] } }])
      expect(of('dispatch:stop')).toEqual([])
      expect(of('execute:exception')).toMatchObject([{ payload: { error: { code } } }])
    },
  )

  it('tells of a command that a middleware halts, which is never executed', async () => {
    const halting = router('halting', (all) =>
      all.middleware({ beforeDispatch: (pipeline) => pipeline.halt('no') }).router(counterRouter),
    )
    const app = await started({ router: halting })
    const { names, of } = toldBy(app)
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'halted' })
    expect(names()).toEqual(['dispatch:start', 'dispatch:exception'])
    expect(of('dispatch:exception')).toMatchObject([{ payload: { outcome: 'halted' } }])
  })

  it('counts one that waited for a handler in vain as executed, with the events that are stored', async () => {
    const slow = eventHandler('slow', {
      events: [Added],
      consistency: 'strong',
      handle: () => new Promise<void>(() => undefined),
    })
    const app = await started({ router: counterRouter, handlers: [slow] })
    const { of } = toldBy(app, isOf('dispatch'))
    const waiting = app.dispatch(add, { consistency: 'strong', consistencyTimeout: 20 })
    await expect(waiting).rejects.toMatchObject({ code: 'consistency_timeout' })
    expect(of('dispatch:exception')).toMatchObject([
      { payload: { outcome: 'executed', aggregateVersion: 1, events: [{ type: 'Added' }] } },
    ])
  }, 180_000)

  it('tells of what never became a dispatch: of an unknown command, a missing identity, a wrong option', async () => {
    const app = await started({ router: counterRouter })
    const { told, names } = toldBy(app)
    const nameless = Add({ id: '', by: 1 })
    await expect(app.dispatch(nameless, { correlationId: 'c' })).rejects.toMatchObject({ code: 'invalid_identity' })
    await expect(app.dispatch({ type: 'Add' } as never)).rejects.toMatchObject({ code: 'invalid_message' })
    await expect(app.dispatch(add, { timeout: -1 })).rejects.toMatchObject({ code: 'invalid_option' })
    expect(names()).toEqual(['dispatch:refuse', 'dispatch:refuse', 'dispatch:refuse'])
    expect(told[0]?.payload).toMatchObject({ command: 'Add', correlationId: 'c', error: { code: 'invalid_identity' } })
  })

  it('tells of version conflicts, and whether the command is decided again', async () => {
    const eventStore = (await import('edict')).inMemoryEventStore()
    const one = await started({ router: counterRouter, eventStore })
    const two = await started({ router: counterRouter, eventStore })
    await one.dispatch(add)
    await two.dispatch(add)
    const { of } = toldBy(one)
    await one.dispatch(add)
    expect(of('dispatch:conflict')).toMatchObject([
      { payload: { command: 'Add', expected: 1, actual: 2, retried: true } },
    ])
    expect((await one.metrics()).conflicts).toBe(1)
  })
})

describe('the telemetry of handlers', () => {
  it('tells of each event that is handled, and of retries, skips and stops', async () => {
    let failures = 0
    const shaky = eventHandler('shaky', {
      events: [Added],
      handle: ({ by }) => {
        if (by > 1) throw new Error('no')
      },
      onError: (_error, { data }) => {
        failures++
        if (data.by === 3) return stop()
        return failures === 1 ? retry({ after: 1 }) : skip()
      },
    })
    const app = await started({ router: counterRouter, handlers: [shaky] })
    const { of, names } = toldBy(app, isOf('handle', 'handler'))
    for (const by of [1, 2, 3]) await app.dispatch(Add({ id: 'a', by }))
    await until(() => names().includes('handler:stop'))
    expect(names()).toEqual([
      'handle:start',
      'handle:stop',
      'handle:start',
      'handle:exception',
      'handler:retry',
      'handle:start',
      'handle:exception',
      'handler:skip',
      'handle:start',
      'handle:exception',
      'handler:stop',
    ])
    expect(of('handle:start').map(({ payload }) => payload['attempt'])).toEqual([1, 1, 2, 1])
    expect(of('handler:retry')).toMatchObject([
      { payload: { handlerName: 'shaky', failures: 1, delay: 1, event: { position: 2 } } },
    ])
    expect((await app.metrics()).handlers['shaky']).toMatchObject({
      retries: 1,
      skipped: 1,
      running: false,
      lagEvents: 1,
    })
  })

  it('times an event until the promise of its handler settles', async () => {
    const slow = eventHandler('slow', {
      events: [Added],
      handle: () => new Promise<void>((resolve) => setTimeout(resolve, 15)),
    })
    const app = await started({ router: counterRouter, handlers: [slow] })
    const { of, names } = toldBy(app, isOf('handle'))
    await app.dispatch(add)
    await until(() => names().includes('handle:stop'))
    expect(of('handle:stop')[0]?.payload['duration']).toBeGreaterThan(5)
  })
})

describe('a listener', () => {
  it('hears nothing any more once it has unsubscribed', async () => {
    const app = await started({ router: counterRouter })
    const heard: string[] = []
    const off = app.on('dispatch:stop', ({ command }) => void heard.push(command))
    await app.dispatch(add)
    off()
    off()
    await app.dispatch(add)
    expect(heard).toEqual(['Add'])
  })

  it('that throws or rejects is logged, and harms nobody', async () => {
    const logger = recordingLogger()
    const app = await started({ router: counterRouter, logger })
    const heard: string[] = []
    app.on('dispatch:start', () => {
      throw new Error('thrown')
    })
    app.on(
      'dispatch:stop',
      asListener(() => Promise.reject(new Error('rejected'))),
    )
    app.on('dispatch:stop', ({ command }) => void heard.push(command))
    await app.dispatch(add)
    await until(() => logger.entries.length === 2)
    expect(logger.entries.map(({ message }) => message)).toEqual([
      'a listener of dispatch:start failed',
      'a listener of dispatch:stop failed',
    ])
    expect(heard).toEqual(['Add'])
  })

  it('of a name that is none is refused, with the names that there are', async () => {
    const app = await started({ router: counterRouter })
    expect(() => app.on('dispatch:begin' as TelemetryName, () => undefined)).toThrow(
      /there is no telemetry event dispatch:begin; there are dispatch:start/,
    )
    expect(() => app.on('dispatch:stop', 'log' as never)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })
})

describe('an instrumentation', () => {
  const around = (log: string[]): Instrumentation => ({
    operations: ['dispatch', 'handle'],
    around: (operation, work) => {
      log.push(`${operation.name} ${operation.application}`)
      return work(operation.name === 'dispatch' ? { seen: true } : undefined)
    },
  })

  it('goes around the operations that it names, and adds to what is stored with the events of a dispatch', async () => {
    const log: string[] = []
    const watching = eventHandler('watching', { events: [Added], consistency: 'strong', handle: () => undefined })
    const app = await started({
      name: 'watched',
      router: counterRouter,
      handlers: [watching],
      instrumentation: around(log),
    })
    const { events } = await app.dispatch(add, { consistency: 'strong', metadata: { user: 'ada' } })
    expect(events[0]?.metadata).toEqual({ user: 'ada', seen: true })
    expect(log).toEqual(['dispatch watched', 'handle watched'])
  })

  it('that breaks is logged, and the command runs without it', async () => {
    const logger = recordingLogger()
    const broken: Instrumentation = {
      operations: ['dispatch'],
      around: () => {
        throw new Error('no tracer')
      },
    }
    const app = await started({ router: counterRouter, instrumentation: broken, logger })
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1 })
    expect(logger.entries).toMatchObject([{ level: 'error', message: 'the instrumentation failed' }])
  })

  describe.each<[string, Instrumentation['around'], number]>([
    ['never calls its work', () => undefined as never, 1],
    [
      'fails after its work',
      (_operation, work) => {
        work()
        throw new Error('no tracer')
      },
      1,
    ],
    [
      'rejects after its work, which is asynchronous',
      (async (_operation: unknown, work: () => unknown) => {
        await work()
        throw new Error('no tracer')
      }) as never,
      1,
    ],
    [
      'calls its work too late',
      (async (_operation: unknown, work: () => unknown) => {
        await Promise.resolve()
        return work()
      }) as never,
      1,
    ],
    [
      'gives something else than its work',
      (_operation, work) => {
        work()
        return 'something else' as never
      },
      0,
    ],
    [
      'calls its work twice',
      (_operation, work) => {
        work()
        return work()
      },
      0,
    ],
  ])('that %s', (_what, around, complaints) => {
    it.each<'dispatch' | 'execute'>(['dispatch', 'execute'])(
      'leaves the result of a command as it is stored, around its %s',
      async (operation) => {
        const logger = recordingLogger()
        const app = await started({
          router: counterRouter,
          logger,
          instrumentation: { operations: [operation], around },
        })
        await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1, events: [{ type: 'Added' }] })
        expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 1 })
        await until(() => logger.entries.length >= complaints)
        expect(logger.entries.map(({ message }) => message)).toEqual(
          Array.from({ length: complaints }, () => 'the instrumentation failed'),
        )
      },
    )

    it('keeps a handler from nothing, and has it handle an event once', async () => {
      const seen: number[] = []
      const once = eventHandler('once', {
        events: [Added],
        consistency: 'strong',
        handle: async (_data, { position }) => {
          await Promise.resolve()
          seen.push(position)
        },
      })
      const instrumentation: Instrumentation = { operations: ['handle'], around }
      const app = await started({ router: counterRouter, handlers: [once], instrumentation })
      await app.dispatch(add, { consistency: 'strong' })
      await app.dispatch(add, { consistency: 'strong' })
      expect(seen).toEqual([1, 2])
    })

    it('is not said to have failed where the work has', async () => {
      const logger = recordingLogger()
      const instrumentation: Instrumentation = { operations: ['dispatch'], around }
      const app = await started({ router: counterRouter, logger, instrumentation })
      await expect(app.dispatch(Explode({ id: 'a', with: 'broken' }))).rejects.toMatchObject({
        code: 'command_failed',
        cause: 'broken',
      })
    })
  })
})

describe('the telemetry of a tenant', () => {
  it.each([
    ['was executed', Add({ id: 'a', by: 1 }), 'stop'],
    ['had no events', Noop({ id: 'a' }), 'stop'],
    ['was rejected', Add({ id: 'a', by: -1 }), 'exception'],
    ['failed', Explode({ id: 'a', with: 'broken' }), 'exception'],
  ] as const)('names its own stream, from start to end, of a command that %s', async (_what, command, end) => {
    const app = await started({ router: counterRouter })
    const { of } = toldBy(app)
    const { events } = await app.dispatch(Add({ id: 'a', by: 1 }), { tenant: 'acme' })
    const streamId = events[0]?.streamId
    expect(streamId).toMatch(/acme/)
    await app.dispatch(command, { tenant: 'acme' }).catch(() => undefined)
    for (const name of ['dispatch:start', `dispatch:${end}`, 'execute:start', `execute:${end}`] as const) {
      expect(of(name).at(-1)?.payload).toMatchObject({ command: command.type, tenant: 'acme', streamId })
    }
  })
})

describe('the metrics of an application', () => {
  it('say how dispatches ended, what is live, and how far handlers are behind', async () => {
    let now = 1_000_000
    const clock = { now: () => now, setTimeout, clearTimeout: (handle: unknown) => clearTimeout(handle as number) }
    const stuck = eventHandler('stuck', { events: [Added], handle: () => new Promise<void>(() => undefined) })
    const quick = eventHandler('quick', { events: [Added], consistency: 'strong', handle: () => undefined })
    const app = await started({ router: counterRouter, handlers: [stuck, quick], clock })
    await app.dispatch(add)
    await app.dispatch(Add({ id: 'b', by: 1 }), { consistency: 'strong' })
    await app.dispatch(Noop({ id: 'a' }))
    await app.tryDispatch(Add({ id: 'a', by: -1 }))
    await app.dispatch(Explode({ id: 'a', with: 'broken' })).catch(() => undefined)
    await app.dispatch(Add({ id: '', by: 1 })).catch(() => undefined)
    now += 2_500
    expect(await app.metrics()).toEqual({
      commands: {
        ...{ delayed: 0, queued: 0, running: 0, dead: 0, oldestSeconds: 0 },
        attempts: { completed: 0, rejected: 0, dead: 0, expired: 0, delayed: 0 },
      },
      headPosition: 2,
      dispatches: { executed: 3, rejected: 1, halted: 0, failed: 1, unknown: 0, refused: 1 },
      dispatchesUnderWay: 0,
      conflicts: 0,
      liveAggregates: 2,
      waitingCommands: 0,
      deepestMailbox: 0,
      handlers: {
        stuck: { position: 0, lagEvents: 2, lagSeconds: 2.5, running: true, retries: 0, skipped: 0, parked: 0 },
        quick: { position: 2, lagEvents: 0, lagSeconds: 0, running: true, retries: 0, skipped: 0, parked: 0 },
      },
    })
  }, 180_000)

  it('say how many commands wait for their aggregate', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const waiting = router('waiting', (all) =>
      all.identify(Counter, { by: 'id' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_state, { by }) => {
          await held
          return by < 0 ? reject('negative') : Added({ by })
        },
      }),
    )
    const app = await started({ router: waiting })
    const sent = [1, 2, 3].map((by) => app.dispatch(Add({ id: 'a', by })))
    await until(async () => (await app.metrics()).waitingCommands === 2)
    expect(await app.metrics()).toMatchObject({ dispatchesUnderWay: 3, deepestMailbox: 2, liveAggregates: 1 })
    release()
    await Promise.all(sent)
  })

  it('are refused where the application does not run', async () => {
    const app = await started({ router: counterRouter })
    await app.stop()
    await expect(app.metrics()).rejects.toMatchObject({ code: 'not_running' })
  })
})
