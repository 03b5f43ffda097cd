import type { NewEvent, StoredEvent } from '../../event-store/stored-event.ts'
import { assertEqual } from './assertions.ts'
import type { CaseDefinition, CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const idsOf = (events: readonly NewEvent[]) => events.map((event) => event.eventId)

/** A repeat of two events, with a difference in it. */
function differenceCase(
  difference: string,
  change: (events: readonly NewEvent[], tested: StoreUnderTest) => readonly NewEvent[],
): CaseDefinition {
  return {
    name: `is refused with ${difference}`,
    run: async (tested) => {
      const events = tested.events(2)
      await tested.write('account-1', events)
      const answer = await tested.append('account-1', change(events, tested))
      assertEqual(answer, { status: 'duplicate_command' }, 'the answer')
      await tested.assertEventCount(2)
    },
  }
}

const withEach = (change: Partial<NewEvent>) => (events: readonly NewEvent[]) =>
  events.map((event) => ({ ...event, ...change }))

async function assertRepeated(tested: StoreUnderTest, events: readonly NewEvent[], first: readonly StoredEvent[]) {
  const answer = await tested.append('account-1', events, { expectedVersion: 'none' })
  assertEqual(answer, { status: 'repeated', events: first }, 'the answer')
}

export const repeatedCommands: CaseGroup = {
  name: 'a repeated command id',
  cases: [
    {
      name: 'is answered with the events of the first time, and writes nothing',
      run: async (tested) => {
        const events = tested.events(3)
        await tested.write('account-1', events)
        await assertRepeated(tested, events, await tested.readStream('account-1'))
        await tested.assertEventCount(3)
      },
    },
    {
      name: 'is known after other commands have followed',
      run: async (tested) => {
        await tested.write('account-1', 2)
        const events = tested.events(2)
        await tested.write('account-1', events)
        const first = (await tested.readStream('account-1')).slice(2)
        await tested.write('account-1', 3)
        await tested.write('account-2', 1)
        await assertRepeated(tested, events, first)
        await tested.assertEventCount(8)
      },
    },
    {
      name: 'is known every time, of early and of late commands',
      run: async (tested) => {
        const commands = Array.from({ length: 10 }, () => tested.events(2))
        for (const events of commands) await tested.write('account-1', events)
        const stored = await tested.readStream('account-1')
        for (const [index, events] of commands.entries()) {
          await assertRepeated(tested, events, stored.slice(index * 2, index * 2 + 2))
          const late = tested.events(1)
          await tested.write('account-1', late)
          assertEqual((await tested.append('account-1', late)).status, 'repeated', 'a late command')
        }
      },
    },
    {
      name: 'is looked for before the expected version',
      run: async (tested) => {
        const events = tested.events(1)
        await tested.write('account-1', events, { expectedVersion: 0 })
        await tested.write('account-1')
        const answer = await tested.append('account-1', events, { expectedVersion: 0 })
        assertEqual(answer.status, 'repeated', 'the answer')
      },
    },
    {
      name: 'is looked for after the category',
      run: async (tested) => {
        const events = tested.events(1)
        await tested.write('account-1', events)
        const answer = await tested.append('account-1', events, { category: 'Transfer' })
        assertEqual(answer, { status: 'category_mismatch', actual: 'BankAccount' }, 'the answer')
      },
    },
    {
      name: 'is new in another stream',
      run: async (tested) => {
        const commandId = tested.id()
        await tested.write('account-1', tested.events(2, { commandId }))
        const answer = await tested.append('account-2', tested.events(1, { commandId }))
        assertEqual(answer.status, 'appended', 'the answer')
        await tested.assertEventCount(3)
      },
    },
    {
      name: 'is recognised by equal data in another object',
      run: async (tested) => {
        const value = () => tested.data({ owner: { name: 'Zoë', tags: ['a', null, true] }, amount: 1.5 })
        const event = tested.event(value())
        await tested.write('account-1', [event])
        const answer = await tested.append('account-1', [{ ...event, ...value() }])
        assertEqual(answer.status, 'repeated', 'the answer')
      },
    },
    {
      name: 'is recognised whatever metadata, correlation and time come with it',
      run: async (tested) => {
        const events = tested.events(2)
        await tested.write('account-1', events)
        const first = await tested.readStream('account-1')
        const change = { metadata: { user: 'zoe' }, correlationId: tested.id(), causationId: tested.id(), createdAt: 1 }
        await assertRepeated(tested, withEach(change)(events), first)
      },
    },
    differenceCase('other data', (events, tested) => withEach(tested.data({ amount: 99 }))(events)),
    differenceCase('another type', withEach({ type: 'MoneyWithdrawn' })),
    differenceCase('another schema version', withEach({ schemaVersion: 2 })),
    differenceCase('fewer events', (events) => events.slice(0, 1)),
    differenceCase('more events', (events, tested) => [
      ...events,
      tested.event({ commandId: events[0]?.commandId ?? '' }),
    ]),
    differenceCase('its events in another order', (events) => events.toReversed()),
    {
      name: 'is free again after a version conflict',
      run: async (tested) => {
        const events = tested.events(2)
        await tested.append('account-1', events, { expectedVersion: 4 })
        assertEqual((await tested.append('account-1', events)).status, 'appended', 'the answer')
      },
    },
    {
      name: 'is not looked for where the caller vouches that it is new, and is found later',
      run: async (tested) => {
        const before = tested.events(1)
        const vouched = tested.events(2)
        await tested.write('account-1', before)
        await tested.write('account-1', vouched, { deduplicate: false, expectedVersion: 1 })
        const stored = await tested.readStream('account-1')
        await assertRepeated(tested, vouched, stored.slice(1))
        await tested.write('account-1', 1, { deduplicate: false, expectedVersion: 3 })
        await assertRepeated(tested, before, stored.slice(0, 1))
        await tested.assertEventCount(4)
      },
    },
    {
      name: 'is found of each of several commands whose events one append has stored',
      run: async (tested) => {
        const [one, other] = [tested.events(2), tested.events(3)]
        const vouched = { deduplicate: false, expectedVersion: 1 }
        await tested.write('account-1', 1)
        assertEqual(
          await tested.append('account-1', [...one, ...other], vouched),
          { status: 'appended', streamVersion: 6, firstPosition: 2 },
          'the answer',
        )
        const stored = await tested.readStream('account-1')
        assertEqual(idsOf(stored.slice(1)), idsOf([...one, ...other]), 'the event ids')
        assertEqual(
          stored.slice(1).map(({ commandId, causationId }) => [commandId, causationId]),
          [...one, ...other].map(({ commandId, causationId }) => [commandId, causationId]),
          'the command ids',
        )
        await assertRepeated(tested, one, stored.slice(1, 3))
        await assertRepeated(tested, other, stored.slice(3))
        assertEqual(
          await tested.append('account-1', tested.events(1, one[0]), {}),
          { status: 'duplicate_command' },
          'a part',
        )
        await tested.assertEventCount(6)
      },
    },
    {
      name: 'leads readCommand to the events that the command made in the stream, in order',
      run: async (tested) => {
        const commandId = tested.id()
        const events = tested.events(3, { commandId })
        await tested.write('account-1', 2)
        await tested.write('account-1', events)
        await tested.write('account-1', 2)
        await tested.write('account-2', tested.events(1, { commandId }))
        const found = await tested.store.readCommand('account-1', commandId)
        assertEqual(found, (await tested.readStream('account-1')).slice(2, 5), 'the events')
        assertEqual(idsOf(found), idsOf(events), 'the event ids')
      },
    },
    {
      name: 'leads readCommand to nothing where the command or the stream is not there',
      run: async (tested) => {
        const events = tested.events(1)
        await tested.write('account-1', events)
        assertEqual(await tested.store.readCommand('account-1', tested.id()), [], 'another command')
        assertEqual(await tested.store.readCommand('account-2', events[0]?.commandId ?? ''), [], 'another stream')
      },
    },
  ],
}
