import type { EventStore, StreamAppendResult } from '../../event-store/event-store.ts'
import { assert, assertEqual, assertFails, range } from './assertions.ts'
import { unlessAtomic, type CaseDefinition, type CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const atomic = { atomic: true }

function atomicCase(name: string, run: (tested: StoreUnderTest) => Promise<void>): CaseDefinition {
  return { name, run, skip: unlessAtomic }
}

async function statuses(answers: ReturnType<EventStore['append']>): Promise<readonly string[]> {
  return (await answers).map((answer) => answer.status)
}

export const atomicAppends: CaseGroup = {
  name: 'atomic appends',
  cases: [
    {
      name: 'are refused by a store that does not declare them, with its name',
      skip: ({ atomicStreams }) => (atomicStreams ? 'the store has atomic appends' : undefined),
      run: async (tested) => {
        const streams = [tested.stream('account-1'), tested.stream('account-2')]
        const error = await assertFails(() => tested.store.append(streams, atomic), 'unsupported_capability', 'append')
        assert(error.message.includes(tested.store.name), `the message does not name the store: ${error.message}`)
        await tested.assertEventCount(0)
      },
    },
    atomicCase('commit all streams of the call, next to each other', async (tested) => {
      await tested.write('account-2', 2)
      const answers = await tested.store.append(
        [tested.stream('account-1', 2), tested.stream('account-2', 1, { expectedVersion: 2 })],
        atomic,
      )
      const expected: StreamAppendResult[] = [
        { status: 'appended', streamVersion: 2, firstPosition: 3 },
        { status: 'appended', streamVersion: 3, firstPosition: 5 },
      ]
      assertEqual(answers, expected, 'the answers')
      await tested.assertEventCount(5)
    }),
    atomicCase('commit a single stream, too', async (tested) => {
      assertEqual(
        await statuses(tested.store.append([tested.stream('account-1')], atomic)),
        ['appended'],
        'the answers',
      )
      await tested.assertEventCount(1)
    }),
    atomicCase('commit nothing where one expected version does not hold', async (tested) => {
      await tested.write('account-2', 2)
      const answers = await tested.store.append(
        [tested.stream('account-1'), tested.stream('account-2', 1, { expectedVersion: 1 }), tested.stream('account-3')],
        atomic,
      )
      const abandoned = { status: 'abandoned' }
      assertEqual(answers, [abandoned, { status: 'version_conflict', actual: 2 }, abandoned], 'the answers')
      await tested.assertEventCount(2)
      assertEqual((await tested.store.readStream('account-1')).streamVersion, 0, 'the version of its neighbour')
    }),
    atomicCase('tell of every stream that failed', async (tested) => {
      await tested.write('account-1')
      await tested.write('account-2', 1, { category: 'Transfer' })
      const answers = await tested.store.append(
        [
          tested.stream('account-1', 1, { expectedVersion: 'none' }),
          tested.stream('account-2'),
          tested.stream('account-3'),
        ],
        atomic,
      )
      const failed = answers.map((answer) => answer.status)
      assertEqual(failed, ['version_conflict', 'category_mismatch', 'abandoned'], 'the answers')
      await tested.assertEventCount(2)
    }),
    atomicCase('commit nothing where one command id came before with other events', async (tested) => {
      const commandId = tested.id()
      await tested.write('account-1', tested.events(1, { commandId }))
      const other = tested.stream('account-1', tested.events(2, { commandId }))
      const answers = await statuses(tested.store.append([tested.stream('account-2'), other], atomic))
      assertEqual(answers, ['abandoned', 'duplicate_command'], 'the answers')
      await tested.assertEventCount(1)
    }),
    atomicCase('are answered as the first time when all of it is repeated', async (tested) => {
      const commandId = tested.id()
      const streams = ['account-1', 'account-2'].map((streamId) =>
        tested.stream(streamId, tested.events(2, { commandId }), { expectedVersion: 'none' }),
      )
      assertEqual(await statuses(tested.store.append(streams, atomic)), ['appended', 'appended'], 'the first answers')
      assertEqual(await statuses(tested.store.append(streams, atomic)), ['repeated', 'repeated'], 'the second answers')
      await tested.assertEventCount(4)
    }),
    atomicCase('append what is missing where one stream is a repeat', async (tested) => {
      const commandId = tested.id()
      const [first, second] = ['account-1', 'account-2'].map((streamId) =>
        tested.stream(streamId, tested.events(1, { commandId })),
      )
      assert(first !== undefined && second !== undefined, 'two streams')
      await tested.store.append([first])
      const answers = await statuses(tested.store.append([first, second], atomic))
      assertEqual(answers, ['repeated', 'appended'], 'the answers')
      await tested.assertEventCount(2)
    }),
    atomicCase('may be sent again after a conflict, under the same command id', async (tested) => {
      const commandId = tested.id()
      const first = tested.stream('account-1', tested.events(1, { commandId }), { expectedVersion: 'none' })
      const events = tested.events(1, { commandId })
      const wrong = [first, tested.stream('account-2', events, { expectedVersion: 9 })]
      const right = [first, tested.stream('account-2', events, { expectedVersion: 0 })]
      const conflict = await statuses(tested.store.append(wrong, atomic))
      assertEqual(conflict, ['abandoned', 'version_conflict'], 'the first answers')
      assertEqual(await statuses(tested.store.append(right, atomic)), ['appended', 'appended'], 'the second answers')
    }),
    atomicCase('of which many run at once over the same streams commit whole or not at all', async (tested) => {
      // A ring, where each call wants a stream of the one before and one of the next, in this order or the other.
      const answers = await Promise.all(
        range(0, 19).map((number) => {
          const ring = [`account-${number}`, `account-${(number + 1) % 20}`]
          const streams = ring.map((streamId) => tested.stream(streamId, 1, { expectedVersion: 'none' }))
          return statuses(tested.store.append(number % 2 === 0 ? streams : streams.reverse(), atomic))
        }),
      )
      const appended = answers.map((answer) => answer.filter((status) => status === 'appended').length)
      assertEqual(appended.includes(1), false, 'a call that committed in part')
      assert(appended.includes(2), 'no call committed')
      await tested.assertEventCount(appended.filter((count) => count === 2).length * 2)
    }),
    atomicCase('that fail leave the others that run at once alone', async (tested) => {
      await tested.write('account-0')
      const failing = () =>
        statuses(
          tested.store.append(
            [tested.stream('account-99'), tested.stream('account-0', 1, { expectedVersion: 'none' })],
            atomic,
          ),
        )
      const write = async (number: number) => [(await tested.append(`account-${number}`)).status]
      const results = await Promise.all(range(1, 20).map((number) => (number % 2 === 0 ? failing() : write(number))))
      assertEqual(results.length, 20, 'the answers')
      await tested.assertEventCount(11)
      assertEqual((await tested.store.readStream('account-99')).streamVersion, 0, 'the version of what was abandoned')
    }),
  ],
}
