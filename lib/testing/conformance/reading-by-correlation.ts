import type { ReadAllOptions } from '../../event-store/event-store.ts'
import { readAllEvents } from '../../event-store/read.ts'
import { assert, assertEqual, range } from './assertions.ts'
import type { CaseDefinition, CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const correlationId = 'request-1'
const backward = { direction: 'backward' } as const
const HEAD = 24

/**
 * Twenty-four events: of each three the first is of request-1, the others of request-2 and of none. Types alternate, and the
 * category changes after the twelfth.
 */
async function writeConversations(tested: StoreUnderTest): Promise<void> {
  for (const position of range(1, HEAD)) {
    const type = position % 2 === 1 ? 'Opened' : 'Closed'
    const id = [tested.id(), 'request-1', 'request-2'][position % 3] ?? ''
    const category = position <= 12 ? 'Account' : 'Transfer'
    await tested.write(`${category}-${position % 5}`, [tested.event({ type, correlationId: id })], { category })
  }
}

const own = range(0, 7).map((number) => number * 3 + 1)

function correlationCase(
  name: string,
  options: ReadAllOptions,
  positions: readonly number[],
  last: number,
): CaseDefinition {
  return {
    name,
    run: async (tested) => {
      await writeConversations(tested)
      const { events, lastPosition, headPosition } = await tested.store.readAll({ correlationId, ...options })
      assertEqual(
        events.map((event) => event.position),
        positions,
        'the positions',
      )
      assertEqual([lastPosition, headPosition], [last, HEAD], 'the last and the head position')
    },
  }
}

export const readingByCorrelation: CaseGroup = {
  name: 'reading by correlation',
  cases: [
    correlationCase('gives the events of a conversation, of whatever stream, in order', {}, own, HEAD),
    correlationCase('goes backward', backward, own.toReversed(), 1),
    correlationCase('begins with the position asked for', { fromPosition: 8 }, own.slice(3), HEAD),
    correlationCase('goes backward from the position asked for', { ...backward, fromPosition: 9 }, [7, 4, 1], 1),
    correlationCase('counts only what passed', { maxCount: 3 }, [1, 4, 7], 7),
    correlationCase('counts only what passed, backward', { ...backward, maxCount: 2 }, [22, 19], 19),
    correlationCase(
      'and type passes only what both let through',
      { types: new Set(['Closed']) },
      [4, 10, 16, 22],
      HEAD,
    ),
    correlationCase('and category passes only what both let through', { category: 'Transfer' }, [13, 16, 19, 22], HEAD),
    correlationCase(
      'with type and category passes only what all three let through',
      { category: 'Account', types: new Set(['Opened']), maxCount: 9 },
      [1, 7],
      HEAD,
    ),
    correlationCase('passes nothing of a conversation that nobody knows', { correlationId: 'request-9' }, [], HEAD),
    {
      name: 'misses and repeats nothing when it goes on from lastPosition',
      run: async (tested) => {
        await writeConversations(tested)
        for (const maxCount of range(1, 5)) {
          const positions: number[] = []
          for (let lastPosition = 0; lastPosition < HEAD;) {
            const slice = await tested.store.readAll({ fromPosition: lastPosition + 1, maxCount, correlationId })
            assert(slice.lastPosition > lastPosition, `no progress from position ${lastPosition + 1}`)
            positions.push(...slice.events.map((event) => event.position))
            lastPosition = slice.lastPosition
          }
          assertEqual(positions, own, `the positions, ${maxCount} at a time`)
        }
      },
    },
    {
      name: 'goes through a conversation in batches, in either direction',
      run: async (tested) => {
        await writeConversations(tested)
        const found: number[] = []
        const reads = [{ batchSize: 3 }, { batchSize: 2, ...backward }]
        for (const read of reads) {
          for await (const event of readAllEvents(tested.store, { correlationId, ...read })) found.push(event.position)
        }
        assertEqual(found, [...own, ...own.toReversed()], 'the positions')
      },
    },
    {
      name: 'finds events whose correlation id is their command’s own',
      run: async (tested) => {
        const commandId = tested.id()
        await tested.write('account-1')
        await tested.write('account-1', tested.events(2, { commandId, correlationId: commandId }))
        await tested.write('account-2', tested.events(1, { correlationId: commandId }))
        await tested.write('account-2', tested.events(1, { causationId: commandId }))
        const { events } = await tested.store.readAll({ correlationId: commandId })
        assertEqual(
          events.map((event) => event.position),
          [2, 3, 4],
          'the positions',
        )
      },
    },
    {
      name: 'takes ids to the letter',
      run: async (tested) => {
        const ids = ['a', 'A', 'a ', 'a%', 'a_', "it's; --", '漢字 🏦', '__proto__', 'x'.repeat(255)]
        for (const id of ids) await tested.write('account-1', tested.events(1, { correlationId: id }))
        for (const [index, id] of ids.entries()) {
          const { events } = await tested.store.readAll({ correlationId: id })
          assertEqual(
            events.map((event) => event.position),
            [index + 1],
            `the positions of ${id.slice(0, 20)}`,
          )
        }
      },
    },
    {
      name: 'reaches a conversation behind 12,000 other events',
      run: async (tested) => {
        await tested.write('account-0', tested.events(1, { correlationId }))
        for (const number of range(1, 12)) await tested.write(`account-${number}`, 1_000)
        await tested.write('account-0', tested.events(1, { correlationId }))
        const found: number[] = []
        for await (const event of readAllEvents(tested.store, { correlationId })) found.push(event.position)
        assertEqual(found, [1, 12_002], 'the positions')
      },
    },
  ],
}
