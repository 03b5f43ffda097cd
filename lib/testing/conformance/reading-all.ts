import type { AllSlice, ReadAllOptions } from '../../event-store/event-store.ts'
import { readAllEvents } from '../../event-store/read.ts'
import { assert, assertEqual, range } from './assertions.ts'
import type { CaseDefinition, CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const backward = { direction: 'backward' } as const
const types = new Set(['Opened'])
const HEAD = 12

/** Twelve events: types Opened (odd positions) and Closed (even), categories Account (up to 6) and Transfer (from 7). */
async function writeTwelve(tested: StoreUnderTest): Promise<void> {
  for (const position of range(1, HEAD)) {
    const event = tested.event({ type: position % 2 === 1 ? 'Opened' : 'Closed' })
    const category = position <= 6 ? 'Account' : 'Transfer'
    await tested.write(`${category}-${position % 3}`, [event], { category })
  }
}

const summary = ({ events, lastPosition, headPosition }: AllSlice) => ({
  positions: events.map((event) => event.position),
  lastPosition,
  headPosition,
})

function readingCase(
  name: string,
  options: ReadAllOptions,
  positions: readonly number[],
  lastPosition: number,
): CaseDefinition {
  return {
    name,
    run: async (tested) => {
      await writeTwelve(tested)
      const slice = summary(await tested.store.readAll(options))
      assertEqual(slice, { positions, lastPosition, headPosition: HEAD }, 'the slice')
    },
  }
}

export const readingAll: CaseGroup = {
  name: 'reading all events',
  cases: [
    {
      name: 'gives nothing of an empty store',
      run: async (tested) => {
        const forward = { positions: [], lastPosition: 0, headPosition: 0 }
        assertEqual(summary(await tested.store.readAll()), forward, 'forward')
        assertEqual(summary(await tested.store.readAll(backward)), { ...forward, lastPosition: 1 }, 'backward')
        assertEqual(await tested.store.headPosition(), 0, 'the head position')
      },
    },
    readingCase('gives all events in the order of positions', {}, range(1, 12), 12),
    readingCase('begins with the position asked for', { fromPosition: 11 }, [11, 12], 12),
    readingCase('gives no more than asked for', { maxCount: 2 }, [1, 2], 2),
    readingCase('gives no more than asked for from a position on', { fromPosition: 5, maxCount: 3 }, [5, 6, 7], 7),
    readingCase('gives nothing just past the head', { fromPosition: 13 }, [], 12),
    readingCase('gives nothing far past the head, and looks at nothing', { fromPosition: 90 }, [], 89),
    readingCase('goes backward from the head', backward, range(1, 12).reverse(), 1),
    readingCase('goes backward from the position asked for', { ...backward, fromPosition: 3 }, [3, 2, 1], 1),
    readingCase('goes backward no further than asked for', { ...backward, maxCount: 2 }, [12, 11], 11),
    readingCase(
      'goes backward from the head where asked for more',
      { ...backward, fromPosition: 90, maxCount: 1 },
      [12],
      12,
    ),
    readingCase('passes only events of the types asked for', { types }, [1, 3, 5, 7, 9, 11], 12),
    readingCase(
      'passes only events of several types',
      { types: new Set(['Opened', 'Closed', 'Other']) },
      range(1, 12),
      12,
    ),
    readingCase('passes only events of the category asked for', { category: 'Transfer' }, range(7, 12), 12),
    readingCase('passes only what types and category both let through', { types, category: 'Account' }, [1, 3, 5], 12),
    readingCase('counts only the events that passed', { types, maxCount: 3 }, [1, 3, 5], 5),
    readingCase('counts only the events that passed, backward', { ...backward, types, maxCount: 2 }, [11, 9], 9),
    readingCase(
      'passes the filter backward from a position',
      { ...backward, category: 'Account', fromPosition: 8 },
      range(1, 6).reverse(),
      1,
    ),
    readingCase('tells that it looked at all where no type passes', { types: new Set(['Other']) }, [], 12),
    readingCase('tells that it looked at all where no category passes', { category: 'Other' }, [], 12),
    readingCase('passes nothing through an empty set of types', { types: new Set() }, [], 12),
    {
      name: 'misses and repeats nothing when it goes on from lastPosition',
      run: async (tested) => {
        await writeTwelve(tested)
        for (const maxCount of range(1, 7)) {
          const positions: number[] = []
          for (let lastPosition = 0; lastPosition < HEAD;) {
            const slice = await tested.store.readAll({ fromPosition: lastPosition + 1, maxCount, types })
            assert(slice.lastPosition > lastPosition, `no progress from position ${lastPosition + 1}`)
            positions.push(...slice.events.map((event) => event.position))
            lastPosition = slice.lastPosition
          }
          assertEqual(positions, [1, 3, 5, 7, 9, 11], `the positions, ${maxCount} at a time`)
        }
      },
    },
    {
      name: 'gives 1,000 events where no count is asked for',
      run: async (tested) => {
        await tested.write('account-1', 1_001)
        const { events, lastPosition, headPosition } = await tested.store.readAll()
        assertEqual([events.length, lastPosition, headPosition], [1_000, 1_000, 1_001], 'events, last and head')
      },
    },
    {
      name: 'reaches a rare event behind 12,000 others, in either direction',
      run: async (tested) => {
        const rare = new Set(['Rare'])
        await tested.write('account-0', [tested.event({ type: 'Rare' })])
        for (const number of range(1, 12)) await tested.write(`account-${number}`, 1_000)
        await tested.write('account-0', [tested.event({ type: 'Rare' })])
        const found: number[] = []
        for await (const event of readAllEvents(tested.store, { types: rare })) found.push(event.position)
        for await (const event of readAllEvents(tested.store, { types: rare, ...backward })) found.push(event.position)
        assertEqual(found, [1, 12_002, 12_002, 1], 'the positions')
      },
    },
    {
      name: 'goes through all events in batches, up to the head of the moment when it began',
      run: async (tested) => {
        await tested.write('account-1', 100)
        const positions: number[] = []
        for await (const event of readAllEvents(tested.store, { batchSize: 9 })) {
          if (event.position === 50) await tested.write('account-2', 30)
          positions.push(event.position)
        }
        assertEqual(positions, range(1, 100), 'the positions')
      },
    },
  ],
}
