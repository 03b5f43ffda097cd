import type { ReadStreamOptions } from '../../event-store/event-store.ts'
import { readStreamEvents } from '../../event-store/read.ts'
import { assertEqual, range } from './assertions.ts'
import type { CaseDefinition, CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const backward = { direction: 'backward' } as const

/** Reads a stream of ten events, between whose events stand those of others. */
function readingCase(name: string, options: ReadStreamOptions, versions: readonly number[]): CaseDefinition {
  return {
    name,
    run: async (tested) => {
      for (const batch of range(1, 5)) {
        await tested.write('account-1', 2)
        await tested.write(`account-${batch + 1}`)
      }
      const slice = await tested.store.readStream('account-1', options)
      assertEqual(
        slice.events.map((event) => event.streamVersion),
        versions,
        'the versions',
      )
      assertEqual([slice.streamVersion, slice.category], [10, 'BankAccount'], 'version and category of the stream')
      assertEqual(
        slice.events.every((event) => event.streamId === 'account-1'),
        true,
        'all are of the stream',
      )
    },
  }
}

async function writeLong(tested: StoreUnderTest, thousands: number): Promise<void> {
  for (const _ of range(1, thousands)) await tested.write('account-1', 1_000)
}

export const readingStreams: CaseGroup = {
  name: 'reading a stream',
  cases: [
    {
      name: 'gives nothing of a stream that is not there',
      run: async (tested) => {
        await tested.write('account-1')
        const nothing = { events: [], streamVersion: 0, category: undefined, state: undefined }
        assertEqual(await tested.store.readStream('account-2'), nothing, 'forward')
        assertEqual(await tested.store.readStream('account-2', backward), nothing, 'backward')
        assertEqual(await tested.store.readStream('account-2', { fromVersion: 5 }), nothing, 'from a version')
      },
    },
    readingCase('gives all events in the order of versions', {}, range(1, 10)),
    readingCase('begins with the version asked for', { fromVersion: 7 }, [7, 8, 9, 10]),
    readingCase('gives no more than asked for', { maxCount: 3 }, [1, 2, 3]),
    readingCase('gives no more than asked for from a version on', { fromVersion: 4, maxCount: 2 }, [4, 5]),
    readingCase('gives what there is where more is asked for', { fromVersion: 9, maxCount: 50 }, [9, 10]),
    readingCase('gives the last event', { fromVersion: 10 }, [10]),
    readingCase('gives nothing past the end, and tells the version', { fromVersion: 11 }, []),
    readingCase('gives nothing far past the end, and tells the version', { fromVersion: 1_000_000 }, []),
    readingCase('goes backward from the end', backward, range(1, 10).reverse()),
    readingCase('goes backward from the version asked for', { ...backward, fromVersion: 3 }, [3, 2, 1]),
    readingCase('goes backward no further than asked for', { ...backward, maxCount: 2 }, [10, 9]),
    readingCase('goes backward from a version, so far', { ...backward, fromVersion: 6, maxCount: 3 }, [6, 5, 4]),
    readingCase('goes backward from the end where asked for more', { ...backward, fromVersion: 99, maxCount: 1 }, [10]),
    {
      name: 'gives 1,000 events where no count is asked for',
      run: async (tested) => {
        await tested.write('account-1', 1_001)
        const { events, streamVersion } = await tested.store.readStream('account-1')
        assertEqual([events.length, streamVersion], [1_000, 1_001], 'the number of events, and the version')
      },
    },
    {
      name: 'goes through 10,000 events in batches, each once and in order',
      run: async (tested) => {
        await writeLong(tested, 10)
        let version = 0
        for await (const event of readStreamEvents(tested.store, 'account-1', { batchSize: 777 })) {
          assertEqual(event.streamVersion, ++version, 'the version')
        }
        assertEqual(version, 10_000, 'the last version')
      },
    },
    {
      name: 'goes backward through 3,000 events in batches, each once and in order',
      run: async (tested) => {
        await writeLong(tested, 3)
        let version = 3_001
        for await (const event of readStreamEvents(tested.store, 'account-1', { ...backward, batchSize: 1_000 })) {
          assertEqual(event.streamVersion, --version, 'the version')
        }
        assertEqual(version, 1, 'the last version')
      },
    },
  ],
}
