import { describe, expect, it } from '@jest/globals'
import { checkedEventStore } from '../../lib/event-store/checked-event-store.ts'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import { scriptedAdapter } from './scripted-adapter.ts'

/** A checked store that is open, and what its adapter is called with. */
function opened(script: Partial<EventStore> = {}) {
  const store = checkedEventStore(scriptedAdapter(script).adapter)
  void store.open()
  return store
}

const info = { streamId: 'a', category: 'A', streamVersion: 1, state: 'active', metadata: {} } as const
const checkpoint = { name: 'balances', position: 0, index: 0, epoch: 1 }
const nonsense = { code: 'store_failed', outcome: 'not-executed' }
/** What an adapter may answer, whatever its types say. */
const answer = (value: unknown) => () => value as never

describe('checkedEventStore, in front of changes to streams', () => {
  it('gives the adapter whole calls: options, and metadata that are its own and frozen', () => {
    const calls: unknown[] = []
    const store = opened({
      writeStreamMetadata: (...call) => {
        calls.push(call)
        return { status: 'changed', stream: info }
      },
      archiveStream: (...call) => {
        calls.push(call)
        return { status: 'unknown_stream' }
      },
    })
    const metadata = { tags: ['north'] }
    void store.writeStreamMetadata('a', metadata)
    void store.archiveStream('a')
    expect(calls).toEqual([
      ['a', { tags: ['north'] }, {}],
      ['a', {}],
    ])
    const [[, given]] = calls as [[string, typeof metadata]]
    expect(given).not.toBe(metadata)
    expect(Object.isFrozen(given.tags)).toBe(true)
  })

  it.each([
    ['nothing', undefined],
    ['a status that there is not', { status: 'done' }],
    ['a change without the stream', { status: 'changed' }],
    ['a change of another stream', { status: 'changed', stream: { ...info, streamId: 'b' } }],
    ['a change to a state that there is not', { status: 'changed', stream: { ...info, state: 'gone' } }],
    ['a conflict without a version', { status: 'version_conflict' }],
    ['a closed stream that is not deleted', { status: 'stream_closed', state: 'archived' }],
  ])('takes %s for no answer', (_, given) => {
    const store = opened({ deleteStream: answer(given) })
    expect(() => store.deleteStream('a')).toThrow(
      expect.objectContaining({
        ...nonsense,
        message: 'the scripted event store gave an answer that makes no sense when asked to delete stream',
      }),
    )
  })

  it('takes what is known of another stream for no answer, and passes what is right', () => {
    expect(() => opened({ readStreamInfo: answer({ ...info, streamId: 'b' }) }).readStreamInfo('a')).toThrow(
      expect.objectContaining(nonsense),
    )
    expect(opened({ readStreamInfo: answer(info) }).readStreamInfo('a')).toBe(info)
    expect(opened().readStreamInfo('a')).toBeUndefined()
  })

  it('takes an append into a closed stream that is active for no answer', () => {
    const event = { eventId: 'e', type: 'T', schemaVersion: 1, contentType: 'x', data: 1, metadata: {}, createdAt: 0 }
    const ids = { commandId: 'c', causationId: 'c', correlationId: 'c' }
    const append = { streamId: 'a', category: 'A', expectedVersion: 'any', events: [{ ...event, ...ids }] } as const
    const store = (state: string) => opened({ append: answer([{ status: 'stream_closed', state }]) })
    expect(() => store('active').append([append])).toThrow(
      expect.objectContaining({ code: 'store_failed', outcome: 'unknown' }),
    )
    expect(store('deleted').append([append])).toEqual([{ status: 'stream_closed', state: 'deleted' }])
  })

  it('refuses keys of Edict’s own in the metadata of a stream', () => {
    expect(() => opened().writeStreamMetadata('a', { 'edict.own': 1 })).toThrow('"edict." are reserved: edict.own')
  })
})

describe('checkedEventStore, in front of checkpoints', () => {
  it('tells the adapter how long a lease is, where the claim does not', () => {
    const leases: unknown[] = []
    const store = opened({
      claimCheckpoint: (_, options) => {
        leases.push(options.lease)
        return checkpoint
      },
    })
    void store.claimCheckpoint('balances', { owner: 'one', startAfter: 0 })
    void store.claimCheckpoint('balances', { owner: 'one', startAfter: 0, lease: 250 })
    expect(leases).toEqual([5_000, 250])
  })

  it.each(['0', 0, 0.5, -1, Number.NaN, null])('refuses a lease of %p', (lease) => {
    const claim = () => opened().claimCheckpoint('balances', { owner: 'one', startAfter: 0, lease: lease as never })
    expect(claim).toThrow('claimCheckpoint: lease must be a whole number of at least 1')
  })

  it('asks for all checkpoints where no beginning of their names is given', () => {
    const prefixes: unknown[] = []
    const store = opened({
      listCheckpoints: (prefix) => {
        prefixes.push(prefix)
        return []
      },
    })
    void store.listCheckpoints()
    void store.listCheckpoints('bal')
    expect(prefixes).toEqual(['', 'bal'])
  })

  it.each<[string, Partial<EventStore>, (store: EventStore) => unknown]>([
    ['a claim of another name', { claimCheckpoint: answer({ ...checkpoint, name: 'b' }) }, claimOf],
    ['a claim without an epoch', { claimCheckpoint: answer({ ...checkpoint, epoch: undefined }) }, claimOf],
    ['too few renewals', { renewCheckpoints: answer([]) }, (store) => store.renewCheckpoints([checkpoint])],
    ['a renewal that is neither', { renewCheckpoints: answer([1]) }, (store) => store.renewCheckpoints([checkpoint])],
    ['a save that is neither', { saveCheckpoint: answer(undefined) }, (store) => store.saveCheckpoint(checkpoint)],
    ['a list of other names', { listCheckpoints: answer([checkpoint]) }, (store) => store.listCheckpoints('c')],
    ['no list', { listCheckpoints: answer(undefined) }, (store) => store.listCheckpoints()],
  ])('takes %s for no answer', (_, script, call) => {
    expect(() => call(opened(script))).toThrow(expect.objectContaining(nonsense))
  })
})

function claimOf(store: EventStore): unknown {
  return store.claimCheckpoint('balances', { owner: 'one', startAfter: 0 })
}
