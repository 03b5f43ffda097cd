import { describe, expect, it } from '@jest/globals'
import { application, processManager, type SubscribeTo } from 'edict'
import { Add, Added, Counter, counterRouter, recordingLogger } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

describe.each(everyStore)('a process manager that wants a part of the events, on $kind', ({ share }) => {
  const stores = share()

  async function followed(subscribeTo: SubscribeTo | undefined): Promise<readonly string[]> {
    const seen: string[] = []
    const part = processManager('part', {
      events: [Added],
      consistency: 'strong',
      ...(subscribeTo && { subscribeTo }),
      initialState: () => ({}),
      interested: { Added: (_data, { streamId }) => ({ start: streamId }) },
      handle: {
        Added: (_state, { by }, { streamId }) => {
          seen.push(`${streamId}:${by}`)
        },
      },
    })
    const app = application({
      name: 'parts',
      router: counterRouter,
      eventStore: stores.node(),
      logger: recordingLogger(),
      handlers: [part],
    })
    try {
      for (const amounts of [
        [1, 2],
        [3, 4],
      ] as const) {
        await app.start()
        await app.dispatch(Add({ id: 'a', by: amounts[0] }), { consistency: 'strong' })
        await app.dispatch(Add({ id: 'b', by: amounts[1] }), { consistency: 'strong' })
        await app.stop()
      }
      return seen
    } finally {
      await app.stop()
    }
  }

  it.each([[undefined], ['all'] as const])(
    'follows all streams unless it says otherwise: %s',
    async (subscribeTo) => {
      const all = ['counter-a:1', 'counter-b:2', 'counter-a:3', 'counter-b:4']
      expect(await followed(subscribeTo)).toEqual(all)
    },
    120_000,
  )

  it('follows one stream, also when it is started again, and nobody waits for it because of others', async () => {
    expect(await followed({ stream: 'counter-b' })).toEqual(['counter-b:2', 'counter-b:4'])
  }, 120_000)

  it.each([
    ['an aggregate', Counter],
    ['its name', 'Counter'],
  ])(
    'follows a category, given by %s',
    async (_, category) => {
      expect(await followed({ category })).toHaveLength(4)
    },
    120_000,
  )

  it('follows nothing of another category, and is not waited for', async () => {
    expect(await followed({ category: 'Other' })).toEqual([])
  }, 120_000)
})

describe('subscribeTo of a process manager', () => {
  it.each([[{}], [{ stream: '' }], [{ stream: 'a', category: 'b' }], ['some']])(
    'is refused where it is %j',
    (subscribeTo) => {
      const definition = {
        ...{ events: [Added], initialState: () => ({}), interested: () => undefined, handle: {} },
        subscribeTo: subscribeTo as never,
      }
      expect(() => processManager('part', definition)).toThrow(expect.objectContaining({ code: 'invalid_definition' }))
    },
  )
})
