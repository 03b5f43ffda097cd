import { MAX_NAME_LENGTH, MAX_STREAM_ID_LENGTH } from '../../event-store/limits.ts'
import type { NewEvent } from '../../event-store/stored-event.ts'
import { assert, assertEqual, assertFails } from './assertions.ts'
import { badCommandCases } from './bad-commands.ts'
import { unlessEncoded, type CaseDefinition, type CaseGroup } from './conformance-case.ts'
import { sampleSnapshot } from './snapshots.ts'
import type { StoreUnderTest } from './store-under-test.ts'

/** Each call is refused with a sentence that names what is wrong, and nothing is stored. */
function refusalCase(
  name: string,
  named: string,
  calls: (tested: StoreUnderTest) => readonly (() => unknown)[],
  skip?: CaseDefinition['skip'],
): CaseDefinition {
  return {
    name,
    ...(skip && { skip }),
    run: async (tested) => {
      await tested.write('account-0')
      for (const [index, call] of calls(tested).entries()) {
        const error = await assertFails(call, 'invalid_option', `call ${index + 1}`)
        assert(error.message.includes(named), `the message does not name ${named}: ${error.message}`)
      }
      await tested.assertEventCount(1)
    },
  }
}

/** What a caller without a compiler may pass. */
const wrong = (value: unknown) => value as never

const badTexts: readonly unknown[] = ['', undefined, null, 5, {}, ['account-1']]
const badCounts: readonly unknown[] = [0, -1, 1.5, Number.NaN, Infinity, '1', null, 2 ** 53]

const badStreamIds = [...badTexts, 'a\0b', 'a\ud800', 'x'.repeat(MAX_STREAM_ID_LENGTH + 1)]
const badNames = [...badTexts, 'a\0b', '\udc00a', 'x'.repeat(MAX_NAME_LENGTH + 1)]

const eventWith = (tested: StoreUnderTest, field: string, value: unknown) => () =>
  tested.append('account-1', [wrong({ ...tested.event(), [field]: value })])

const streamWith = (tested: StoreUnderTest, field: string, value: unknown) => () =>
  tested.store.append([wrong({ ...tested.stream('account-1'), [field]: value })])

function fieldCase(field: keyof NewEvent, values: readonly unknown[], skip?: CaseDefinition['skip']): CaseDefinition {
  const calls = (tested: StoreUnderTest) => values.map((value) => eventWith(tested, field, value))
  const suffix = skip ? ' of encoded data' : ''
  return refusalCase(`refuses an event with a bad ${field}${suffix}`, field, calls, skip)
}

