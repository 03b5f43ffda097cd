import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { aggregate, command, event, eventHandler, inMemoryEventStore, processManager, router, shape } from 'edict'
import type { EventStore } from 'edict'
import { openTelemetry } from 'edict/opentelemetry'
import { sqliteEventStore } from 'edict/sqlite'
import {
  Add,
  Added,
  Counter,
  Explode,
  counterRouter,
  recordingLogger,
  started,
  stopAll,
  until,
} from '../support/counter.ts'

const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const tracer = provider.getTracer('edict')
const contextManager = new AsyncLocalStorageContextManager()

beforeAll(() => void context.setGlobalContextManager(contextManager.enable()))
afterAll(() => {
  context.disable()
  propagation.disable()
})
beforeEach(() => {
  exporter.reset()
})
afterEach(stopAll)

const instrumentation = openTelemetry({ tracer })
const spans = () => exporter.getFinishedSpans()
const named = (name: string): ReadableSpan => {
  const found = spans().find((span) => span.name === name)
  if (found === undefined)
    throw new Error(
      `no span ${name} among ${spans()
        .map((span) => span.name)
        .join(', ')}`,
    )
  return found
}
const parentOf = (span: ReadableSpan) =>
  spans().find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId)?.name
const has = (name: string) => () => spans().some((span) => span.name === name)
/** The handler that dispatches may be told of its command after those who handle what that led to. */
const bothHandled = () => has('handle readers')() && has('handle notes')()

const Note = command('Note', shape<{ id: string }>())
const Noted = event('Noted', shape<{ id: string }>())
const Diary = aggregate('Diary', {
  commands: [Note],
  events: [Noted],
  initialState: () => ({}),
  execute: { Note: (_state, data) => Noted(data) },
  apply: { Noted: () => undefined },
})
const all = router('all', (both) =>
  both.router(counterRouter).identify(Diary, { by: 'id', prefix: 'diary-' }).dispatch(Note, { to: Diary }),
)
const notes = eventHandler('notes', {
  events: [Added],
  handle: (_data, _recorded, { dispatch }) => dispatch(Note({ id: 'd' })).then(() => undefined),
})
const readers = eventHandler('readers', { events: [Noted], handle: () => undefined })

function expectOneTrace(): void {
  const { traceId } = named('caller').spanContext()
  expect(spans().map((span) => span.spanContext().traceId)).toEqual(spans().map(() => traceId))
  expect(parentOf(named('dispatch Add'))).toBe('caller')
  expect(parentOf(named('execute Add'))).toBe('dispatch Add')
  expect(parentOf(named('append Counter'))).toBe('execute Add')
  expect(parentOf(named('handle notes'))).toBe('dispatch Add')
  expect(parentOf(named('dispatch Note'))).toBe('handle notes')
  expect(parentOf(named('execute Note'))).toBe('dispatch Note')
  expect(parentOf(named('append Diary'))).toBe('execute Note')
  expect(parentOf(named('handle readers'))).toBe('dispatch Note')
}

const asCaller = (work: () => Promise<unknown>) =>
  tracer.startActiveSpan('caller', async (span) => {
    await work()
    span.end()
  })

