import { afterEach, describe, expect, it } from '@jest/globals'
import {
  aggregate,
  auditTrail,
  command,
  event,
  eventHandler,
  inMemoryAuditStore,
  inMemoryEventStore,
  router,
  shape,
} from 'edict'
import type { EventHandler } from 'edict'
import { Add, Added, counterRouter, recordingLogger, started, stopAll, until } from '../support/counter.ts'

// A promise that rejects with nobody to hear of it ends the process, and with it this run.

afterEach(stopAll)

/** What an asynchronous function gives where a synchronous one is wanted; from JavaScript, or through a cast. */
const rejected = (): never => Promise.reject(new Error('nobody hears of it')) as never
const add = Add({ id: 'a', by: 1 })

const Name = command('Name', shape<{ id: string }>())
const Named = event('Named', shape<{ id: string }>())

function thingsWith(options: { unique?: object; initialState?: () => object; by?: () => never }) {
  const Thing = aggregate('Thing', {
    commands: [Name],
    events: [Named],
    initialState: options.initialState ?? (() => ({})),
    execute: { Name: (_thing, data) => Named(data) },
    apply: { Named: () => undefined },
    ...(options.unique && { unique: { name: options.unique as never } }),
  })
  return router('things', (things) =>
    things.identify(Thing, { by: options.by ?? 'id', prefix: 'thing-' }).dispatch([Name], { to: Thing }),
  )
}

describe('a promise that rejects, from a function that has to be synchronous,', () => {
  it.each([
    [
      'of of a unique value',
      { unique: { of: rejected } },
      'invalid_outcome',
      /the unique name of Thing gave a promise/,
    ],
    [
      'values of a list of unique values',
      { unique: { of: () => ['first', rejected(), rejected()] } },
      'invalid_outcome',
      /the unique name of Thing gave a promise/,
    ],
    [
      'normalize of a unique value',
      { unique: { of: () => ['one', 'other'], normalize: rejected } },
      'invalid_outcome',
      /normalize of the unique name of Thing gave a promise/,
    ],
    ['an identity', { by: rejected }, 'invalid_identity', /is a promise/],
    [
      'initialState of an aggregate',
      { initialState: rejected },
      'invalid_outcome',
      /Thing's initialState gave a promise/,
    ],
  ])('is refused before anything is stored: %s', async (_what, options, code, message) => {
    const eventStore = inMemoryEventStore()
    const app = await started({ router: thingsWith(options), eventStore })
    await expect(app.dispatch(Name({ id: 'a' }))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      outcome: 'not-executed',
    })
    expect(await eventStore.headPosition()).toBe(0)
  })

  const events = [Added] as const
  const handle = (): void => undefined
  it.each<[string, EventHandler, string, RegExp]>([
    [
      'selector',
      eventHandler('one', { events, handle, selector: rejected }),
      'invalid_definition',
      /selector gave a promise/,
    ],
    [
      'selector, with batches',
      eventHandler('one', { events, handleBatch: handle, batchSize: 2, selector: rejected }),
      'invalid_definition',
      /selector gave a promise/,
    ],
    [
      'partitionBy',
      eventHandler('one', { events, handle, concurrency: 2, partitionBy: rejected }),
      'invalid_definition',
      /partitionBy gave a promise/,
    ],
    [
      'initialState',
      eventHandler('one', { events, handle, initialState: rejected }),
      'invalid_outcome',
      /the handler one: initialState gave a promise/,
    ],
  ])('is a failure of the handler: %s', async (_what, handler, code, message) => {
    const failures: unknown[] = []
    const logger = recordingLogger()
    const app = await started({ router: counterRouter, handlers: [handler], logger }).catch((error: unknown) => {
      failures.push(error)
      return undefined
    })
    await app?.dispatch(add)
    const logged = () => logger.entries.flatMap(({ fields }) => ('error' in fields ? [fields.error] : []))
    await until(() => failures.length > 0 || logged().length > 0)
    expect([...failures, ...logged()][0]).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('is logged where an audit trail was to record it: data and metadata', async () => {
    const logger = recordingLogger()
    const trail = auditTrail({ store: inMemoryAuditStore(), data: rejected, metadata: rejected })
    const app = await started({
      router: router('audited', (all) => all.middleware(trail).router(counterRouter)),
      logger,
    })
    await app.dispatch(add, { metadata: { user: 'ada' } })
    expect((await trail.find()).entries).toMatchObject([{ outcome: 'executed', data: undefined, metadata: {} }])
    expect(new Set(logger.entries.map(({ message }) => message))).toEqual(
      new Set(["the audit trail's data failed", "the audit trail's metadata failed"]),
    )
  })
})
