import type { ReadAllOptions } from '../../event-store/event-store.ts'
import { readAllEvents, readStreamEvents } from '../../event-store/read.ts'
import type { StoredEvent } from '../../event-store/stored-event.ts'
import { assert, assertEqual, range } from './assertions.ts'
import type { CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const STREAMS = 50
const ROUNDS = 25
const EVENTS_A_ROUND = 4
const EVENTS = STREAMS * ROUNDS * EVENTS_A_ROUND

/** Five thousand events: fifty streams of two categories that grow side by side, of five types and ten conversations. */
async function writeThousands(tested: StoreUnderTest): Promise<void> {
  let number = 0
  for (const _ of range(1, ROUNDS)) {
    const streams = range(1, STREAMS).map((stream) => {
      const events = tested.events(EVENTS_A_ROUND).map((event) => {
        number++
        return { ...event, type: `Type${number % 5}`, correlationId: `request-${number % 10}` }
      })
      return tested.stream(`account-${stream}`, events, { category: stream % 2 === 0 ? 'Even' : 'Odd' })
    })
    await tested.store.append(streams)
  }
}

/** All positions that pass, in pages of a size. */
async function pages(tested: StoreUnderTest, options: ReadAllOptions, maxCount: number): Promise<number[]> {
  const forward = options.direction !== 'backward'
  const positions: number[] = []
  for (let from = forward ? 1 : EVENTS; forward ? from <= EVENTS : from >= 1;) {
    const slice = await tested.store.readAll({ ...options, fromPosition: from, maxCount })
    assert(slice.events.length <= maxCount, `${slice.events.length} events on a page of ${maxCount}`)
    for (const event of slice.events) positions.push(event.position)
    const next = slice.lastPosition + (forward ? 1 : -1)
    assert(forward ? next > from : next < from, `no progress from position ${from}`)
    from = next
  }
  return positions
}

function assertRising(numbers: readonly number[], what: string): void {
  assert(
    numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0)),
    `${what} do not rise`,
  )
}

export const readingAtScale: CaseGroup = {
  name: 'reading at scale',
  cases: [
    {
      name: 'gives each of 5,000 events once and in order, whatever the size of the pages',
      run: async (tested) => {
        await writeThousands(tested)
        for (const maxCount of [61, 1_000, 4_999, 5_000]) {
          assertEqual(await pages(tested, {}, maxCount), range(1, EVENTS), `the positions, ${maxCount} at a time`)
        }
        const backward = await pages(tested, { direction: 'backward' }, 700)
        assertEqual(backward, range(1, EVENTS).reverse(), 'the positions, backward')
      },
    },
    {
      name: 'gives just the events that pass a filter, none twice and none left out',
      run: async (tested) => {
        await writeThousands(tested)
        const expectations: readonly [ReadAllOptions, (event: StoredEvent) => boolean][] = [
          [{ category: 'Even' }, (event) => event.category === 'Even'],
          [{ types: new Set(['Type1', 'Type4']) }, (event) => event.type === 'Type1' || event.type === 'Type4'],
          [{ correlationId: 'request-7' }, (event) => event.correlationId === 'request-7'],
          [
            { category: 'Odd', correlationId: 'request-3', types: new Set(['Type3']) },
            (event) => event.category === 'Odd' && event.correlationId === 'request-3' && event.type === 'Type3',
          ],
        ]
        const all = await tested.readAll()
        for (const [options, passes] of expectations) {
          const expected = all.filter(passes).map((event) => event.position)
          assert(expected.length > 0 && expected.length < EVENTS, 'the filter tells nothing')
          const what = Object.keys(options).join(' and ')
          assertEqual(await pages(tested, options, 97), expected, `the positions by ${what}`)
          const backward = await pages(tested, { ...options, direction: 'backward' }, 450)
          assertEqual(backward, expected.toReversed(), `the positions by ${what}, backward`)
        }
      },
    },
    {
      name: 'gives all streams whole, that grew side by side',
      run: async (tested) => {
        await writeThousands(tested)
        for (const stream of [1, 2, 25, STREAMS]) {
          const events: StoredEvent[] = []
          for await (const event of readStreamEvents(tested.store, `account-${stream}`, { batchSize: 17 }))
            events.push(event)
          assertEqual(
            events.map((event) => event.streamVersion),
            range(1, ROUNDS * EVENTS_A_ROUND),
            `versions of ${stream}`,
          )
          assertRising(
            events.map((event) => event.position),
            `the positions of stream ${stream}`,
          )
        }
        let count = 0
        for await (const event of readAllEvents(tested.store, { batchSize: 333 })) count += event.position > 0 ? 1 : 0
        assertEqual(count, EVENTS, 'the number of events')
      },
    },
    {
      name: 'erases a tenth of 5,000 events, and leaves no gap',
      run: async (tested) => {
        await writeThousands(tested)
        for (const stream of range(1, 5)) await tested.change(tested.store.deleteStream(`account-${stream}`))
        const all = await tested.readAll()
        assertEqual(
          all.map((event) => event.position),
          range(1, EVENTS),
          'the positions',
        )
        const erased = all.filter((event) => event.tombstone === true)
        assertEqual(erased.length, 5 * ROUNDS * EVENTS_A_ROUND, 'the tombstones')
        assert(
          erased.every((event) => event.data === undefined),
          'a tombstone has data',
        )
        assert(
          all.every((event) => event.tombstone === true || event.data !== undefined),
          'an event has no data',
        )
      },
    },
  ],
}