describe('tracing by OpenTelemetry', () => {
  it('makes one trace from the caller through a handler to the second command and its events', async () => {
    const app = await started({ router: all, handlers: [notes, readers], instrumentation })
    await asCaller(() => app.dispatch(Add({ id: 'a', by: 1 })))
    await until(bothHandled)
    expectOneTrace()
    expect(named('dispatch Add').attributes).toMatchObject({
      'edict.command': 'Add',
      'edict.stream_id': 'counter-a',
      'edict.aggregate_version': 1,
    })
    expect(named('handle notes')).toMatchObject({
      kind: SpanKind.CONSUMER,
      attributes: { 'edict.position': 1, 'edict.handler': 'notes' },
    })
  })

  it('makes one trace over nodes: the handlers run on another one, which knows of the caller by the stored events alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edict-tracing-'))
    const store = (): EventStore => sqliteEventStore(join(folder, 'events.db'))
    const here = await started({ router: all, eventStore: store(), instrumentation })
    await started({ router: all, eventStore: store(), handlers: [notes, readers], instrumentation })
    await asCaller(() => here.dispatch(Add({ id: 'a', by: 1 })))
    await until(bothHandled)
    expectOneTrace()
    await stopAll()
    rmSync(folder, { recursive: true, force: true })
  })

  it('makes one trace from the caller through a process manager to its command and the events of that', async () => {
    const process = processManager('process', {
      events: [Added],
      initialState: () => ({}),
      interested: { Added: (_data, { streamId }) => ({ start: streamId }) },
      handle: { Added: () => Note({ id: 'd' }) },
    })
    const app = await started({ router: all, handlers: [process, readers], instrumentation })
    await asCaller(() => app.dispatch(Add({ id: 'a', by: 1 }), { tenant: 'acme' }))
    await until(() => has('handle readers')() && has('process process')())
    const { traceId } = named('caller').spanContext()
    expect(spans().map((span) => span.spanContext().traceId)).toEqual(spans().map(() => traceId))
    expect(parentOf(named('process process'))).toBe('dispatch Add')
    expect(parentOf(named('dispatch Note'))).toBe('process process')
    expect(parentOf(named('append Diary'))).toBe('execute Note')
    expect(parentOf(named('handle readers'))).toBe('dispatch Note')
    expect(named('process process')).toMatchObject({
      kind: SpanKind.CONSUMER,
      attributes: {
        'edict.handler': 'process',
        'edict.process_manager.instance': named('dispatch Add').attributes['edict.stream_id'],
        'edict.attempt': 1,
        'edict.tenant': 'acme',
      },
    })
    expect(named('dispatch Note').attributes).toMatchObject({ 'edict.tenant': 'acme' })
  })

  it("nests the spans that the user's own code makes: in aggregates, and in handlers", async () => {
    const Traced = aggregate('Traced', {
      commands: [Note],
      events: [Noted],
      initialState: () => ({}),
      execute: {
        Note: (_state, data) => {
          tracer.startSpan('in the aggregate').end()
          return Noted(data)
        },
      },
      apply: { Noted: () => undefined },
    })
    const mailing = eventHandler('mailing', {
      events: [Noted],
      consistency: 'strong',
      handle: async () => {
        await Promise.resolve()
        tracer.startSpan('in the handler').end()
      },
    })
    const routed = router('traced', (one) => one.identify(Traced, { by: 'id' }).dispatch(Note, { to: Traced }))
    const app = await started({ router: routed, handlers: [mailing], instrumentation })
    await app.dispatch(Note({ id: 'a' }), { consistency: 'strong' })
    await until(has('handle mailing'))
    expect(parentOf(named('in the aggregate'))).toBe('execute Note')
    expect(parentOf(named('in the handler'))).toBe('handle mailing')
  })

  it('goes on from a traceparent that the caller gives as metadata, and carries the tracestate on', async () => {
    const app = await started({ router: counterRouter, instrumentation })
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const metadata = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'vendor=1' }
    const { events } = await app.dispatch(Add({ id: 'a', by: 1 }), { metadata })
    const span = named('dispatch Add')
    expect(span.spanContext().traceId).toBe(traceId)
    expect(span.parentSpanContext?.spanId).toBe('00f067aa0ba902b7')
    expect(events[0]?.metadata).toEqual({
      traceparent: `00-${traceId}-${span.spanContext().spanId}-01`,
      tracestate: 'vendor=1',
    })
  })

  it.each(['', 'nonsense', '00-00000000000000000000000000000000-00f067aa0ba902b7-01', 7])(
    'begins a trace of its own where the traceparent is %p',
    async (traceparent) => {
      const app = await started({ router: counterRouter, instrumentation })
      const { events } = await app.dispatch(Add({ id: 'a', by: 1 }), { metadata: { traceparent } })
      expect(named('dispatch Add').parentSpanContext).toBeUndefined()
      expect(events[0]?.metadata['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    },
  )

  it('calls a rejection no error of the program, and a failure one', async () => {
    const app = await started({ router: counterRouter, instrumentation })
    await app.tryDispatch(Add({ id: 'a', by: -1 }))
    await app.dispatch(Explode({ id: 'a', with: 'broken' })).catch(() => undefined)
    expect(named('dispatch Add')).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'edict.outcome': 'rejected', 'edict.error_code': 'negative' },
    })
    expect(named('dispatch Explode')).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      events: [{ name: 'exception' }],
    })
  })

  it('gives a command that is sent again under its id the first result, though its trace is another one', async () => {
    const app = await started({ router: counterRouter, instrumentation })
    const options = { commandId: 'once' }
    const first = await app.dispatch(Add({ id: 'a', by: 1 }), options)
    const again = await app.dispatch(Add({ id: 'a', by: 1 }), options)
    expect(again.events.map(({ eventId }) => eventId)).toEqual(first.events.map(({ eventId }) => eventId))
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 1 })
  })

  it('knows the parents without a context manager too, by the metadata', async () => {
    context.disable()
    try {
      const app = await started({ router: all, handlers: [notes, readers], instrumentation })
      await app.dispatch(Add({ id: 'a', by: 1 }))
      await until(bothHandled)
      expect(parentOf(named('execute Add'))).toBe('dispatch Add')
      expect(parentOf(named('append Counter'))).toBe('dispatch Add')
      expect(parentOf(named('handle notes'))).toBe('dispatch Add')
      expect(parentOf(named('dispatch Note'))).toBe('dispatch Add')
    } finally {
      context.setGlobalContextManager(contextManager.enable())
    }
  })

  it('goes on in the worker that runs a queued command, on whichever node, and with the events of that', async () => {
    const eventStore = inMemoryEventStore()
    const taker = await started({ router: counterRouter, eventStore, instrumentation })
    await started({ router: counterRouter, eventStore, instrumentation, workers: 1 })
    const { events } = await tracer.startActiveSpan('request', async (span) => {
      const receipt = await taker.enqueue(Add({ id: 'a', by: 1 }), { metadata: { user: 'ada' } })
      span.end()
      return receipt.completed()
    })
    const { traceId } = named('request').spanContext()
    expect(named('enqueue Add')).toMatchObject({ kind: SpanKind.PRODUCER })
    expect(parentOf(named('enqueue Add'))).toBe('request')
    expect(parentOf(named('dispatch Add'))).toBe('enqueue Add')
    expect(named('dispatch Add').spanContext().traceId).toBe(traceId)
    expect(events[0]?.metadata).toMatchObject({ user: 'ada', traceparent: expect.stringContaining(traceId) })
  })

  it('makes spans of those operations alone that are asked for', async () => {
    const app = await started({
      router: counterRouter,
      instrumentation: openTelemetry({ tracer, operations: ['dispatch'] }),
    })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(spans().map(({ name }) => name)).toEqual(['dispatch Add'])
    expect(() => openTelemetry({ operations: ['fly' as never] })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
  })

  it('asks for the tracer of the registered provider where none is given', async () => {
    trace.setGlobalTracerProvider(provider)
    try {
      const app = await started({
        router: counterRouter,
        instrumentation: openTelemetry(),
        eventStore: inMemoryEventStore(),
        logger: recordingLogger(),
      })
      await app.dispatch(Add({ id: 'a', by: 1 }))
      expect(has('dispatch Add')()).toBe(true)
    } finally {
      trace.disable()
    }
  })
})
