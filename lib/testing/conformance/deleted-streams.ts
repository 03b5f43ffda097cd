import type { NewEvent, StoredEvent } from '../../event-store/stored-event.ts'
import { assert, assertEqual, eventually, range } from './assertions.ts'
import { unlessAtomic, type CaseGroup } from './conformance-case.ts'
import { follow, smallHub } from './follower.ts'
import { sampleSnapshot } from './snapshots.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const streamId = 'account-1'
const closed = { status: 'stream_closed', state: 'deleted' }

/** What is left of an event. */
export function tombstoneOf(event: StoredEvent): StoredEvent {
  return { ...event, data: undefined, metadata: {}, tombstone: true }
}

/** A store may leave out the data of a tombstone, rather than give it as undefined. */
export function asTombstones(events: readonly StoredEvent[]): StoredEvent[] {
  return events.map((event) => (event.tombstone === true ? { ...event, data: event.data } : event))
}

const secretEvents = (tested: StoreUnderTest, count: number): NewEvent[] =>
  tested.events(count, { ...tested.data({ secret: 'SECRET' }), metadata: { secret: 'SECRET' }, tenant: 'north' })

/** Three streams that lie among each other, of which the first is deleted; gives the events from before. */
async function deleted(tested: StoreUnderTest): Promise<StoredEvent[]> {
  for (const turn of range(1, 3)) {
    await tested.write(streamId, secretEvents(tested, turn))
    await tested.write('account-2', 2)
    await tested.write('transfer-1', 1, { category: 'Transfer' })
  }
  const before = await tested.readAll()
  await tested.change(tested.store.deleteStream(streamId))
  return before
}

const withTombstones = (before: readonly StoredEvent[]) =>
  before.map((event) => (event.streamId === streamId ? tombstoneOf(event) : event))

