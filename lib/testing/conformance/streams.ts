import type { StreamInfo } from '../../event-store/stream-info.ts'
import { assert, assertEqual, range } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'

const streamId = 'account-1'
const fresh: StreamInfo = { streamId, category: 'BankAccount', streamVersion: 1, state: 'active', metadata: {} }

export const streams: CaseGroup = {
  name: 'streams',
  cases: [
    {
      name: 'are not known before anything was appended to them',
      run: async ({ store }) => assertEqual(await store.readStreamInfo(streamId), undefined, 'what is known'),
    },
    {
      name: 'are not known where an append wrote nothing',
      run: async (tested) => {
        await tested.append(streamId, 1, { expectedVersion: 'exists' })
        assertEqual(await tested.store.readStreamInfo(streamId), undefined, 'what is known')
      },
    },
    {
      name: 'are active and have no metadata at first',
      run: async (tested) => {
        await tested.write(streamId)
        assertEqual(await tested.store.readStreamInfo(streamId), fresh, 'what is known')
      },
    },
    {
      name: 'are known by the category and the version that they have',
      run: async (tested) => {
        await tested.write(streamId, 3)
        await tested.write('transfer-1', 2, { category: 'Transfer' })
        await tested.write(streamId, 2)
        const known = [await tested.store.readStreamInfo(streamId), await tested.store.readStreamInfo('transfer-1')]
        const expected = [
          { ...fresh, streamVersion: 5 },
          { ...fresh, streamId: 'transfer-1', category: 'Transfer', streamVersion: 2 },
        ]
        assertEqual(known, expected, 'what is known')
      },
    },
    {
      name: 'that are not there can be neither described, archived, restored nor deleted',
      run: async ({ store }) => {
        const results = [
          await store.writeStreamMetadata(streamId, { owner: 'zoe' }),
          await store.archiveStream(streamId),
          await store.restoreStream(streamId),
          await store.deleteStream(streamId),
          await store.deleteStream(streamId, { expectedVersion: 0 }),
        ]
        const unknown = { status: 'unknown_stream' }
        assertEqual(results, Array<unknown>(5).fill(unknown), 'the answers')
        assertEqual(await store.readStreamInfo(streamId), undefined, 'what is known')
      },
    },
    {
      name: 'take metadata, and tell in the answer what they are then',
      run: async (tested) => {
        await tested.write(streamId)
        const metadata = { owner: 'zoe', tags: ['north', { level: 2 }], closes: null, free: true, rate: -0.5 }
        const described = { ...fresh, metadata }
        const answer = await tested.store.writeStreamMetadata(streamId, metadata)
        assertEqual(answer, { status: 'changed', stream: described }, 'the answer')
        assertEqual(await tested.store.readStreamInfo(streamId), described, 'what is known')
      },
    },
    {
      name: 'have the metadata that were written last, whole',
      run: async (tested) => {
        await tested.write(streamId)
        for (const metadata of [{ owner: 'zoe', level: 1 }, { level: 2 }, {}, { owner: 'ann' }]) {
          await tested.change(tested.store.writeStreamMetadata(streamId, metadata))
          assertEqual((await tested.store.readStreamInfo(streamId))?.metadata, metadata, 'the metadata')
        }
      },
    },
    {
      name: 'keep odd keys and texts of metadata',
      run: async (tested) => {
        await tested.write(streamId)
        const metadata = { '漢字 🏦': "it's; --", constructor: 'x', '': 'empty', long: 'x'.repeat(10_000), big: 1e21 }
        await tested.change(tested.store.writeStreamMetadata(streamId, metadata))
        assertEqual((await tested.store.readStreamInfo(streamId))?.metadata, metadata, 'the metadata')
      },
    },
    {
      name: 'keep the metadata that they were given, whatever becomes of the object',
      run: async (tested) => {
        await tested.write(streamId)
        const metadata = { owner: 'zoe', tags: ['north'] }
        await tested.change(tested.store.writeStreamMetadata(streamId, metadata))
        metadata.owner = 'eve'
        metadata.tags.push('south')
        const kept = (await tested.store.readStreamInfo(streamId))?.metadata
        assertEqual(kept, { owner: 'zoe', tags: ['north'] }, 'the metadata')
      },
    },
    {
      name: 'have metadata that are not those of their events',
      run: async (tested) => {
        await tested.write(streamId, tested.events(2, { metadata: { user: 'ann' } }))
        const before = await tested.readAll()
        await tested.change(tested.store.writeStreamMetadata(streamId, { owner: 'zoe' }))
        assertEqual(await tested.readAll(), before, 'the events')
        assertEqual((await tested.store.readStreamInfo(streamId))?.metadata, { owner: 'zoe' }, 'the metadata')
      },
    },
    {
      name: 'keep their metadata when more is appended',
      run: async (tested) => {
        await tested.write(streamId)
        await tested.change(tested.store.writeStreamMetadata(streamId, { owner: 'zoe' }))
        assertEqual((await tested.write(streamId, 2)).streamVersion, 3, 'the version')
        const expected = { ...fresh, streamVersion: 3, metadata: { owner: 'zoe' } }
        assertEqual(await tested.store.readStreamInfo(streamId), expected, 'what is known')
      },
    },
    {
      name: 'use up neither version nor position when they are described',
      run: async (tested) => {
        await tested.write(streamId, 2)
        for (const level of range(1, 5)) {
          const { streamVersion } = await tested.change(tested.store.writeStreamMetadata(streamId, { level }))
          assertEqual(streamVersion, 2, 'the version')
        }
        assertEqual((await tested.write('account-2')).firstPosition, 3, 'the next position')
      },
    },
    {
      name: 'are changed at the version that was asked for, and not at another',
      run: async (tested) => {
        const { store } = tested
        await tested.write(streamId, 3)
        const changes = (expectedVersion: number) => [
          () => store.writeStreamMetadata(streamId, { owner: 'zoe' }, { expectedVersion }),
          () => store.archiveStream(streamId, { expectedVersion }),
          () => store.restoreStream(streamId, { expectedVersion }),
          () => store.deleteStream(streamId, { expectedVersion }),
        ]
        const before = await tested.readAll()
        for (const change of [...changes(0), ...changes(2), ...changes(4)]) {
          assertEqual(await change(), { status: 'version_conflict', actual: 3 }, 'the answer')
        }
        assertEqual(await tested.readAll(), before, 'the events')
        assertEqual(await store.readStreamInfo(streamId), { ...fresh, streamVersion: 3 }, 'what is known')
        for (const change of changes(3)) await tested.change(change())
      },
    },
    {
      name: 'tell their readers in which state they are',
      run: async (tested) => {
        const { store } = tested
        const stateOf = async () => (await store.readStream(streamId, { fromVersion: 2 })).state
        assertEqual(await stateOf(), undefined, 'the state of what is not there')
        await tested.write(streamId)
        assertEqual(await stateOf(), 'active', 'the state at first')
        await tested.change(store.archiveStream(streamId))
        assertEqual(await stateOf(), 'archived', 'the state once archived')
        await tested.change(store.restoreStream(streamId))
        assertEqual(await stateOf(), 'active', 'the state once restored')
        await tested.change(store.deleteStream(streamId))
        assertEqual(await stateOf(), 'deleted', 'the state once deleted')
      },
    },
    {
      name: 'leave each other alone',
      run: async (tested) => {
        const names = ['__proto__', "it's; --", '漢字 🏦', 'a', 'A', 'x'.repeat(512)]
        for (const [index, name] of names.entries()) {
          await tested.write(name, index + 1)
          await tested.change(tested.store.writeStreamMetadata(name, { index }))
        }
        for (const [index, name] of names.entries()) {
          const expected = { ...fresh, streamId: name, streamVersion: index + 1, metadata: { index } }
          assertEqual(await tested.store.readStreamInfo(name), expected, `what is known of ${name}`)
        }
      },
    },
    {
      name: 'are described by one of many at once, not by a mixture',
      run: async (tested) => {
        await tested.write(streamId)
        const written = range(1, 10).map((number) => ({ [`key${number}`]: number, same: number }))
        await Promise.all(
          written.map((metadata) => tested.change(tested.store.writeStreamMetadata(streamId, metadata))),
        )
        const kept = JSON.stringify((await tested.store.readStreamInfo(streamId))?.metadata)
        assert(kept.length > 2 && kept.includes('same'), `the metadata are ${kept}`)
        assertEqual(kept.split('key').length, 2, `how many wrote ${kept}`)
      },
    },
  ],
}
