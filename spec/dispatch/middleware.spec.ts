import { afterEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { commandLogger, compositeRouter, eventHandler, reject, router } from 'edict'
import type { Middleware, Pipeline } from 'edict'
import { testClock } from 'edict/testing'
import { Add, Added, Counter, recordingLogger, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

const withMiddleware = (...middleware: Middleware[]) =>
  router('counters', (r) =>
    r
      .middleware(...middleware)
      .identify(Counter, { by: 'id' })
      .dispatch(Add, { to: Counter }),
  )

const add = Add({ id: 'a', by: 1 })
const rejected = Add({ id: 'a', by: -1 })

/** Hooks that write down what is called, at once or later. */
function tracing(trace: string[], name: string, later = false): Middleware {
  const hook = (stage: string) => () => {
    trace.push(`${name} ${stage}`)
    return later ? Promise.resolve() : undefined
  }
  return { beforeDispatch: hook('before'), afterDispatch: hook('after'), afterFailure: hook('failure') }
}

function around(trace: string[], name: string): Middleware {
  return async (_pipeline, next) => {
    trace.push(`${name} in`)
    await next()
    trace.push(`${name} out`)
  }
}

describe('middleware hooks', () => {
  it.each([false, true])('run in the order of definition, before and after (asynchronous: %s)', async (later) => {
    const trace: string[] = []
    const app = await started({ router: withMiddleware(tracing(trace, '1', later), tracing(trace, '2', later)) })
    await app.dispatch(add)
    expect(trace).toEqual(['1 before', '2 before', '1 after', '2 after'])
  })

  it.each([false, true])('hear of a failure in the order of definition (asynchronous: %s)', async (later) => {
    const trace: string[] = []
    const app = await started({ router: withMiddleware(tracing(trace, '1', later), tracing(trace, '2', later)) })
    await expect(app.dispatch(rejected)).rejects.toMatchObject({ code: 'negative' })
    expect(trace).toEqual(['1 before', '2 before', '1 failure', '2 failure'])
  })

  it('see the command, its ids, the result after it, and the error after a failure', async () => {
    const seen: Pick<Pipeline, 'result' | 'error' | 'aggregateId' | 'commandId' | 'application'>[] = []
    const note = ({ result, error, aggregateId, commandId, application }: Pipeline): void => {
      seen.push({ result, error, aggregateId, commandId, application })
    }
    const app = await started({
      name: 'seen',
      router: withMiddleware({ beforeDispatch: note, afterDispatch: note, afterFailure: note }),
    })
    const result = await app.dispatch(add, { commandId: 'c1' })
    const error: unknown = await app.dispatch(rejected).catch((caught: unknown) => caught)
    const common = { aggregateId: 'a', application: 'seen', commandId: 'c1' }
    expect(seen[0]).toEqual({ ...common, result: undefined, error: undefined })
    expect(seen[1]).toEqual({ ...common, result, error: undefined })
    expect(seen[3]!.error).toBe(error)
  })

  it('pass values on, and add to the metadata that is stored', async () => {
    const app = await started({
      router: withMiddleware(
        {
          beforeDispatch: (pipeline) => {
            pipeline.assign('user', 'ada')
          },
        },
        {
          beforeDispatch: (pipeline) => {
            pipeline.assignMetadata('user', pipeline.assigns['user'])
          },
        },
      ),
    })
    const { events, metadata } = await app.dispatch(add, { metadata: { from: 'spec' } })
    expect([events[0]!.metadata, metadata]).toEqual([
      { from: 'spec', user: 'ada' },
      { from: 'spec', user: 'ada' },
    ])
  })

  it('may change timeout and consistency before the command', async () => {
    let handled = 0
    const counted = eventHandler('counted', {
      events: [Added],
      consistency: 'strong',
      handle: async () => {
        await Promise.resolve()
        handled++
      },
    })
    const app = await started({
      router: withMiddleware({
        beforeDispatch: (pipeline) => {
          pipeline.consistency = 'strong'
          pipeline.timeout = 50
        },
      }),
      handlers: [counted],
    })
    await app.dispatch(add)
    expect(handled).toBe(1)
  })
})

describe('a hook that halts', () => {
  it('before the command keeps it from running; all hear of the failure, and the caller gets the response', async () => {
    const trace: string[] = []
    const app = await started({
      router: withMiddleware(
        tracing(trace, '1'),
        {
          beforeDispatch: (pipeline) => {
            pipeline.halt({ status: 403 })
          },
        },
        tracing(trace, '3'),
      ),
    })
    await expect(app.dispatch(add)).rejects.toMatchObject({
      code: 'halted',
      outcome: 'not-executed',
      response: { status: 403 },
    })
    expect(trace).toEqual(['1 before', '1 failure', '3 failure'])
    expect(await app.aggregateVersion(Counter, 'a')).toBe(0)
  })

  it('after the command skips the later ones, and the error says that the command is stored', async () => {
    const trace: string[] = []
    const app = await started({
      router: withMiddleware(
        {
          afterDispatch: (pipeline) => {
            pipeline.halt('enough')
          },
        },
        tracing(trace, '2'),
      ),
    })
    await expect(app.dispatch(add)).rejects.toMatchObject({
      code: 'halted',
      outcome: 'executed',
      response: 'enough',
      executionResult: { aggregateVersion: 1 },
    })
    expect(trace).toEqual(['2 before'])
  })
})

describe('a hook that throws', () => {
  it('before the command fails it; those that began hear of it', async () => {
    const trace: string[] = []
    const cause = new Error('broken hook')
    const app = await started({
      router: withMiddleware(
        tracing(trace, '1'),
        {
          beforeDispatch: () => {
            throw cause
          },
        },
        tracing(trace, '3'),
      ),
    })
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'command_failed', outcome: 'not-executed', cause })
    expect(trace).toEqual(['1 before', '1 failure'])
  })

  it.each([
    ['at once', () => reject('forbidden')],
    ['later', () => Promise.resolve(reject('forbidden'))],
  ])('and one that returns a rejection, %s, is told to halt instead', async (_when, beforeDispatch) => {
    const app = await started({ router: withMiddleware({ beforeDispatch: beforeDispatch as never }) })
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'middleware_misuse', outcome: 'not-executed' })
    await expect(app.dispatch(add)).rejects.toThrow(/pipeline\.halt/)
  })

  it('after the commit is reported with the result: the command is stored', async () => {
    const cause = new Error('broken hook')
    const app = await started({ router: withMiddleware({ afterDispatch: () => Promise.reject(cause) }) })
    await expect(app.dispatch(add)).rejects.toMatchObject({
      code: 'command_failed',
      outcome: 'executed',
      cause,
      executionResult: { aggregateVersion: 1 },
    })
  })

  it('when its answer is looked at is no exception', async () => {
    const broken = {
      get then(): never {
        throw new Error('do not look')
      },
    }
    const after = await started({ router: withMiddleware({ afterDispatch: () => broken as never }) })
    await expect(after.dispatch(add)).rejects.toMatchObject({ code: 'command_failed', outcome: 'executed' })
    const trace: string[] = []
    const before = await started({
      router: withMiddleware(tracing(trace, '1'), { beforeDispatch: () => broken as never }),
    })
    await expect(before.dispatch(add)).rejects.toMatchObject({ code: 'command_failed', outcome: 'not-executed' })
    expect(trace).toEqual(['1 before', '1 failure'])
  })

  it('cannot empty the result that the caller and the wait for consistency get', async () => {
    let handled = 0
    const counting = eventHandler('counting', {
      events: [Added],
      consistency: 'strong',
      handle: () => {
        handled++
      },
    })
    const app = await started({
      router: withMiddleware({
        afterDispatch: ({ result }) => {
          ;(result!.events as unknown[]).length = 0
        },
      }),
      handlers: [counting],
    })
    await expect(app.dispatch(add, { consistency: 'strong' })).rejects.toMatchObject({
      code: 'command_failed',
      outcome: 'executed',
      executionResult: { events: [{ data: { by: 1 } }] },
    })
    await until(() => handled === 1, 'the handler')
  })

  it('after a failure does not hide the failure, and is logged', async () => {
    const logger = recordingLogger()
    const app = await started({
      logger,
      router: withMiddleware({
        afterFailure: () => {
          throw new Error('broken hook')
        },
      }),
    })
    await expect(app.dispatch(rejected)).rejects.toMatchObject({ code: 'negative' })
    expect(logger.entries.filter(({ level }) => level === 'error')).toHaveLength(1)
  })
})

