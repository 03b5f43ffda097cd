import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, subscribe } from 'edict'
import type { RecordedEvent, SubscribeOptions } from 'edict'
import { Add, counterRouter, recordingLogger, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

async function counted() {
  const eventStore = inMemoryEventStore()
  const app = await started({ router: counterRouter, eventStore })
  const add = (id: string, by = 1) => app.dispatch(Add({ id, by }))
  const seen: RecordedEvent[] = []
  const follow = (options: Omit<SubscribeOptions, 'handle'> = {}) =>
    subscribe(eventStore, { logger: recordingLogger(), handle: (event) => void seen.push(event), ...options })
  return { eventStore, add, seen, follow, positions: () => seen.map(({ position }) => position) }
}

describe('subscribe', () => {
  it('gives what is there, and then what comes, in order', async () => {
    const { add, follow, positions } = await counted()
    await add('a')
    await add('b')
    await using subscription = follow()
    await add('a')
    await until(() => positions().length === 3, 'three events')
    expect(positions()).toEqual([1, 2, 3])
    expect(subscription.position).toBe(3)
  })

  it.each<[string, SubscribeOptions['startFrom'], number[]]>([
    ['the first event', 'origin', [1, 2, 3]],
    ['what comes next', 'current', [3]],
    ['a position, inclusive', 2, [2, 3]],
  ])('begins with %s', async (_what, startFrom, expected) => {
    const { add, follow, positions } = await counted()
    await add('a')
    await add('a')
    await using _subscription = follow({ startFrom: startFrom ?? 'origin' })
    await add('a')
    await until(() => positions().length === expected.length, 'the events')
    expect(positions()).toEqual(expected)
  })

  it('gives only the events of a stream, a category, or some types', async () => {
    const { add, follow, positions } = await counted()
    await add('a')
    await add('b')
    await using _one = follow({ streamId: 'counter-b' })
    await using _two = follow({ category: 'Nothing' })
    await using _three = follow({ types: ['Nothing'] })
    await add('a')
    await add('b')
    await until(() => positions().length === 2, 'two events')
    expect(positions()).toEqual([2, 4])
  })

  it('gives nothing of a stream that is not of the category, or of the tenant, that is asked for too', async () => {
    const { add, follow, positions } = await counted()
    await add('a')
    await using _ofAnother = follow({ streamId: 'counter-a', category: 'Account' })
    await using _ofTenant = follow({ streamId: 'counter-a', tenant: 'acme' })
    await using own = follow({ streamId: 'counter-a', category: 'Counter' })
    await add('a')
    await until(() => own.position === 2, 'the own subscription')
    expect(positions()).toEqual([1, 2])
  })

  it('with a name goes on where it was', async () => {
    const { add, follow, positions } = await counted()
    await add('a')
    const first = follow({ name: 'reader' })
    await until(() => positions().length === 1, 'the first event')
    await first.stop()
    await first.ended
    await add('a')
    await using _second = follow({ name: 'reader' })
    await until(() => positions().length === 2, 'the second event')
    expect(positions()).toEqual([1, 2])
  })

  it('ends with what its handler throws, and kills nobody', async () => {
    const { add, follow } = await counted()
    await add('a')
    const cause = new Error('broken')
    const subscription = follow({
      ...({
        handle: () => {
          throw cause
        },
      } as object),
    })
    await expect(subscription.ended).rejects.toBe(cause)
  })

  it.each<[string, object]>([
    ['an unknown option', { from: 1 }],
    ['no handler', { handle: undefined }],
    ['a start that is none', { startFrom: 0 }],
    ['an empty name', { name: '' }],
    ['an empty tenant', { tenant: '' }],
    ['a tenant that is no text', { tenant: 5 }],
  ])('refuses %s', async (_what, options) => {
    const { follow } = await counted()
    expect(() => follow(options)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })
})
