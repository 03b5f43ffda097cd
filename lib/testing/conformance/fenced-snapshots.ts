import { assertEqual } from './assertions.ts'
import { claim } from './checkpoints.ts'
import type { CaseGroup } from './conformance-case.ts'
import { sampleSnapshot } from './snapshots.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const name = 'transfers'

async function assertVersion({ store }: StoreUnderTest, version: number | undefined): Promise<void> {
  assertEqual((await store.readSnapshot('account-1'))?.streamVersion, version, 'the version of the snapshot')
}

export const fencedSnapshots: CaseGroup = {
  name: 'fenced snapshots',
  cases: [
    {
      name: 'say that they are written and deleted, fence or none',
      run: async (tested) => {
        const { store } = tested
        const hold = await claim(store, 'one', name)
        for (const options of [{}, { hold }]) {
          assertEqual(await store.saveSnapshot(sampleSnapshot(tested), options), true, 'the save')
          await assertVersion(tested, 3)
          assertEqual(await store.deleteSnapshot('account-1', options), true, 'the deletion')
          await assertVersion(tested, undefined)
          assertEqual(await store.deleteSnapshot('account-1', options), true, 'the deletion of what is not there')
        }
      },
    },
    {
      name: 'are neither written nor deleted by an owner that was superseded',
      run: async (tested) => {
        const { store } = tested
        const before = await claim(store, 'one', name)
        const after = await claim(store, 'one', name)
        assertEqual(await store.saveSnapshot(sampleSnapshot(tested), { hold: before }), false, 'the first save')
        await assertVersion(tested, undefined)
        await store.saveSnapshot(sampleSnapshot(tested), { hold: after })
        const late = sampleSnapshot(tested, { streamVersion: 9 })
        assertEqual(await store.saveSnapshot(late, { hold: before }), false, 'the save over another')
        assertEqual(await store.deleteSnapshot('account-1', { hold: before }), false, 'the deletion')
        await assertVersion(tested, 3)
      },
    },
    {
      name: 'are neither written nor deleted under a claim that was released, deleted or never made',
      run: async (tested) => {
        const { store } = tested
        await store.saveSnapshot(sampleSnapshot(tested))
        const released = await claim(store, 'one', name)
        await store.releaseCheckpoint(name, released.epoch)
        const deleted = await claim(store, 'one', 'deleted')
        await store.deleteCheckpoint('deleted')
        for (const hold of [released, deleted, { name: 'nobody', epoch: 1 }]) {
          const late = sampleSnapshot(tested, { streamVersion: 9 })
          assertEqual(await store.saveSnapshot(late, { hold }), false, `the save under ${hold.name}`)
          assertEqual(await store.deleteSnapshot('account-1', { hold }), false, `the deletion under ${hold.name}`)
        }
        await assertVersion(tested, 3)
      },
    },
    {
      name: 'move neither the place nor the claim that fences them',
      run: async (tested) => {
        const { store } = tested
        const hold = await claim(store, 'one', name, 7)
        await store.saveSnapshot(sampleSnapshot(tested), { hold })
        await store.deleteSnapshot('account-1', { hold })
        assertEqual(await store.readCheckpoint(name), hold, 'the checkpoint')
        assertEqual(await store.saveCheckpoint({ ...hold, position: 9 }), true, 'a save of the place')
      },
    },
    {
      name: 'are written many at once under one claim',
      run: async (tested) => {
        const { store } = tested
        const hold = await claim(store, 'one', name)
        const ids = Array.from({ length: 40 }, (_, index) => `account-${index}`)
        const saved = await Promise.all(
          ids.map(async (streamId) => store.saveSnapshot(sampleSnapshot(tested, { streamId }), { hold })),
        )
        assertEqual(new Set(saved), new Set([true]), 'the answers')
        for (const streamId of ids) {
          assertEqual((await store.readSnapshot(streamId))?.streamId, streamId, 'the snapshot')
        }
      },
    },
  ],
}
