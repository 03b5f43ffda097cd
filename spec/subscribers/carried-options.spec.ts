import { afterEach, describe, expect, it } from '@jest/globals'
import {
  eventHandler,
  type DispatchOptions,
  type EventHandlerContext,
  type ExecutionResult,
  type RecordedEvent,
} from 'edict'
import { Add, Added, Counter, Explode, counterRouter, deferred, started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

interface Led {
  readonly by: RecordedEvent
  readonly result: ExecutionResult
}

/** Dispatches to `b` because of an event of `a`, and tells what that gave. */
function leading(options?: DispatchOptions) {
  const led = deferred<Led>()
  const handler = eventHandler('leading', {
    events: [Added],
    handle: async (_data, recorded, { dispatch }) => {
      if (!recorded.streamId.endsWith('-a')) return
      led.resolve({ by: recorded, result: await dispatch(Add({ id: 'b', by: 1 }), options) })
    },
  })
  return { handler, led: led.promise }
}

describe.each(everyStore)('on $kind, a command that a handler dispatches', ({ share }) => {
  const stores = share()

  it('takes over causation, correlation, metadata and tenant of the event', async () => {
    const { handler, led } = leading()
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [handler] })
    await app.dispatch(Add({ id: 'a', by: 1 }), {
      correlationId: 'request-1',
      metadata: { user: 'ada', deep: { list: [1] } },
      tenant: 'acme',
      deadline: Date.now() + 60_000,
      commandId: 'c1',
    })
    const { by, result } = await led
    expect(result.events[0]).toMatchObject({
      causationId: by.eventId,
      correlationId: 'request-1',
      metadata: { user: 'ada', deep: { list: [1] } },
      tenant: 'acme',
      streamId: 'acme/counter-b',
    })
    expect(result.metadata).toEqual({ user: 'ada', deep: { list: [1] } })
    expect(result.events[0]!.commandId).not.toBe('c1')
  })

  it('takes over what the call does not say itself, and adds the call’s metadata to the event’s', async () => {
    const { handler, led } = leading({
      causationId: 'mine',
      correlationId: 'mine too',
      metadata: { user: 'bob', by: 'handler' },
      tenant: 'globex',
    })
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [handler] })
    await app.dispatch(Add({ id: 'a', by: 1 }), { metadata: { user: 'ada', from: 'form' }, tenant: 'acme' })
    expect((await led).result.events[0]).toMatchObject({
      causationId: 'mine',
      correlationId: 'mine too',
      metadata: { user: 'bob', from: 'form', by: 'handler' },
      tenant: 'globex',
    })
  })

  it('takes an option that is undefined for one that is not given', async () => {
    const nothing = { causationId: undefined, metadata: undefined, tenant: undefined, deadline: undefined }
    const { handler, led } = leading(nothing as unknown as DispatchOptions)
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [handler] })
    await app.dispatch(Add({ id: 'a', by: 1 }), { tenant: 'acme', metadata: { user: 'ada' } })
    const { by, result } = await led
    expect(result.events[0]).toMatchObject({ causationId: by.eventId, tenant: 'acme', metadata: { user: 'ada' } })
  })
})

describe('through(router) of a handler', () => {
  it('dispatches as the handler does, and knows what the commands of the router give', async () => {
    const totals = deferred<number>()
    const knowing = eventHandler('knowing', {
      events: [Added],
      handle: async (_data, { streamId, eventId }, { through }) => {
        if (streamId !== 'counter-a') return
        const counters = through(counterRouter)
        const { aggregateState, events } = await counters.dispatch(Add({ id: 'b', by: 5 }))
        const outcome = await counters.tryDispatch(Add({ id: 'b', by: -1 }))
        expect(events[0]).toMatchObject({ causationId: eventId })
        if (!outcome.ok && outcome.error.code === 'negative') totals.resolve(aggregateState.total)
      },
    })
    const app = await started({ router: counterRouter, handlers: [knowing] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(await totals.promise).toBe(5)
  })
})

describe('tryDispatch of a handler', () => {
  it('gives a result for what has to be reckoned with, and rejects with everything else', async () => {
    const done = deferred<unknown[]>()
    const trying = eventHandler('trying', {
      events: [Added],
      handle: async (_data, { streamId }, { tryDispatch }: EventHandlerContext) => {
        if (streamId !== 'counter-a') return
        const outcomes: unknown[] = [
          await tryDispatch(Add({ id: 'b', by: 1 })),
          await tryDispatch(Add({ id: 'b', by: -1 })),
          await tryDispatch(Add({ id: 'b', by: 1 }), { expectedVersion: 9 }),
          await tryDispatch(Explode({ id: 'b', with: 'it' })).catch((error: unknown) => error),
        ]
        done.resolve(outcomes)
      },
    })
    const app = await started({ router: counterRouter, handlers: [trying] })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(await done.promise).toMatchObject([
      { ok: true, value: { aggregateVersion: 1 } },
      { ok: false, error: { code: 'negative' } },
      { ok: false, error: { code: 'version_conflict' } },
      { code: 'command_failed' },
    ])
    expect(await app.aggregateVersion(Counter, 'b')).toBe(1)
  })
})
