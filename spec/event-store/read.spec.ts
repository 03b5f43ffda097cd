import { describe, expect, it } from '@jest/globals'
import { inMemoryEventStore } from '../../lib/adapters/in-memory/in-memory-event-store.ts'
import { checkedEventStore } from '../../lib/event-store/checked-event-store.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import { readAllEvents, readStreamEvents } from '../../lib/event-store/read.ts'
import { sampleAppend, sampleEvent } from './sample-append.ts'
import { scriptedAdapter } from './scripted-adapter.ts'

/** A store with a stream of 25 events among 50, which counts the calls of its reads. */
function countedStore() {
  const store = inMemoryEventStore()
  void store.open()
  for (let turn = 0; turn < 25; turn++) {
    void store.append([sampleAppend('account-1')])
    void store.append([sampleAppend('account-2', 1, { events: [sampleEvent({ type: 'Other' })] })])
  }
  const reads: unknown[] = []
  const counted = Object.create(store, {
    readStream: {
      value: (streamId: string, options: object) => {
        reads.push(options)
        return Promise.resolve(store.readStream(streamId, options))
      },
    },
    readAll: {
      value: (options: object) => {
        reads.push(options)
        return Promise.resolve(store.readAll(options))
      },
    },
  }) as EventStore
  return { store, counted, reads }
}

async function versions(events: ReturnType<typeof readStreamEvents>): Promise<number[]> {
  const all: number[] = []
  for await (const event of events) all.push(event.streamVersion)
  return all
}

async function positions(events: ReturnType<typeof readAllEvents>): Promise<number[]> {
  const all: number[] = []
  for await (const event of events) all.push(event.position)
  return all
}

const numbers = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

describe('readStreamEvents', () => {
  it('gives every event of the stream once, whatever the size of the batches', async () => {
    const { counted } = countedStore()
    for (const batchSize of [1, 2, 7, 24, 25, 26, 1_000]) {
      expect(await versions(readStreamEvents(counted, 'account-1', { batchSize }))).toEqual(numbers(1, 25))
    }
  })

  it('goes backward, from a version, and no further than asked for', async () => {
    const { counted } = countedStore()
    const read = { direction: 'backward', fromVersion: 20, maxCount: 8, batchSize: 3 } as const
    expect(await versions(readStreamEvents(counted, 'account-1', read))).toEqual(numbers(13, 20).reverse())
  })

  it('gives nothing of a stream that is not there, or past its end', async () => {
    const { counted } = countedStore()
    expect(await versions(readStreamEvents(counted, 'account-9'))).toEqual([])
    expect(await versions(readStreamEvents(counted, 'account-1', { fromVersion: 26 }))).toEqual([])
  })

  it('asks for a batch only when the one before is used up, and for no more when the reader leaves', async () => {
    const { counted, reads } = countedStore()
    const readsAt: number[] = []
    for await (const event of readStreamEvents(counted, 'account-1', { batchSize: 5 })) {
      readsAt.push(reads.length)
      if (event.streamVersion === 11) break
    }
    expect(readsAt).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3])
    expect(reads).toHaveLength(3)
  })

  it('asks for no more than is wanted', async () => {
    const { counted, reads } = countedStore()
    await versions(readStreamEvents(counted, 'account-1', { batchSize: 5, maxCount: 7 }))
    expect(reads).toEqual([expect.objectContaining({ maxCount: 5 }), expect.objectContaining({ maxCount: 2 })])
  })

  it('ends at the last event that was there when it began', async () => {
    const { store } = countedStore()
    let seen = 0
    for await (const event of readStreamEvents(store, 'account-1', { batchSize: 4 })) {
      seen = event.streamVersion
      void store.append([sampleAppend('account-1')])
    }
    expect(seen).toBe(25)
  })

  it('can be gone through twice', async () => {
    const { store } = countedStore()
    const events = readStreamEvents(store, 'account-1')
    expect(await versions(events)).toEqual(await versions(events))
  })

  it('lets the event loop turn on its way through a store that answers at once', async () => {
    const store = inMemoryEventStore()
    await store.open()
    for (let turn = 0; turn < 10; turn++) void store.append([sampleAppend('account-1', 1_000)])
    const loop = { turned: false }
    const turn = setImmediate(() => (loop.turned = true))
    for await (const _ of readStreamEvents(store, 'account-1')) {
      const until = performance.now() + 0.02
      while (performance.now() < until) continue
      if (loop.turned) break
    }
    clearImmediate(turn)
    expect(loop.turned).toBe(true)
  })

  it('refuses bad options before it reads', () => {
    const { counted, reads } = countedStore()
    const read = (options: object) => () => readStreamEvents(counted, 'account-1', options)
    expect(read({ batchSize: 0 })).toThrow('readStreamEvents: batchSize must be a whole number of at least 1, not 0')
    expect(read({ maxCount: -1 })).toThrow('readStreamEvents: maxCount')
    expect(read({ from: 1 })).toThrow('readStreamEvents: unknown option "from"')
    expect(reads).toEqual([])
  })

  it('rejects with what the store rejects with', async () => {
    const store = inMemoryEventStore()
    await expect(versions(readStreamEvents(store, 'account-1'))).rejects.toMatchObject({ code: 'not_running' })
  })
})

describe('readAllEvents', () => {
  it('gives every event once, whatever the size of the batches', async () => {
    const { counted } = countedStore()
    for (const batchSize of [1, 7, 49, 50, 51, 1_000]) {
      expect(await positions(readAllEvents(counted, { batchSize }))).toEqual(numbers(1, 50))
    }
  })

  it('gives those that pass the filter, in either direction', async () => {
    const { counted } = countedStore()
    const types = new Set(['Other'])
    const even = numbers(1, 25).map((number) => number * 2)
    expect(await positions(readAllEvents(counted, { types, batchSize: 4 }))).toEqual(even)
    const backward = { types, batchSize: 4, direction: 'backward' } as const
    expect(await positions(readAllEvents(counted, backward))).toEqual(even.toReversed())
    expect(await positions(readAllEvents(counted, { ...backward, maxCount: 3, fromPosition: 41 }))).toEqual([
      40, 38, 36,
    ])
    expect(await positions(readAllEvents(counted, { category: 'Other' }))).toEqual([])
  })

  it('gives nothing of an empty store, in either direction', async () => {
    const store = inMemoryEventStore()
    await store.open()
    expect(await positions(readAllEvents(store))).toEqual([])
    expect(await positions(readAllEvents(store, { direction: 'backward' }))).toEqual([])
    expect(await positions(readAllEvents(store, { fromPosition: 9 }))).toEqual([])
  })

  it('fails where the store does not go on, rather than asking for ever', async () => {
    const readAll = () => ({ events: [], lastPosition: 0, headPosition: 5 })
    const store = checkedEventStore(scriptedAdapter({ readAll }).adapter)
    await store.open()
    const message = 'the scripted event store does not go on from position 1'
    await expect(positions(readAllEvents(store))).rejects.toMatchObject({ code: 'store_failed', message })
  })

  it('refuses bad options before it reads', () => {
    const { counted, reads } = countedStore()
    expect(() => readAllEvents(counted, { batchSize: 0.5 })).toThrow('readAllEvents: batchSize')
    expect(() => readAllEvents(counted, { fromVersion: 1 } as never)).toThrow('unknown option "fromVersion"')
    expect(reads).toEqual([])
  })
})
