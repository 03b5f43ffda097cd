import type { ExpectedVersion } from '../../event-store/event-store.ts'
import { assertEqual } from './assertions.ts'
import type { CaseDefinition, CaseGroup } from './conformance-case.ts'

const expectations: readonly ExpectedVersion[] = ['any', 'none', 'exists', 0, 1, 2, 3, 4]

function holds(expected: ExpectedVersion, version: number): boolean {
  if (expected === 'any') return true
  if (expected === 'exists') return version > 0
  return (expected === 'none' ? 0 : expected) === version
}

function expectationCase(expectedVersion: ExpectedVersion, version: number): CaseDefinition {
  const appends = holds(expectedVersion, version)
  const stream = version === 0 ? 'a stream that is not there' : `a stream at version ${version}`
  return {
    name: `${appends ? 'appends to' : 'refuses an append to'} ${stream} that expects ${expectedVersion}`,
    run: async (tested) => {
      await tested.write('account-0', 2)
      if (version > 0) await tested.write('account-1', version)
      const result = await tested.append('account-1', 2, { expectedVersion })
      const appended = { status: 'appended', streamVersion: version + 2, firstPosition: version + 3 }
      assertEqual(result, appends ? appended : { status: 'version_conflict', actual: version }, 'the answer')
      await tested.assertEventCount(version + (appends ? 4 : 2))
      assertEqual(
        (await tested.readStream('account-1')).length,
        version + (appends ? 2 : 0),
        'the events in the stream',
      )
    },
  }
}

export const expectedVersions: CaseGroup = {
  name: 'expected versions',
  cases: [
    ...expectations.map((expected) => expectationCase(expected, 0)),
    ...expectations.map((expected) => expectationCase(expected, 1)),
    ...expectations.map((expected) => expectationCase(expected, 3)),
    {
      name: 'appends again at the version that a conflict told of',
      run: async (tested) => {
        await tested.write('account-1', 2)
        const events = tested.events(1)
        const conflict = await tested.append('account-1', events, { expectedVersion: 1 })
        assertEqual(conflict, { status: 'version_conflict', actual: 2 }, 'the first answer')
        const { streamVersion } = await tested.write('account-1', events, { expectedVersion: 2 })
        assertEqual(streamVersion, 3, 'the version after the second try')
      },
    },
  ],
}