export const badArguments: CaseGroup = {
  name: 'bad arguments',
  cases: [
    refusalCase('refuses an append without streams', 'stream', ({ store }) => [
      () => store.append([]),
      () => store.append(wrong(undefined)),
      () => store.append(wrong({ length: 1 })),
      () => store.append([wrong(undefined)]),
    ]),
    refusalCase('refuses an append without events', 'event', (tested) => [
      () => tested.append('account-1', []),
      streamWith(tested, 'events', undefined),
      () => tested.append('account-1', [wrong(undefined)]),
      () => tested.store.append([tested.stream('account-2'), tested.stream('account-1', [])]),
    ]),
    refusalCase('refuses a bad stream id', 'streamId', (tested) =>
      badStreamIds.map((streamId) => streamWith(tested, 'streamId', streamId)),
    ),
    refusalCase('refuses a bad category', 'category', (tested) =>
      badNames.map((category) => streamWith(tested, 'category', category)),
    ),
    refusalCase('refuses a bad expected version', 'expectedVersion', (tested) =>
      [-1, 1.5, Number.NaN, Infinity, '1', 'some', undefined, null, {}].map((expected) =>
        streamWith(tested, 'expectedVersion', expected),
      ),
    ),
    refusalCase('refuses a bad choice of deduplicate', 'deduplicate', (tested) => [
      streamWith(tested, 'deduplicate', 'no'),
      streamWith(tested, 'deduplicate', 0),
    ]),
    refusalCase('refuses one stream twice in a call', 'account-1', (tested) => [
      () => tested.store.append([tested.stream('account-1'), tested.stream('account-1')]),
      () =>
        tested.store.append(
          [...Array.from({ length: 20 }, (_, index) => `account-${index + 1}`), 'account-1'].map((id) =>
            tested.stream(id),
          ),
        ),
    ]),
    refusalCase('refuses one event id twice in a call', 'event id', (tested) => {
      const eventId = tested.id()
      const event = () => tested.event({ eventId })
      return [
        () => tested.append('account-1', tested.events(2, { eventId })),
        () =>
          tested.append('account-1', [
            ...tested.events(20, { commandId: 'c' }),
            ...tested.events(2, { eventId, commandId: 'c' }),
          ]),
        () => tested.store.append([tested.stream('account-1', [event()]), tested.stream('account-2', [event()])]),
      ]
    }),
    refusalCase('refuses events of several commands in one append', 'commandId', (tested) => [
      () => tested.append('account-1', [tested.event(), tested.event()]),
    ]),
    refusalCase('refuses a command whose events do not stand together', 'stand together', (tested) => [
      () => {
        const [first, last] = tested.events(2)
        return tested.append(
          'account-1',
          [first, tested.event(), last].flatMap((event) => event ?? []),
          { deduplicate: false },
        )
      },
    ]),
    fieldCase('eventId', badTexts),
    fieldCase('commandId', [...badTexts, 'x'.repeat(MAX_NAME_LENGTH + 1)]),
    fieldCase('causationId', badTexts),
    fieldCase('correlationId', badTexts),
    fieldCase('eventId', ['a\0b', '\ud800'], unlessEncoded),
    fieldCase('type', badNames),
    fieldCase('contentType', badNames),
    fieldCase('tenant', ['', null, 5, 'a\0b']),
    fieldCase('schemaVersion', badCounts),
    fieldCase('createdAt', [undefined, null, '2024-02-29', Number.NaN, 1.5, Infinity]),
    fieldCase('metadata', [undefined, null, 'user', 5]),
    fieldCase('data', [undefined, null, 5, { amount: 5 }, [1]], unlessEncoded),
    refusalCase('refuses unknown and bad options of an append', 'ato', (tested) => [
      () => tested.store.append([tested.stream('account-1')], wrong({ atomic: 'yes' })),
      () => tested.store.append([tested.stream('account-1')], wrong({ atomicaly: true })),
    ]),
    refusalCase('refuses to read a stream with a bad id', 'streamId', ({ store }) =>
      badStreamIds.map((streamId) => () => store.readStream(wrong(streamId))),
    ),
    refusalCase('refuses a bad first version', 'fromVersion', ({ store }) =>
      badCounts.map((fromVersion) => () => store.readStream('account-0', { fromVersion: wrong(fromVersion) })),
    ),
    refusalCase('refuses a bad first position', 'fromPosition', ({ store }) =>
      badCounts.map((fromPosition) => () => store.readAll({ fromPosition: wrong(fromPosition) })),
    ),
    refusalCase('refuses a bad count', 'maxCount', ({ store }) =>
      badCounts.flatMap((maxCount) => [
        () => store.readStream('account-0', { maxCount: wrong(maxCount) }),
        () => store.readAll({ maxCount: wrong(maxCount) }),
      ]),
    ),
    refusalCase('refuses a bad direction', 'direction', ({ store }) => [
      () => store.readStream('account-0', { direction: wrong('up') }),
      () => store.readAll({ direction: wrong(null) }),
    ]),
    refusalCase('refuses bad types', 'types', ({ store }) => [
      () => store.readAll({ types: wrong(['Opened']) }),
      () => store.readAll({ types: wrong('Opened') }),
    ]),
    refusalCase('refuses to filter by a bad category', 'category', ({ store }) =>
      ['', 5, null].map((category) => () => store.readAll({ category: wrong(category) })),
    ),
    refusalCase('refuses to filter by a bad correlation id', 'correlationId', ({ store }) =>
      ['', 5, null, 'a\0b', 'x'.repeat(MAX_NAME_LENGTH + 1)].map(
        (id) => () => store.readAll({ correlationId: wrong(id) }),
      ),
    ),
    refusalCase('refuses to filter by a bad tenant', 'tenant', ({ store }) =>
      ['', 5, null, 'a\0b', 'x'.repeat(MAX_NAME_LENGTH + 1)].map((id) => () => store.readAll({ tenant: wrong(id) })),
    ),
    refusalCase('refuses to look at or change a stream of a bad id', 'streamId', ({ store }) =>
      badStreamIds.flatMap((streamId) => [
        () => store.readStreamInfo(wrong(streamId)),
        () => store.writeStreamMetadata(wrong(streamId), {}),
        () => store.archiveStream(wrong(streamId)),
        () => store.restoreStream(wrong(streamId)),
        () => store.deleteStream(wrong(streamId)),
      ]),
    ),
    refusalCase('refuses to change a stream at a bad version', 'expectedVersion', ({ store }) =>
      [-1, 0.5, '1', 'any', null].flatMap((value) => {
        const options = { expectedVersion: wrong(value) }
        return [
          () => store.writeStreamMetadata('account-0', {}, options),
          () => store.archiveStream('account-0', options),
          () => store.restoreStream('account-0', options),
          () => store.deleteStream('account-0', options),
        ]
      }),
    ),
    refusalCase('refuses unknown options of a change to a stream', 'option', ({ store }) => [
      () => store.deleteStream('account-0', wrong({ version: 1 })),
      () => store.archiveStream('account-0', wrong(5)),
      () => store.restoreStream('account-0', wrong(null)),
      () => store.writeStreamMetadata('account-0', {}, wrong({ atomic: true })),
    ]),
    refusalCase('refuses metadata of a stream that are no JSON values, or Edict’s own', 'metadata', ({ store }) =>
      [undefined, null, 'text', [1], new Map(), { at: new Date(0) }, { rate: Number.NaN }, { 'edict.own': 1 }].map(
        (metadata) => () => store.writeStreamMetadata('account-0', wrong(metadata)),
      ),
    ),
    refusalCase('refuses unknown options of reading', 'unknown option', ({ store }) => [
      () => store.readStream('account-0', wrong({ from: 1 })),
      () => store.readAll(wrong({ fromVersion: 1 })),
    ]),
    refusalCase('refuses options of reading that are no object', 'options', ({ store }) => [
      () => store.readStream('account-0', wrong(5)),
      () => store.readAll(wrong('all')),
      () => store.readAll(wrong(null)),
    ]),
    refusalCase('refuses to read a command with bad ids', 'Id', ({ store }) => [
      () => store.readCommand('', 'command-1'),
      () => store.readCommand('account-0', ''),
      () => store.readCommand('account-0', wrong(undefined)),
    ]),
    refusalCase('refuses a listener that is no function', 'listener', ({ store }) => [
      () => store.watch(wrong(undefined)),
      () => store.watch(wrong({})),
    ]),
    {
      name: 'refuses a bad snapshot',
      run: async (tested) => {
        const { store } = tested
        const bad: Record<string, unknown> = {
          streamId: '',
          category: 5,
          streamVersion: 0,
          snapshotVersion: -1,
          contentType: undefined,
          createdAt: 1.5,
          ...(tested.capabilities.values === 'encoded' && { data: {} }),
        }
        for (const [field, value] of Object.entries(bad)) {
          const snapshot = wrong({ ...sampleSnapshot(tested), [field]: value })
          const error = await assertFails(() => store.saveSnapshot(snapshot), 'invalid_option', field)
          assert(error.message.includes(field), `the message does not name ${field}: ${error.message}`)
        }
        await assertFails(() => store.saveSnapshot(wrong(undefined)), 'invalid_option', 'no snapshot')
        await assertFails(() => store.readSnapshot(''), 'invalid_option', 'readSnapshot')
        await assertFails(() => store.deleteSnapshot(wrong(5)), 'invalid_option', 'deleteSnapshot')
        for (const options of [
          null,
          { hold: 5 },
          { hold: { name: '', epoch: 1 } },
          { hold: { name: 'a', epoch: 0 } },
          { fence: 1 },
        ]) {
          const save = () => store.saveSnapshot(sampleSnapshot(tested), wrong(options))
          await assertFails(save, 'invalid_option', JSON.stringify(options))
          const remove = () => store.deleteSnapshot('account-1', wrong(options))
          await assertFails(remove, 'invalid_option', JSON.stringify(options))
        }
        assertEqual(await store.readSnapshot('account-1'), undefined, 'the snapshot')
      },
    },
    {
      name: 'refuses bad claims, places and epochs of a checkpoint',
      run: async ({ store }) => {
        const place = { name: 'balances', position: 1, index: 0, epoch: 1 }
        const calls: Record<string, () => unknown> = {
          'claimCheckpoint: name': () => store.claimCheckpoint('', { owner: 'one', startAfter: 0 }),
          'claimCheckpoint: the options': () => store.claimCheckpoint('balances', wrong(undefined)),
          'claimCheckpoint: owner': () => store.claimCheckpoint('balances', wrong({ startAfter: 0 })),
          'claimCheckpoint: startAfter': () => store.claimCheckpoint('balances', { owner: 'one', startAfter: -1 }),
          'claimCheckpoint: unknown option': () =>
            store.claimCheckpoint('balances', wrong({ owner: 'one', startAfter: 0, lasts: 5 })),
          'claimCheckpoint: lease': () =>
            store.claimCheckpoint('balances', { owner: 'one', startAfter: 0, lease: 0.5 }),
          'renewCheckpoints: a list': () => store.renewCheckpoints(wrong({ name: 'balances', epoch: 1 })),
          'renewCheckpoints: a claim': () => store.renewCheckpoints([wrong(undefined)]),
          'renewCheckpoints: name': () => store.renewCheckpoints([{ name: '', epoch: 1 }]),
          'renewCheckpoints: epoch': () => store.renewCheckpoints([{ name: 'balances', epoch: 0 }]),
          'listCheckpoints: prefix': () => store.listCheckpoints(wrong(5)),
          'saveCheckpoint: name': () => store.saveCheckpoint({ ...place, name: 'a\0b' }),
          'saveCheckpoint: position': () => store.saveCheckpoint({ ...place, position: -1 }),
          'saveCheckpoint: index': () => store.saveCheckpoint({ ...place, index: 0.5 }),
          'saveCheckpoint: epoch': () => store.saveCheckpoint({ ...place, epoch: 0 }),
          'releaseCheckpoint: epoch': () => store.releaseCheckpoint('balances', wrong(undefined)),
          'readCheckpoint: name': () => store.readCheckpoint(wrong(undefined)),
          'deleteCheckpoint: name': () => store.deleteCheckpoint(''),
        }
        for (const [start, call] of Object.entries(calls)) {
          const error = await assertFails(call, 'invalid_option', start)
          assert(error.message.startsWith(start), `the message does not begin with "${start}": ${error.message}`)
        }
        assertEqual(await store.readCheckpoint('balances'), undefined, 'the checkpoint')
      },
    },
    ...badCommandCases,
  ],
}