describe('around middleware', () => {
  it('nests in the order of definition, with hooks in their places', async () => {
    const trace: string[] = []
    const app = await started({
      router: withMiddleware(tracing(trace, 'a'), around(trace, '1'), tracing(trace, 'b'), around(trace, '2')),
    })
    await app.dispatch(add)
    expect(trace).toEqual(['a before', '1 in', 'b before', '2 in', 'a after', 'b after', '2 out', '1 out'])
  })

  it('finds the command committed when next() resolves', async () => {
    let version: number | undefined
    const app = await started({
      router: withMiddleware(async (pipeline, next) => {
        expect(pipeline.result).toBeUndefined()
        await next()
        version = pipeline.result?.aggregateVersion
      }),
    })
    await app.dispatch(add)
    expect(version).toBe(1)
  })

  it('halts the command when it does not call next()', async () => {
    const app = await started({
      router: withMiddleware(async (pipeline, next) => {
        if (pipeline.metadata['ok']) return next()
        pipeline.halt('not allowed')
      }),
    })
    await expect(app.dispatch(add)).rejects.toMatchObject({
      code: 'halted',
      outcome: 'not-executed',
      response: 'not allowed',
    })
    await expect(app.dispatch(add, { metadata: { ok: true } })).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('that calls next() twice runs the command once, and is an error that says so', async () => {
    const app = await started({
      router: withMiddleware(async (_pipeline, next) => {
        await next()
        await next().catch(() => undefined)
      }),
    })
    await expect(app.dispatch(add)).rejects.toMatchObject({
      code: 'middleware_misuse',
      outcome: 'executed',
      executionResult: { aggregateVersion: 1 },
    })
    expect(await app.aggregateVersion(Counter, 'a')).toBe(1)
  })

  it('that calls next() after it has ended does not run the command', async () => {
    let late: (() => Promise<void>) | undefined
    const app = await started({
      router: withMiddleware((_pipeline, next) => {
        late = next
        return Promise.resolve()
      }),
    })
    await expect(app.dispatch(add)).rejects.toMatchObject({ code: 'halted' })
    await expect(late!()).rejects.toMatchObject({ code: 'middleware_misuse' })
    expect(await app.aggregateVersion(Counter, 'a')).toBe(0)
  })

  it('that does not wait for next() does not change the answer', async () => {
    const app = await started({
      router: withMiddleware(async (_pipeline, next) => {
        void next().catch(() => undefined)
        await Promise.resolve()
      }),
    })
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1 })
    await expect(app.dispatch(rejected)).rejects.toMatchObject({ code: 'negative' })
  })

  it('cannot swallow a failure, nor put another in its place; nothing of it gets into the next command', async () => {
    const app = await started({
      router: withMiddleware(
        async (_pipeline, next) => {
          await next().catch(() => undefined)
        },
        async (_pipeline, next) => {
          await next().catch(() => {
            throw new Error('another')
          })
        },
      ),
    })
    await expect(app.dispatch(rejected)).rejects.toMatchObject({ code: 'negative' })
    await expect(app.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1, events: [{ data: { by: 1 } }] })
  })

  it('that throws after the commit is reported with the result', async () => {
    const cause = new Error('too late')
    const app = await started({
      router: withMiddleware(async (_pipeline, next) => {
        await next()
        throw cause
      }),
    })
    await expect(app.dispatch(add)).rejects.toMatchObject({
      code: 'command_failed',
      outcome: 'executed',
      cause,
      executionResult: { aggregateVersion: 1 },
    })
  })

  it('is not on the command’s clock', async () => {
    const clock = testClock()
    const app = await started({
      clock,
      router: withMiddleware(async (_pipeline, next) => {
        await clock.advance(30)
        await next()
      }),
    })
    await expect(app.dispatch(add, { timeout: 20 })).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('runs once for a dispatch, and outermost first through composite routers', async () => {
    const trace: string[] = []
    const inner = withMiddleware(around(trace, 'inner'))
    const outer = router('outer', (r) => r.middleware(around(trace, 'outer')).router(inner))
    const app = await started({ router: compositeRouter(outer) })
    await app.dispatch(add)
    await inner.dispatch(add)
    expect(trace).toEqual([
      'outer in',
      'inner in',
      'inner out',
      'outer out',
      'outer in',
      'inner in',
      'inner out',
      'outer out',
    ])
  })
})

describe('a response', () => {
  it('becomes the reply of the result; the first one wins', async () => {
    const app = await started({
      router: withMiddleware(
        {
          beforeDispatch: (pipeline) => {
            pipeline.respond('first')
          },
        },
        {
          afterDispatch: (pipeline) => {
            pipeline.respond('second')
          },
        },
      ),
    })
    await expect(app.dispatch(add)).resolves.toMatchObject({ reply: 'first', aggregateVersion: 1 })
  })
})

describe('the command logger', () => {
  it('refuses an option that it does not have, with which it would log to the console', () => {
    expect(() => commandLogger({ loger: pino() } as never)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })

  it('takes a pino logger as it is', async () => {
    const lines: { msg: string; command: string }[] = []
    const write = (line: string) => void lines.push(JSON.parse(line) as { msg: string; command: string })
    const app = await started({ router: withMiddleware(commandLogger({ logger: pino({}, { write }) })) })
    await app.dispatch(add)
    expect(lines).toMatchObject([
      { msg: 'Add dispatched', command: 'Add' },
      { msg: 'Add succeeded', command: 'Add' },
    ])
  })

  it('logs each command and how it ended, without its data', async () => {
    const logger = recordingLogger()
    const app = await started({ router: withMiddleware(commandLogger({ logger })) })
    await app.dispatch(add)
    await app.dispatch(rejected).catch(() => undefined)
    expect(logger.entries.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'Add dispatched'],
      ['info', 'Add succeeded'],
      ['info', 'Add dispatched'],
      ['info', 'Add failed: Add was rejected: negative'],
    ])
    expect(logger.entries[1]!.fields).toMatchObject({
      command: 'Add',
      aggregateId: 'a',
      milliseconds: expect.any(Number),
      events: 1,
    })
    expect(JSON.stringify(logger.entries)).not.toContain('"by"')
  })
})
