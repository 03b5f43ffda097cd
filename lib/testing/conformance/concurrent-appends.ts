import type { StoredEvent } from '../../event-store/stored-event.ts'
import { assert, assertEqual, range } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'

function count(values: readonly string[], value: string): number {
  return values.filter((each) => each === value).length
}

export const concurrentAppends: CaseGroup = {
  name: 'concurrent appends',
  cases: [
    {
      name: 'commits all of them, at positions without gaps',
      run: async (tested) => {
        const appends = range(1, 100).map((number) => tested.write(`account-${number}`, (number % 3) + 1))
        const events = (await Promise.all(appends)).reduce((sum, result) => sum + result.streamVersion, 0)
        await tested.assertEventCount(events)
      },
    },
    {
      name: 'lets one of many at the same expected version win, and tells the others of the conflict',
      run: async (tested) => {
        await tested.write('account-1', 3)
        const answers = await Promise.all(range(1, 20).map(() => tested.append('account-1', 1, { expectedVersion: 3 })))
        const statuses = answers.map((answer) => answer.status)
        assertEqual(count(statuses, 'appended'), 1, 'the number of appends')
        assertEqual(count(statuses, 'version_conflict'), 19, 'the number of conflicts')
        await tested.assertEventCount(4)
      },
    },
    {
      name: 'lets one of many that make the same stream win',
      run: async (tested) => {
        const answers = await Promise.all(
          range(1, 20).map(() => tested.append('account-1', 2, { expectedVersion: 'none' })),
        )
        assertEqual(
          count(
            answers.map((answer) => answer.status),
            'appended',
          ),
          1,
          'the number of appends',
        )
        await tested.assertEventCount(2)
      },
    },
    {
      name: 'numbers one stream without gaps when all expect any version',
      run: async (tested) => {
        const results = await Promise.all(range(1, 50).map(() => tested.write('account-1', 2)))
        const versions = results.map((result) => result.streamVersion).sort((one, other) => one - other)
        assertEqual(
          versions,
          range(1, 50).map((number) => number * 2),
          'the versions that were answered',
        )
        const stored = (await tested.readStream('account-1')).map((event) => event.streamVersion)
        assertEqual(stored, range(1, 100), 'the versions')
      },
    },
    {
      name: 'keeps the events of one append next to each other',
      run: async (tested) => {
        const results = await Promise.all(range(1, 30).map((number) => tested.write(`account-${number % 4}`, 3)))
        const all = await tested.readAll()
        for (const { firstPosition } of results) {
          const together = all.slice(firstPosition - 1, firstPosition + 2)
          assertEqual(
            new Set(together.map((event) => event.commandId)).size,
            1,
            `the commands from ${firstPosition} on`,
          )
        }
      },
    },
    {
      name: 'gives the versions of each stream in the order of positions',
      run: async (tested) => {
        await Promise.all(range(1, 60).map((number) => tested.write(`account-${number % 7}`)))
        const last = new Map<string, StoredEvent>()
        for (const event of await tested.readAll()) {
          const before = last.get(event.streamId)?.streamVersion ?? 0
          assertEqual(event.streamVersion, before + 1, `the version in ${event.streamId} at ${event.position}`)
          last.set(event.streamId, event)
        }
      },
    },
    {
      name: 'never fails one because of the conflict of another',
      run: async (tested) => {
        await tested.write('account-0')
        const answers = await Promise.all(
          range(1, 40).map((number) =>
            number % 2 === 0
              ? tested.append('account-0', 1, { expectedVersion: 'none' })
              : tested.append(`account-${number}`),
          ),
        )
        const statuses = answers.map((answer) => answer.status)
        assertEqual(count(statuses, 'appended'), 20, 'the number of appends')
        assertEqual(count(statuses, 'version_conflict'), 20, 'the number of conflicts')
        await tested.assertEventCount(21)
      },
    },
    {
      name: 'never fails one because of the bad arguments of another',
      run: async (tested) => {
        const outcomes = await Promise.allSettled([
          tested.append('account-1'),
          tested.append(''),
          tested.append('account-2', []),
          tested.append('account-3'),
        ])
        const outcome = outcomes.map(({ status }) => status)
        assertEqual(outcome, ['fulfilled', 'rejected', 'rejected', 'fulfilled'], 'the outcomes')
        await tested.assertEventCount(2)
      },
    },
    {
      name: 'appends a command that is sent many times at once only once',
      run: async (tested) => {
        const events = tested.events(2)
        const answers = await Promise.all(range(1, 10).map(() => tested.append('account-1', events)))
        const statuses = answers.map((answer) => answer.status)
        assertEqual([count(statuses, 'appended'), count(statuses, 'repeated')], [1, 9], 'appended and repeated')
        await tested.assertEventCount(2)
      },
    },
    {
      name: 'gives a new stream to one of two categories',
      run: async (tested) => {
        const answers = await Promise.all(
          ['BankAccount', 'Transfer'].map((category) => tested.append('account-1', 1, { category })),
        )
        const statuses = answers.map((answer) => answer.status).sort()
        assertEqual(statuses, ['appended', 'category_mismatch'], 'the answers')
      },
    },
    {
      name: 'shows every event once and in order to one who reads along',
      run: async (tested) => {
        let writing = true
        const writers = range(1, 8).map(async (writer) => {
          for (const turn of range(1, 15)) await tested.write(`account-${writer}`, (turn % 2) + 1)
        })
        const written = Promise.all(writers).finally(() => (writing = false))
        const positions: number[] = []
        for (let lastPosition = 0, more = true; more;) {
          more = writing
          const slice = await tested.store.readAll({ fromPosition: lastPosition + 1, maxCount: 7 })
          positions.push(...slice.events.map((event) => event.position))
          more ||= slice.lastPosition < slice.headPosition
          lastPosition = slice.lastPosition
          // One turn of the event loop, so that the writers go on in a store that answers at once.
          await new Promise<void>((resolve) => setTimeout(resolve, 0))
        }
        await written
        assert(positions.length > 0, 'nothing was read')
        assertEqual(positions, range(1, await tested.store.headPosition()), 'the positions that were read')
      },
    },
  ],
}
