import { afterEach, describe, expect, it } from '@jest/globals'
import { application, compositeRouter, eventHandler, inMemoryEventStore, type EventHandler } from 'edict'
import { Add, Added, Counter, counterRouter, deferred, recordingLogger, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

const add = Add({ id: 'a', by: 1 })

const shop = (name: string, handlers: readonly EventHandler[] = []) =>
  started({ name, router: counterRouter, handlers })

describe('two applications with one router in one process', () => {
  it('have stores, live aggregates and versions of their own', async () => {
    const [north, south] = [await shop('north'), await shop('south')]
    await north.dispatch(add)
    await north.dispatch(Add({ id: 'a', by: 5 }))
    await south.dispatch(add)
    expect(await north.aggregateState(Counter, 'a')).toEqual({ total: 6 })
    expect(await south.aggregateState(Counter, 'a')).toEqual({ total: 1 })
    expect([await north.aggregateVersion(Counter, 'a'), await south.aggregateVersion(Counter, 'a')]).toEqual([2, 1])
  })

  it('do not take a command id of the one for a repeat in the other', async () => {
    const [north, south] = [await shop('north'), await shop('south')]
    const options = { commandId: 'same' }
    await north.dispatch(add, options)
    await expect(south.dispatch(Add({ id: 'a', by: 7 }), options)).resolves.toMatchObject({
      aggregateState: { total: 7 },
      aggregateVersion: 1,
    })
    await expect(north.dispatch(add, options)).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('run one handler value each for itself, with a place and a context of its own', async () => {
    const told: string[] = []
    const follower = eventHandler('follower', {
      events: [Added],
      consistency: 'strong',
      handle: ({ by }, { position }, context) => {
        told.push(`${context.application} ${position}: ${by}`)
      },
    })
    const [north, south] = [await shop('north', [follower]), await shop('south', [follower])]
    await north.dispatch(add, { consistency: 'strong' })
    await south.dispatch(Add({ id: 'a', by: 2 }), { consistency: 'strong' })
    await north.dispatch(Add({ id: 'a', by: 3 }), { consistency: 'strong' })
    expect(told).toEqual(['north 1: 1', 'south 1: 2', 'north 2: 3'])
  })

  it('wait for their own handlers only', async () => {
    const gate = deferred()
    const follower = eventHandler('follower', {
      events: [Added],
      consistency: 'strong',
      handle: (_data, _recorded, context) => (context.application === 'south' ? gate.promise : undefined),
    })
    const [north, south] = [await shop('north', [follower]), await shop('south', [follower])]
    const waiting = south.dispatch(add, { consistency: 'strong' })
    await north.dispatch(add, { consistency: 'strong' })
    gate.resolve()
    await waiting
  })

  it('let a handler dispatch into its own application', async () => {
    const echo = eventHandler('echo', {
      events: [Added],
      consistency: 'strong',
      handle: async (_data, { streamId }, { dispatch }) => {
        if (streamId === 'counter-a') await dispatch(Add({ id: 'b', by: 10 }))
      },
    })
    const [north, south] = [await shop('north', [echo]), await shop('south', [echo])]
    await north.dispatch(add, { consistency: 'strong' })
    expect(await north.aggregateVersion(Counter, 'b')).toBe(1)
    expect(await south.aggregateVersion(Counter, 'b')).toBe(0)
  })

  it('go on when one of them stops', async () => {
    const [north, south] = [await shop('north'), await shop('south')]
    await north.stop()
    await expect(south.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 1 })
    await expect(counterRouter.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 2 })
  })

  it('see what the other writes where they have one store', async () => {
    const eventStore = inMemoryEventStore()
    const north = await started({ name: 'north', router: counterRouter, eventStore })
    const south = await started({ name: 'south', router: compositeRouter(counterRouter), eventStore })
    await north.dispatch(add)
    await expect(south.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 2 })
    await expect(north.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 3, aggregateState: { total: 3 } })
    await north.stop()
    await expect(south.dispatch(add)).resolves.toMatchObject({ aggregateVersion: 4 })
  })
})

describe('which of them is meant', () => {
  it('is asked for by its value or by its name', async () => {
    const [north, south] = [await shop('north'), await shop('south')]
    await counterRouter.dispatch(add, { application: south })
    await counterRouter.dispatch(add, { application: 'south' })
    await expect(counterRouter.dispatch(add)).rejects.toThrow(/north, south/)
    expect([await north.aggregateVersion(Counter, 'a'), await south.aggregateVersion(Counter, 'a')]).toEqual([0, 2])
  })

  it('cannot be one that has stopped, nor one that has never been started', async () => {
    const [north, south] = [await shop('north'), await shop('south')]
    await north.stop()
    const never = application({ name: 'never', router: counterRouter, eventStore: inMemoryEventStore() })
    for (const chosen of [north, 'north', never, 'never']) {
      await expect(counterRouter.dispatch(add, { application: chosen })).rejects.toMatchObject({
        code: 'no_application',
        outcome: 'not-executed',
      })
    }
    expect(await south.aggregateVersion(Counter, 'a')).toBe(0)
  })

  it('is said by the application that is asked: another one is refused', async () => {
    const [north, south] = [await shop('north'), await shop('south')]
    await expect(north.dispatch(add, { application: south })).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(north.dispatch(add, { application: 'south' })).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(north.dispatch(add, { application: 'north' })).resolves.toMatchObject({ aggregateVersion: 1 })
  })
})

describe('the name of an application', () => {
  const unstarted = (name: string, eventStore = inMemoryEventStore()) =>
    application({ name, router: counterRouter, eventStore, logger: recordingLogger() })

  it('is free again once it has stopped, and while it has only been made', async () => {
    const first = unstarted('free')
    const second = unstarted('free')
    await first.start()
    await expect(second.start()).rejects.toMatchObject({
      code: 'invalid_definition',
      message: expect.stringMatching(/an application named free runs in this process already/),
    })
    await first.stop()
    await second.start()
    await second.stop()
  })

  it('is free again where its store cannot be opened', async () => {
    const broken = new Proxy(inMemoryEventStore(), {
      // As an adapter of its own, so that what it throws is looked at.
      getPrototypeOf: () => Object.prototype,
      get: (store, key) =>
        key === 'open' ? () => Promise.reject(new Error('no such disk')) : (Reflect.get(store, key, store) as unknown),
    })
    await expect(unstarted('unopened', broken).start()).rejects.toMatchObject({ code: 'store_failed' })
    const other = unstarted('unopened')
    await other.start()
    await other.stop()
  })
})