export const deletedStreams: CaseGroup = {
  name: 'deleted streams',
  cases: [
    {
      name: 'tell that they are deleted, at the version that they had, without metadata',
      run: async (tested) => {
        await tested.write(streamId, 3)
        await tested.change(tested.store.writeStreamMetadata(streamId, { secret: 'SECRET' }))
        const stream = { streamId, category: 'BankAccount', streamVersion: 3, state: 'deleted', metadata: {} }
        assertEqual(await tested.store.deleteStream(streamId), { status: 'changed', stream }, 'the answer')
        assertEqual(await tested.store.readStreamInfo(streamId), stream, 'what is known')
      },
    },
    {
      name: 'leave a tombstone of each event in its place, with its ids and its type',
      run: async (tested) => {
        const before = await deleted(tested)
        assertEqual(asTombstones(await tested.readAll()), withTombstones(before), 'all events')
        const { events, streamVersion, category } = await tested.store.readStream(streamId)
        const own = withTombstones(before).filter((event) => event.streamId === streamId)
        assertEqual(asTombstones(events), own, 'the stream')
        assertEqual([streamVersion, category], [6, 'BankAccount'], 'the version and the category')
      },
    },
    {
      name: 'leave no gap in versions and positions',
      run: async (tested) => {
        const before = await deleted(tested)
        await tested.assertEventCount(before.length)
        const versions = (await tested.readStream(streamId)).map((event) => event.streamVersion)
        assertEqual(versions, range(1, 6), 'the versions')
        assertEqual((await tested.write('account-2')).firstPosition, before.length + 1, 'the next position')
      },
    },
    {
      name: 'say nothing of what they said, by whatever way they are read',
      run: async (tested) => {
        const before = await deleted(tested)
        const commands = new Set(before.map((event) => event.commandId))
        const reads = [
          await tested.readAll(),
          await tested.readStream(streamId),
          (await tested.store.readStream(streamId, { direction: 'backward' })).events,
          (await tested.store.readAll({ direction: 'backward' })).events,
          (await tested.store.readAll({ category: 'BankAccount' })).events,
          ...(await Promise.all([...commands].map(async (id) => tested.store.readCommand(streamId, id)))),
          [await tested.store.readStreamInfo(streamId)],
        ]
        assert(
          reads.every((events) => !JSON.stringify(events).includes('SECRET')),
          'what was deleted can be read',
        )
        const erased = reads
          .flat()
          .filter((event) => event !== undefined && 'data' in event && event.data === undefined)
        assert(erased.length > 0, 'no tombstone was read')
      },
    },
    {
      name: 'leave the events of others as they were',
      run: async (tested) => {
        const before = await deleted(tested)
        const others = before.filter((event) => event.streamId === 'account-2')
        assertEqual(await tested.readStream('account-2'), others, 'the events of another')
        assertEqual((await tested.write('account-2', 1, { expectedVersion: 6 })).streamVersion, 7, 'its next version')
      },
    },
    {
      name: 'take no events for good, whatever version they expect',
      run: async (tested) => {
        const before = await deleted(tested)
        for (const expectedVersion of ['any', 'none', 'exists', 0, 6, 9] as const) {
          assertEqual(await tested.append(streamId, 1, { expectedVersion }), closed, `the answer to ${expectedVersion}`)
        }
        assertEqual(await tested.append(streamId, 1, { deduplicate: false }), closed, 'the answer to a new command')
        await tested.assertEventCount(before.length)
      },
    },
    {
      name: 'are of another category before they are closed',
      run: async (tested) => {
        await deleted(tested)
        const answer = await tested.append(streamId, 1, { category: 'Transfer' })
        assertEqual(answer, { status: 'category_mismatch', actual: 'BankAccount' }, 'the answer')
      },
    },
    {
      name: 'answer the repeat of a command with its tombstones',
      run: async (tested) => {
        const events = secretEvents(tested, 2)
        await tested.write(streamId, events)
        const before = await tested.readStream(streamId)
        await tested.change(tested.store.deleteStream(streamId))
        const answer = await tested.append(streamId, events)
        assert(answer.status === 'repeated', `the answer is ${answer.status}`)
        assertEqual(asTombstones(answer.events), before.map(tombstoneOf), 'the events')
        const longer = [...events, ...tested.events(1, { commandId: events[0]?.commandId ?? '' })]
        assertEqual(await tested.append(streamId, longer), { status: 'duplicate_command' }, 'the answer to more events')
      },
    },
    {
      name: 'can be neither described, archived nor restored',
      run: async (tested) => {
        await deleted(tested)
        const { store } = tested
        assertEqual(await store.writeStreamMetadata(streamId, { owner: 'zoe' }), closed, 'the description')
        assertEqual(await store.archiveStream(streamId), closed, 'the archiving')
        assertEqual(await store.restoreStream(streamId), closed, 'the restoring')
        const info = await store.readStreamInfo(streamId)
        assertEqual([info?.state, info?.metadata], ['deleted', {}], 'state and metadata')
      },
    },
    {
      name: 'may be deleted once more',
      run: async (tested) => {
        const before = await deleted(tested)
        assertEqual((await tested.change(tested.store.deleteStream(streamId))).state, 'deleted', 'the state')
        assertEqual(asTombstones(await tested.readAll()), withTombstones(before), 'all events')
      },
    },
    {
      name: 'may have been archived',
      run: async (tested) => {
        await tested.write(streamId, secretEvents(tested, 2))
        await tested.change(tested.store.archiveStream(streamId))
        assertEqual((await tested.change(tested.store.deleteStream(streamId))).state, 'deleted', 'the state')
        assertEqual(await tested.append(streamId), closed, 'the answer')
        assertEqual(
          (await tested.readStream(streamId)).map((event) => event.tombstone),
          [true, true],
          'the events',
        )
      },
    },
    {
      name: 'have no snapshot, and get none from who still holds their state',
      run: async (tested) => {
        const { store } = tested
        await tested.write(streamId, 3)
        await store.saveSnapshot(sampleSnapshot(tested))
        await store.saveSnapshot(sampleSnapshot(tested, { streamId: 'account-2' }))
        await tested.change(store.deleteStream(streamId))
        assertEqual(await store.readSnapshot(streamId), undefined, 'the snapshot')
        await store.saveSnapshot(sampleSnapshot(tested))
        assertEqual(await store.readSnapshot(streamId), undefined, 'the snapshot that came late')
        assertEqual((await store.readSnapshot('account-2'))?.streamId, 'account-2', 'the snapshot of another')
      },
    },
    {
      name: 'show their tombstones to those who read by type, category or correlation',
      run: async (tested) => {
        const event = (type: string) => tested.event({ type, correlationId: 'together' })
        await tested.write(streamId, [event('Opened')])
        await tested.write('account-2', [event('Opened')])
        await tested.write(streamId, [event('Closed')])
        await tested.write('transfer-1', [event('Opened')], { category: 'Transfer' })
        await tested.change(tested.store.deleteStream(streamId))
        const places = async (options: Parameters<typeof tested.store.readAll>[0]) =>
          (await tested.store.readAll(options)).events.map(({ position, tombstone }) => [position, tombstone === true])
        const opened = new Set(['Opened'])
        assertEqual(await places({ types: opened }), [[1, true], [2, false], [4, false]], 'by type') // prettier-ignore
        const accounts = { category: 'BankAccount' }
        assertEqual(await places(accounts), [[1, true], [2, false], [3, true]], 'by category') // prettier-ignore
        const all = [[1, true], [2, false], [3, true], [4, false]] // prettier-ignore
        assertEqual(await places({ correlationId: 'together' }), all, 'by correlation')
        const backward = { ...accounts, direction: 'backward', maxCount: 2 } as const
        assertEqual(await places(backward), [[3, true], [2, false]], 'backward') // prettier-ignore
      },
    },
    {
      name: 'are passed over by subscriptions, which go on behind them',
      run: async (tested) => {
        const before = await deleted(tested)
        const { follower, subscription } = follow(smallHub(tested.store), 0)
        const head = before.length
        await eventually('it is at the end', () => subscription.position === head)
        await tested.write('account-2')
        await eventually('it has the next event', () => subscription.position === head + 1)
        await subscription.stop()
        const others = before.filter((event) => event.streamId !== streamId).map((event) => event.position)
        assertEqual(follower.positions, [...others, head + 1], 'the positions')
      },
    },
    {
      name: 'bring a subscription that is about nothing else to the end',
      run: async (tested) => {
        const before = await deleted(tested)
        const { follower, subscription } = follow(smallHub(tested.store), 0, { filter: { streamId } })
        await eventually('it is at the end', () => subscription.position === before.length)
        await subscription.stop()
        assertEqual(follower.positions, [], 'the positions')
      },
    },
    {
      name: 'never fail their neighbours',
      run: async (tested) => {
        await tested.write(streamId)
        await tested.change(tested.store.deleteStream(streamId))
        const streams = ['account-0', streamId, 'account-2'].map((id) => tested.stream(id))
        const statuses = (await tested.store.append(streams)).map(({ status }) => status)
        assertEqual(statuses, ['appended', 'stream_closed', 'appended'], 'the answers')
        await tested.assertEventCount(3)
      },
    },
    {
      name: 'fail an atomic append as a whole',
      skip: unlessAtomic,
      run: async (tested) => {
        await tested.write(streamId)
        await tested.change(tested.store.deleteStream(streamId))
        const streams = ['account-0', streamId].map((id) => tested.stream(id))
        const answers = await tested.store.append(streams, { atomic: true })
        assertEqual(answers, [{ status: 'abandoned' }, closed], 'the answers')
        await tested.assertEventCount(1)
      },
    },
    {
      name: 'are deleted whole though many append at once',
      run: async (tested) => {
        await tested.write(streamId)
        const appends = range(1, 30).map(() => tested.append(streamId, secretEvents(tested, 2)))
        const deleting = tested.change(tested.store.deleteStream(streamId))
        const later = range(1, 30).map(() => tested.append(streamId, secretEvents(tested, 2)))
        const { streamVersion } = await deleting
        const answers = await Promise.all([...appends, ...later])
        const appended = answers.filter(({ status }) => status === 'appended').length
        assertEqual(streamVersion, appended * 2 + 1, 'the version at which it was deleted')
        const events = await tested.readStream(streamId)
        assertEqual(events.length, streamVersion, 'the events')
        assert(
          events.every((event) => event.tombstone === true && event.data === undefined),
          'an event is left',
        )
        await tested.assertEventCount(streamVersion)
      },
    },
    {
      name: 'may have had 3,000 events',
      run: async (tested) => {
        for (const _ of range(1, 3)) await tested.write(streamId, secretEvents(tested, 1_000))
        await tested.write('account-2', 2)
        await tested.change(tested.store.deleteStream(streamId, { expectedVersion: 3_000 }))
        const events = await tested.readAll()
        assertEqual(events.filter((event) => event.tombstone === true).length, 3_000, 'the tombstones')
        assertEqual(events.filter((event) => event.data !== undefined).length, 2, 'the events that are left')
        await tested.assertEventCount(3_002)
      },
    },
  ],
}
