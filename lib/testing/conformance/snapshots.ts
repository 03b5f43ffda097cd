import type { Snapshot } from '../../event-store/snapshot.ts'
import { assert, assertEqual } from './assertions.ts'
import { unlessEncoded, unlessObjects, type CaseDefinition, type CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

export function sampleSnapshot(tested: StoreUnderTest, overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    streamId: 'account-1',
    category: 'BankAccount',
    streamVersion: 3,
    snapshotVersion: 1,
    createdAt: 1_709_210_096_789,
    ...tested.data({ balance: 15 }),
    ...overrides,
  }
}

function encodedCase(name: string, data: string | Uint8Array): CaseDefinition {
  return {
    name,
    skip: unlessEncoded,
    run: async (tested) => {
      const snapshot = sampleSnapshot(tested, { data, contentType: 'application/x-odd' })
      await tested.store.saveSnapshot(snapshot)
      assertEqual(await tested.store.readSnapshot('account-1'), snapshot, 'the snapshot')
    },
  }
}

export const snapshots: CaseGroup = {
  name: 'snapshots',
  cases: [
    {
      name: 'are not there before they are saved',
      run: async (tested) => {
        await tested.write('account-1', 3)
        assertEqual(await tested.store.readSnapshot('account-1'), undefined, 'the snapshot')
      },
    },
    {
      name: 'come back as they were saved',
      run: async (tested) => {
        const snapshot = sampleSnapshot(tested, { snapshotVersion: 4, createdAt: -1 })
        await tested.store.saveSnapshot(snapshot)
        assertEqual(await tested.store.readSnapshot('account-1'), snapshot, 'the snapshot')
      },
    },
    {
      name: 'replace the one before, of whatever version',
      run: async (tested) => {
        for (const streamVersion of [3, 9, 5]) {
          const snapshot = sampleSnapshot(tested, { streamVersion, ...tested.data({ balance: streamVersion }) })
          await tested.store.saveSnapshot(snapshot)
          assertEqual(
            await tested.store.readSnapshot('account-1'),
            snapshot,
            `the snapshot of version ${streamVersion}`,
          )
        }
      },
    },
    {
      name: 'belong to one stream each',
      run: async (tested) => {
        const first = sampleSnapshot(tested)
        const second = sampleSnapshot(tested, { streamId: 'account-2', streamVersion: 8 })
        await tested.store.saveSnapshot(first)
        await tested.store.saveSnapshot(second)
        await tested.store.deleteSnapshot('account-1')
        assertEqual(await tested.store.readSnapshot('account-1'), undefined, 'the first snapshot')
        assertEqual(await tested.store.readSnapshot('account-2'), second, 'the second snapshot')
      },
    },
    {
      name: 'are gone when deleted, and can be saved again',
      run: async (tested) => {
        const { store } = tested
        await store.saveSnapshot(sampleSnapshot(tested))
        await store.deleteSnapshot('account-1')
        await store.deleteSnapshot('account-1')
        assertEqual(await store.readSnapshot('account-1'), undefined, 'the snapshot')
        const again = sampleSnapshot(tested, { streamVersion: 1 })
        await store.saveSnapshot(again)
        assertEqual(await store.readSnapshot('account-1'), again, 'the snapshot that was saved again')
      },
    },
    {
      name: 'leave the events alone',
      run: async (tested) => {
        await tested.write('account-1', 3)
        const before = await tested.readAll()
        await tested.store.saveSnapshot(sampleSnapshot(tested))
        await tested.store.deleteSnapshot('account-1')
        assertEqual(await tested.readAll(), before, 'the events')
      },
    },
    {
      name: 'keep the very value that was saved',
      skip: unlessObjects,
      run: async (tested) => {
        const snapshot = sampleSnapshot(tested)
        await tested.store.saveSnapshot(snapshot)
        assert((await tested.store.readSnapshot('account-1'))?.data === snapshot.data, 'the data is another object')
      },
    },
    encodedCase('keep text with NUL characters and halves of surrogate pairs', '\0a\ud800'),
    encodedCase('keep the empty text', ''),
    encodedCase(
      'keep every byte',
      Uint8Array.from({ length: 256 }, (_, index) => index),
    ),
    encodedCase('keep empty binary', new Uint8Array()),
  ],
}
