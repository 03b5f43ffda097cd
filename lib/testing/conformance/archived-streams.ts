import { assert, assertEqual, range } from './assertions.ts'
import { unlessAtomic, type CaseGroup } from './conformance-case.ts'
import { sampleSnapshot } from './snapshots.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const streamId = 'account-1'
const closed = { status: 'stream_closed', state: 'archived' }

async function archived(tested: StoreUnderTest, events: Parameters<StoreUnderTest['write']>[1] = 2): Promise<void> {
  await tested.write(streamId, events)
  await tested.change(tested.store.archiveStream(streamId))
}

export const archivedStreams: CaseGroup = {
  name: 'archived streams',
  cases: [
    {
      name: 'tell that they are archived, at the version that they have',
      run: async (tested) => {
        await tested.write(streamId, 2)
        const stream = { streamId, category: 'BankAccount', streamVersion: 2, state: 'archived', metadata: {} }
        assertEqual(await tested.store.archiveStream(streamId), { status: 'changed', stream }, 'the answer')
        assertEqual(await tested.store.readStreamInfo(streamId), stream, 'what is known')
      },
    },
    {
      name: 'refuse every append, and write nothing',
      run: async (tested) => {
        await archived(tested)
        assertEqual(await tested.append(streamId), closed, 'the answer')
        assertEqual(await tested.append(streamId, 3, { deduplicate: false }), closed, 'the answer to a new command')
        assertEqual(await tested.append(streamId, 1, { expectedVersion: 2 }), closed, 'the answer at the version')
        await tested.assertEventCount(2)
        assertEqual((await tested.write('account-2')).firstPosition, 3, 'the next position')
      },
    },
    {
      name: 'are closed before they are at another version',
      run: async (tested) => {
        await archived(tested)
        assertEqual(await tested.append(streamId, 1, { expectedVersion: 'none' }), closed, 'the answer to none')
        assertEqual(await tested.append(streamId, 1, { expectedVersion: 7 }), closed, 'the answer to 7')
      },
    },
    {
      name: 'are of another category before they are closed',
      run: async (tested) => {
        await archived(tested)
        const answer = await tested.append(streamId, 1, { category: 'Transfer' })
        assertEqual(answer, { status: 'category_mismatch', actual: 'BankAccount' }, 'the answer')
      },
    },
    {
      name: 'answer the repeat of a command as the first time',
      run: async (tested) => {
        const events = tested.events(2)
        await archived(tested, events)
        const stored = await tested.readStream(streamId)
        assertEqual(await tested.append(streamId, events), { status: 'repeated', events: stored }, 'the answer')
        const other = tested.events(1, { commandId: events[0]?.commandId ?? '' })
        assertEqual(await tested.append(streamId, other), { status: 'duplicate_command' }, 'the answer to other events')
      },
    },
    {
      name: 'are read as before',
      run: async (tested) => {
        const events = tested.events(3, { metadata: { user: 'zoe' } })
        await tested.write(streamId, events)
        const before = await tested.readAll()
        await tested.change(tested.store.archiveStream(streamId))
        assertEqual(await tested.readAll(), before, 'all events')
        assertEqual(await tested.readStream(streamId), before, 'the stream')
        const commandId = events[0]?.commandId ?? ''
        assertEqual(await tested.store.readCommand(streamId, commandId), before, 'the events of the command')
      },
    },
    {
      name: 'keep their snapshot, and take a new one',
      run: async (tested) => {
        await tested.store.saveSnapshot(sampleSnapshot(tested))
        await archived(tested)
        assertEqual(await tested.store.readSnapshot(streamId), sampleSnapshot(tested), 'the snapshot')
        const next = sampleSnapshot(tested, { streamVersion: 2 })
        await tested.store.saveSnapshot(next)
        assertEqual(await tested.store.readSnapshot(streamId), next, 'the new snapshot')
      },
    },
    {
      name: 'keep their metadata, and can be described',
      run: async (tested) => {
        await tested.write(streamId)
        await tested.change(tested.store.writeStreamMetadata(streamId, { owner: 'zoe' }))
        const { metadata } = await tested.change(tested.store.archiveStream(streamId))
        assertEqual(metadata, { owner: 'zoe' }, 'the metadata')
        const { state } = await tested.change(tested.store.writeStreamMetadata(streamId, { why: 'moved' }))
        assertEqual(state, 'archived', 'the state')
        assertEqual((await tested.store.readStreamInfo(streamId))?.metadata, { why: 'moved' }, 'the new metadata')
      },
    },
    {
      name: 'may be archived once more',
      run: async (tested) => {
        await archived(tested)
        assertEqual((await tested.change(tested.store.archiveStream(streamId))).state, 'archived', 'the state')
      },
    },
    {
      name: 'take events again once they are restored, at the next version',
      run: async (tested) => {
        await archived(tested)
        assertEqual((await tested.change(tested.store.restoreStream(streamId))).state, 'active', 'the state')
        const answer = await tested.append(streamId, 1, { expectedVersion: 2 })
        assertEqual(answer, { status: 'appended', streamVersion: 3, firstPosition: 3 }, 'the answer')
        assertEqual((await tested.change(tested.store.restoreStream(streamId))).state, 'active', 'the state in the end')
      },
    },
    {
      name: 'can be archived and restored again and again',
      run: async (tested) => {
        await tested.write(streamId)
        for (const version of range(1, 5)) {
          await tested.change(tested.store.archiveStream(streamId, { expectedVersion: version }))
          assertEqual(await tested.append(streamId), closed, 'the answer')
          await tested.change(tested.store.restoreStream(streamId, { expectedVersion: version }))
          assertEqual((await tested.write(streamId)).streamVersion, version + 1, 'the version')
        }
        await tested.assertEventCount(6)
      },
    },
    {
      name: 'never fail their neighbours',
      run: async (tested) => {
        await archived(tested)
        const streams = ['account-0', streamId, 'account-2'].map((id) => tested.stream(id))
        const statuses = (await tested.store.append(streams)).map(({ status }) => status)
        assertEqual(statuses, ['appended', 'stream_closed', 'appended'], 'the answers')
        await tested.assertEventCount(4)
      },
    },
    {
      name: 'fail an atomic append as a whole',
      skip: unlessAtomic,
      run: async (tested) => {
        await archived(tested)
        const streams = ['account-0', streamId, 'account-2'].map((id) => tested.stream(id))
        const abandoned = { status: 'abandoned' }
        const answers = await tested.store.append(streams, { atomic: true })
        assertEqual(answers, [abandoned, closed, abandoned], 'the answers')
        await tested.assertEventCount(2)
      },
    },
    {
      name: 'stay at the version that the answer told of, though many append at once',
      run: async (tested) => {
        await tested.write(streamId)
        const appends = range(1, 30).map(() => tested.append(streamId))
        const archiving = tested.change(tested.store.archiveStream(streamId))
        const later = range(1, 30).map(() => tested.append(streamId))
        const { streamVersion } = await archiving
        const answers = await Promise.all([...appends, ...later])
        const appended = answers.filter(({ status }) => status === 'appended').length
        assert(
          answers.every(({ status }) => status === 'appended' || status === 'stream_closed'),
          `the answers are ${answers.map(({ status }) => status).join(', ')}`,
        )
        assertEqual(streamVersion, appended + 1, 'the version at which it was archived')
        await tested.assertEventCount(appended + 1)
        assertEqual(await tested.append(streamId), closed, 'the answer in the end')
      },
    },
  ],
}
