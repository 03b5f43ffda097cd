import { afterEach, describe, expect, it } from '@jest/globals'
import { eventHandler, inMemoryEventStore } from 'edict'
import { Add, Added, Counter, counterRouter, recordingLogger, started, stopAll, until } from '../support/counter.ts'

afterEach(stopAll)

describe('two strong handlers that each dispatch with strong consistency', () => {
  it('do not wait for each other, and dispatch once each', async () => {
    const seen: string[] = []
    let inHand = 0
    const define = (name: string) =>
      eventHandler(name, {
        events: [Added],
        consistency: 'strong',
        handle: async (_data, { streamId }, { dispatch }) => {
          seen.push(`${name}: ${streamId}`)
          if (streamId !== 'counter-start') return
          // Both have the event in hand before either of them dispatches.
          inHand++
          await until(() => inHand === 2, 'both have the event')
          await dispatch(Add({ id: name, by: 1 }), { consistency: 'strong' })
        },
      })
    const logger = recordingLogger()
    const app = await started({
      router: counterRouter,
      eventStore: inMemoryEventStore(),
      handlers: [define('one'), define('two')],
      logger,
    })
    await app.dispatch(Add({ id: 'start', by: 1 }), { consistency: 'strong' })
    await until(() => seen.length === 6, 'all is handled')
    expect([await app.aggregateVersion(Counter, 'one'), await app.aggregateVersion(Counter, 'two')]).toEqual([1, 1])
    expect(logger.entries.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
  })
})
