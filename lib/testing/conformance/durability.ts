import { assert, assertEqual } from './assertions.ts'
import { claim } from './checkpoints.ts'
import { unlessDurable, type CaseDefinition, type CaseGroup } from './conformance-case.ts'
import { asTombstones, tombstoneOf } from './deleted-streams.ts'
import { claimFor, ownerOf, SHORT_LEASE_MS, takeOver } from './leases.ts'
import { durableCommandCases } from './shared-commands.ts'
import { sampleSnapshot } from './snapshots.ts'
import type { StoreUnderTest } from './store-under-test.ts'

function durableCase(name: string, run: (tested: StoreUnderTest) => Promise<void>): CaseDefinition {
  return { name, run, skip: unlessDurable, closed: true }
}

/** What was done before the restart, and the store value after it. */
async function restarted<Before>(tested: StoreUnderTest, before: () => Promise<Before>) {
  await tested.store.open()
  const done = await before()
  await tested.store.close()
  return { done, store: await tested.peer() }
}

export const durability: CaseGroup = {
  name: 'after a restart',
  cases: [
    durableCase('events are as they were before', async (tested) => {
      const { done, store } = await restarted(tested, async () => {
        await tested.write('account-1', tested.events(3, { tenant: 'north', metadata: { user: 'zoe' } }))
        await tested.write('account-2', 2, { category: 'Transfer' })
        return tested.readAll()
      })
      assertEqual((await store.readAll()).events, done, 'all events')
      assertEqual((await store.readStream('account-1')).events, done.slice(0, 3), 'the events of a stream')
      assertEqual(await store.headPosition(), 5, 'the head position')
    }),
    durableCase('versions and positions go on without a gap', async (tested) => {
      const { store } = await restarted(tested, () => tested.write('account-1', 3))
      const answers = await store.append([tested.stream('account-1', 1, { expectedVersion: 3 })])
      assertEqual(answers, [{ status: 'appended', streamVersion: 4, firstPosition: 4 }], 'the answers')
    }),
    durableCase('categories and expected versions hold', async (tested) => {
      const { store } = await restarted(tested, () => tested.write('account-1', 3))
      const answers = [
        await store.append([tested.stream('account-1', 1, { category: 'Transfer' })]),
        await store.append([tested.stream('account-1', 1, { expectedVersion: 'none' })]),
      ]
      const statuses = answers.flat().map((answer) => answer.status)
      assertEqual(statuses, ['category_mismatch', 'version_conflict'], 'the answers')
    }),
    durableCase('a repeated command id is known', async (tested) => {
      const events = tested.events(2)
      const { done, store } = await restarted(tested, async () => {
        await tested.write('account-1', events)
        return tested.readStream('account-1')
      })
      const [answer] = await store.append([tested.stream('account-1', events)])
      assertEqual(answer, { status: 'repeated', events: done }, 'the answer')
    }),
    durableCase('snapshots are as they were before', async (tested) => {
      const snapshot = sampleSnapshot(tested)
      const { store } = await restarted(tested, async () => tested.store.saveSnapshot(snapshot))
      assertEqual(await store.readSnapshot('account-1'), snapshot, 'the snapshot')
    }),
    durableCase('checkpoints go on where they were, with higher epochs', async (tested) => {
      const { done, store } = await restarted(tested, async () => {
        const held = await claim(tested.store, 'one')
        await tested.store.saveCheckpoint({ ...held, position: 5, index: 2 })
        await tested.store.releaseCheckpoint(held.name, held.epoch)
        return held
      })
      const next = await claim(store, 'two')
      assertEqual([next.position, next.index], [5, 2], 'the place')
      assert(next.epoch > done.epoch, `the epoch ${next.epoch} is not above ${done.epoch}`)
    }),
    durableCase('the epoch of a deleted checkpoint is not given again', async (tested) => {
      const { done, store } = await restarted(tested, async () => {
        const held = await claim(tested.store, 'one')
        await tested.store.deleteCheckpoint(held.name)
        return held
      })
      const next = await claim(store, 'two')
      assert(next.epoch > done.epoch, `the epoch ${next.epoch} is not above ${done.epoch}`)
    }),
    durableCase('streams are as archived and described as before', async (tested) => {
      const { done, store } = await restarted(tested, async () => {
        await tested.write('account-1', 2)
        await tested.change(tested.store.writeStreamMetadata('account-1', { owner: 'zoe', tags: ['north'] }))
        return tested.change(tested.store.archiveStream('account-1'))
      })
      assertEqual(await store.readStreamInfo('account-1'), done, 'what is known of the stream')
      const [answer] = await store.append([tested.stream('account-1')])
      assertEqual(answer, { status: 'stream_closed', state: 'archived' }, 'the answer')
      await tested.change(store.restoreStream('account-1'))
      const answers = await store.append([tested.stream('account-1')])
      assertEqual(answers, [{ status: 'appended', streamVersion: 3, firstPosition: 3 }], 'the answer once restored')
    }),
    durableCase('what was deleted is not there again', async (tested) => {
      const { done, store } = await restarted(tested, async () => {
        await tested.write('account-1', tested.events(3, { metadata: { user: 'zoe' } }))
        await tested.write('account-2')
        await tested.store.saveSnapshot(sampleSnapshot(tested))
        const before = await tested.readAll()
        await tested.change(tested.store.deleteStream('account-1'))
        return before
      })
      const [first, second, third, fourth] = done
      assert(first !== undefined && second !== undefined && third !== undefined, 'three events')
      const expected = [tombstoneOf(first), tombstoneOf(second), tombstoneOf(third), fourth]
      assertEqual(asTombstones((await store.readAll()).events), expected, 'the events')
      assertEqual(await store.readSnapshot('account-1'), undefined, 'the snapshot')
      const [answer] = await store.append([tested.stream('account-1')])
      assertEqual(answer, { status: 'stream_closed', state: 'deleted' }, 'the answer')
    }),
    durableCase('the lease of an owner that is gone runs out', async (tested) => {
      const { done, store } = await restarted(tested, async () => claimFor(tested.store, 'one', SHORT_LEASE_MS))
      const taken = await takeOver(store, 'two')
      assert(taken.epoch > done.epoch, `the epoch ${taken.epoch} is not above ${done.epoch}`)
      assertEqual(await ownerOf(store), 'two', 'the owner')
      assertEqual(await store.saveCheckpoint({ ...done, position: 9 }), false, 'the save of the one before')
    }),
    durableCase('events are found by their correlation', async (tested) => {
      const { store } = await restarted(tested, async () => {
        for (const id of ['one', 'two', 'one']) await tested.write('account-1', tested.events(1, { correlationId: id }))
      })
      const { events } = await store.readAll({ correlationId: 'one' })
      assertEqual(
        events.map((event) => event.position),
        [1, 3],
        'the positions',
      )
    }),
    ...durableCommandCases,
  ],
}
