import { describe, expect, it } from '@jest/globals'
import { inMemoryEventStore } from '../../../lib/adapters/in-memory/in-memory-event-store.ts'
import { isPromiseLike } from '../../../lib/effects/maybe-promise.ts'
import type { AllSlice, EventStore } from '../../../lib/event-store/event-store.ts'
import { sampleAppend, sampleEvent } from '../../event-store/sample-append.ts'

function opened(): EventStore {
  const store = inMemoryEventStore()
  void store.open()
  return store
}

describe('inMemoryEventStore, unlike others,', () => {
  it('answers every operation at once', () => {
    const store = inMemoryEventStore()
    const snapshot = {
      streamId: 'a',
      category: 'A',
      streamVersion: 1,
      snapshotVersion: 1,
      contentType: 'x',
      createdAt: 0,
    }
    const answers = [
      store.open(),
      store.append([sampleAppend('account-1')]),
      store.append([sampleAppend('account-1'), sampleAppend('account-2')], { atomic: true }),
      store.readStream('account-1'),
      store.readAll(),
      store.readCommand('account-1', 'command'),
      store.headPosition(),
      store.readStreamInfo('account-1'),
      store.writeStreamMetadata('account-1', { owner: 'zoe' }),
      store.archiveStream('account-1'),
      store.restoreStream('account-1'),
      store.deleteStream('account-1'),
      store.saveSnapshot({ ...snapshot, data: {} }),
      store.readSnapshot('a'),
      store.deleteSnapshot('a'),
      store.claimCheckpoint('balances', { owner: 'one', startAfter: 0 }),
      store.renewCheckpoints([{ name: 'balances', epoch: 1 }]),
      store.saveCheckpoint({ name: 'balances', position: 1, index: 0, epoch: 1 }),
      store.releaseCheckpoint('balances', 1),
      store.readCheckpoint('balances'),
      store.deleteCheckpoint('balances'),
      store.listCheckpoints(),
      store.close(),
    ]
    expect(answers.filter(isPromiseLike)).toEqual([])
  })

  it('keeps every event in its place as its rows outgrow block after block', () => {
    const store = opened()
    for (let number = 0; number < 9_000; number++) void store.append([sampleAppend(`account-${number % 3}`)])
    for (const position of [1, 64, 65, 256, 257, 1_024, 1_025, 4_096, 4_097, 8_192, 8_193, 9_000]) {
      const { events } = store.readAll({ fromPosition: position, maxCount: 1 }) as AllSlice
      const expected = { position, streamId: `account-${(position - 1) % 3}`, streamVersion: Math.ceil(position / 3) }
      expect(events).toEqual([expect.objectContaining(expected)])
    }
  })

  it('looks at 10,000 events in one call at most, and tells where to go on', () => {
    const store = opened()
    for (let turn = 0; turn < 25; turn++) void store.append([sampleAppend('account-1', 1_000)])
    const types = new Set(['Rare'])
    const places = (slice: unknown) => (slice as AllSlice).lastPosition
    expect(places(store.readAll({ types }))).toBe(10_000)
    expect(places(store.readAll({ types, fromPosition: 10_001 }))).toBe(20_000)
    expect(places(store.readAll({ types, fromPosition: 20_001 }))).toBe(25_000)
    expect(places(store.readAll({ types, direction: 'backward' }))).toBe(15_001)
    expect(places(store.readAll({ types, direction: 'backward', fromPosition: 5_000 }))).toBe(1)
  })

  it('tells listeners before the append returns, of the events that they can read', () => {
    const store = opened()
    const told: unknown[] = []
    store.watch((headPosition) => told.push([headPosition, store.headPosition()]))
    void store.append([sampleAppend('account-1', 2)])
    expect(told).toEqual([[2, 2]])
  })

  it('tells of an append by a listener after the listeners have been told of the append before', () => {
    const store = opened()
    const told: string[] = []
    store.watch((headPosition) => {
      told.push(`first ${headPosition ?? 0}`)
      if (headPosition === 1) void store.append([sampleAppend('account-2')])
      told.push('end of first')
    })
    store.watch((headPosition) => told.push(`second ${headPosition ?? 0}`))
    void store.append([sampleAppend('account-1')])
    expect(told).toEqual(['first 1', 'end of first', 'second 1', 'first 2', 'end of first', 'second 2'])
  })

  it('tells nobody of an append that wrote nothing', () => {
    const store = opened()
    let told = 0
    store.watch(() => told++)
    void store.append([sampleAppend('account-1', 1, { expectedVersion: 'exists' })])
    expect(told).toBe(0)
  })

  it('frees the checkpoints of owners that did not release them before the last close', () => {
    const store = opened()
    const first = store.claimCheckpoint('balances', { owner: 'one', startAfter: 5 })
    void store.close()
    void store.open()
    const second = store.claimCheckpoint('balances', { owner: 'two', startAfter: 0 })
    expect(first).toEqual({ name: 'balances', position: 5, index: 0, epoch: 1 })
    expect(second).toEqual({ name: 'balances', position: 5, index: 0, epoch: 2 })
  })

  it('lets leases run out by the clock that it is given', () => {
    let now = 1_000
    const store = inMemoryEventStore({ clock: { now: () => now } })
    void store.open()
    const claim = (owner: string) => store.claimCheckpoint('balances', { owner, startAfter: 0, lease: 100 })
    const first = claim('one') as { readonly epoch: number }
    now += 99
    expect(claim('two')).toBeUndefined()
    expect(store.renewCheckpoints([{ name: 'balances', epoch: first.epoch }])).toEqual([true])
    now += 99
    expect(claim('two')).toBeUndefined()
    now += 1
    expect(store.listCheckpoints()).toEqual([expect.objectContaining({ owner: undefined })])
    expect(claim('two')).toMatchObject({ epoch: first.epoch + 1 })
  })

  it('shows nothing of what the events of a deleted stream said', () => {
    const store = opened()
    const said = { secret: 'SECRET' }
    void store.append([sampleAppend('account-1', 1, { events: [sampleEvent({ data: said, metadata: said })] })])
    void store.deleteStream('account-1')
    const { events } = store.readAll() as AllSlice
    expect(events).toEqual([expect.objectContaining({ data: undefined, metadata: {}, tombstone: true })])
    expect(JSON.stringify(events)).not.toContain('SECRET')
  })
})
