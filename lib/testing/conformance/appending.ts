import type { StreamAppendResult } from '../../event-store/event-store.ts'
import { MAX_STREAM_ID_LENGTH } from '../../event-store/limits.ts'
import { assertEqual, range } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'

export const appending: CaseGroup = {
  name: 'appending',
  cases: [
    {
      name: 'gives the first event version 1 and position 1',
      run: async (tested) => {
        const result = await tested.append('account-1')
        assertEqual(result, { status: 'appended', streamVersion: 1, firstPosition: 1 }, 'the answer')
        const [event] = await tested.readStream('account-1')
        assertEqual([event?.streamVersion, event?.position], [1, 1], 'version and position')
      },
    },
    {
      name: 'numbers the events of a stream without gaps, over one append and several',
      run: async (tested) => {
        await tested.write('account-1', 3)
        await tested.write('account-1')
        await tested.write('account-1', 2)
        const versions = (await tested.readStream('account-1')).map((event) => event.streamVersion)
        assertEqual(versions, range(1, 6), 'the versions')
      },
    },
    {
      name: 'numbers the events of all streams without gaps, in the order of appends',
      run: async (tested) => {
        const first = await tested.write('account-1', 2)
        const second = await tested.write('account-2', 3)
        const third = await tested.write('account-1')
        assertEqual(
          [first, second, third].map((result) => result.firstPosition),
          [1, 3, 6],
          'the first positions',
        )
        const places = (await tested.readAll()).map((event) => `${event.streamId}@${event.streamVersion}`)
        const expected = ['account-1@1', 'account-1@2', 'account-2@1', 'account-2@2', 'account-2@3', 'account-1@3']
        assertEqual(places, expected, 'the order')
      },
    },
    {
      name: 'keeps the order of the events within an append',
      run: async (tested) => {
        const events = tested.events(20)
        await tested.write('account-1', events)
        const stored = (await tested.readStream('account-1')).map((event) => event.eventId)
        assertEqual(
          stored,
          events.map((event) => event.eventId),
          'the event ids',
        )
      },
    },
    {
      name: 'answers the streams of a call one by one, in the order given',
      run: async (tested) => {
        await tested.write('account-2', 2)
        const answers = await tested.store.append([
          tested.stream('account-1', 2),
          tested.stream('account-2', 1, { expectedVersion: 2 }),
          tested.stream('account-3'),
        ])
        const expected: StreamAppendResult[] = [
          { status: 'appended', streamVersion: 2, firstPosition: 3 },
          { status: 'appended', streamVersion: 3, firstPosition: 5 },
          { status: 'appended', streamVersion: 1, firstPosition: 6 },
        ]
        assertEqual(answers, expected, 'the answers')
      },
    },
    {
      name: 'appends to the neighbours of a stream whose expected version does not hold',
      run: async (tested) => {
        const answers = await tested.store.append([
          tested.stream('account-1'),
          tested.stream('account-2', 1, { expectedVersion: 'exists' }),
          tested.stream('account-3'),
        ])
        const statuses = answers.map((answer) => answer.status)
        assertEqual(statuses, ['appended', 'version_conflict', 'appended'], 'the answers')
        await tested.assertEventCount(2)
      },
    },
    {
      name: 'appends to the neighbours of a stream of another category',
      run: async (tested) => {
        await tested.write('account-2', 1, { category: 'Transfer' })
        const streams = ['account-1', 'account-2', 'account-3'].map((streamId) => tested.stream(streamId))
        const statuses = (await tested.store.append(streams)).map((answer) => answer.status)
        assertEqual(statuses, ['appended', 'category_mismatch', 'appended'], 'the answers')
        await tested.assertEventCount(3)
      },
    },
    {
      name: 'uses up no position for an append that writes nothing',
      run: async (tested) => {
        await tested.write('account-1')
        await tested.append('account-1', 5, { expectedVersion: 'none' })
        await tested.append('account-1', 5, { category: 'Transfer' })
        assertEqual((await tested.write('account-2')).firstPosition, 2, 'the next position')
      },
    },
    {
      name: 'names the category of a stream that is appended to as another',
      run: async (tested) => {
        await tested.write('user-preference-1', 1, { category: 'UserPreference' })
        const answer = await tested.append('user-preference-1', 1, { category: 'User' })
        assertEqual(answer, { status: 'category_mismatch', actual: 'UserPreference' }, 'the answer')
        await tested.assertEventCount(1)
      },
    },
    {
      name: 'looks at the category before the version',
      run: async (tested) => {
        await tested.write('account-1', 2)
        const answer = await tested.append('account-1', 1, { category: 'Transfer', expectedVersion: 1 })
        assertEqual(answer, { status: 'category_mismatch', actual: 'BankAccount' }, 'the answer')
      },
    },
    {
      name: 'takes 1,000 events in one append',
      run: async (tested) => {
        const result = await tested.append('account-1', 1_000)
        assertEqual(result, { status: 'appended', streamVersion: 1_000, firstPosition: 1 }, 'the answer')
        await tested.assertEventCount(1_000)
      },
    },
    {
      name: 'takes 200 streams in one call',
      run: async (tested) => {
        const streams = range(1, 200).map((number) => tested.stream(`account-${number}`))
        const positions = (await tested.store.append(streams)).map((answer) =>
          answer.status === 'appended' ? answer.firstPosition : answer.status,
        )
        assertEqual(positions, range(1, 200), 'the positions')
        await tested.assertEventCount(200)
      },
    },
    {
      name: 'keeps what it was given, whatever becomes of the list and the objects of the caller',
      run: async (tested) => {
        const event = { ...tested.event() }
        const given = { ...event }
        const events = [event]
        await tested.write('account-1', events)
        event.type = 'Forged'
        event.createdAt = 0
        events.length = 0
        const [stored] = await tested.readStream('account-1')
        assertEqual([stored?.type, stored?.createdAt], [given.type, given.createdAt], 'the stored event')
      },
    },
    {
      name: 'tells stream ids apart that differ in case, in blanks or in how a letter is composed',
      run: async (tested) => {
        const streamIds = ['account-é', 'account-e\u0301', 'account-e', 'ACCOUNT-E', 'account-e ', ' account-e']
        for (const streamId of streamIds) await tested.write(streamId, 1, { expectedVersion: 'none' })
        const stored = (await tested.readAll()).map((event) => event.streamId)
        assertEqual(stored, streamIds, 'the stream ids')
      },
    },
    {
      name: 'takes any text as a stream id',
      run: async (tested) => {
        const odd = [
          "'; DROP TABLE events; --",
          '%_*?',
          '../..',
          '\n\t',
          '🏦',
          '__proto__',
          'constructor',
          'a.b>c',
          '0',
        ]
        for (const streamId of odd) {
          await tested.write(streamId, 2, { expectedVersion: 'none' })
          const [first, second] = await tested.readStream(streamId)
          assertEqual([first?.streamId, second?.streamId], [streamId, streamId], 'the stream id')
        }
        await tested.assertEventCount(odd.length * 2)
      },
    },
    {
      name: `takes a stream id of ${MAX_STREAM_ID_LENGTH} characters`,
      run: async (tested) => {
        const longest = '漢'.repeat(MAX_STREAM_ID_LENGTH)
        await tested.write(longest)
        await tested.write(longest.slice(1))
        assertEqual((await tested.readStream(longest)).length, 1, 'the events in the stream')
      },
    },
  ],
}
