import { afterEach, describe, expect, it } from '@jest/globals'
import { command, eventHandler, shape } from 'edict'
import { Add, Added, Noop, counterRouter, deferred, recordingLogger, started, stopAll } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

afterEach(stopAll)

const add = (id = 'a') => Add({ id, by: 1 })
const strong = { consistency: 'strong' } as const

describe.each(everyStore)('strong consistency, on $kind,', ({ share }) => {
  const stores = share()

  it('does not wait for what handlers dispatch because of the command', async () => {
    const gate = deferred()
    const followed: string[] = []
    const follow = eventHandler('follow', {
      events: [Added],
      consistency: 'strong',
      handle: async (_data, { streamId }, { dispatch }) => {
        if (streamId === 'counter-a') {
          await dispatch(add('b'))
          return
        }
        await gate.promise
        followed.push(streamId)
      },
    })
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [follow] })
    await app.dispatch(add(), strong)
    expect(followed).toEqual([])
    const { position } = await app.dispatch(Noop({ id: 'a' }), strong)
    expect(position).toBe(0)
    gate.resolve()
    await app.waitFor(2)
    expect(followed).toEqual(['counter-b'])
  })

  it('lets a handler that dispatches wait for the others, and not for itself', async () => {
    const seen: string[] = []
    const leads = eventHandler('leads', {
      events: [Added],
      consistency: 'strong',
      handle: async (_data, { streamId }, { dispatch }) => {
        if (streamId !== 'counter-a') return
        await dispatch(add('b'), { consistency: 'strong', consistencyTimeout: Infinity })
        seen.push('leads goes on')
      },
    })
    const notes = eventHandler('notes', {
      events: [Added],
      consistency: 'strong',
      handle: async (_data, { streamId }) => {
        await Promise.resolve()
        seen.push(`notes has ${streamId}`)
      },
    })
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [leads, notes] })
    await app.dispatch(add(), { consistency: 'strong', consistencyTimeout: Infinity })
    expect(seen).toEqual(['notes has counter-a', 'notes has counter-b', 'leads goes on'])
  })

  it('has a timeout for each call, which wins over that of the application', async () => {
    const gate = deferred()
    const slow = eventHandler('slow', { events: [Added], consistency: 'strong', handle: () => gate.promise })
    const app = await started({
      router: counterRouter,
      eventStore: stores.node(),
      handlers: [slow],
      defaults: { consistencyTimeout: 20 },
    })
    await expect(app.dispatch(add(), strong)).rejects.toMatchObject({ code: 'consistency_timeout', laggards: ['slow'] })
    await expect(app.waitFor(1)).rejects.toMatchObject({ code: 'position_timeout', laggards: ['slow'] })
    const waiting = app.dispatch(add(), { consistency: 'strong', consistencyTimeout: Infinity })
    setTimeout(gate.resolve, 40)
    await expect(waiting).resolves.toMatchObject({ aggregateVersion: 2 })
  })

  it('is refused for a name that nobody has, for an eventual handler and for garbage, before anything runs', async () => {
    const lazy = eventHandler('lazy', { events: [Added], consistency: 'eventual', handle: () => undefined })
    const eventStore = stores.node()
    const app = await started({ router: counterRouter, eventStore, handlers: [lazy] })
    for (const consistency of [['nobody'], ['lazy'], [lazy], [5], [null], 'strongest', { name: 'lazy' }]) {
      await expect(app.dispatch(add(), { consistency: consistency as never })).rejects.toMatchObject({
        code: 'invalid_option',
        outcome: 'not-executed',
      })
    }
    await app.dispatch(add(), { consistency: [] })
    expect(await eventStore.headPosition()).toBe(1)
  })
})

describe('a command that nobody registered', () => {
  it('is refused, and logged', async () => {
    const logger = recordingLogger()
    const app = await started({ router: counterRouter, logger })
    const Unknown = command('Unknown', shape<{ id: string }>())
    await expect(app.dispatch(Unknown({ id: 'a' }) as never)).rejects.toMatchObject({ code: 'unregistered_command' })
    expect(logger.entries).toMatchObject([
      { level: 'error', fields: { command: 'Unknown', code: 'unregistered_command' } },
    ])
  })
})
