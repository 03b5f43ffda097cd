import type { ReadAllOptions } from '../../event-store/event-store.ts'
import { readAllEvents } from '../../event-store/read.ts'
import { assert, assertEqual, range } from './assertions.ts'
import type { CaseDefinition, CaseGroup } from './conformance-case.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const tenant = 'north'
const backward = { direction: 'backward' } as const
const HEAD = 24

/**
 * Twenty-four events: of each three the first is north's, the second south's, the third nobody's. Types alternate, the category
 * changes after the twelfth, and each four are of one conversation.
 */
async function writeOfTenants(tested: StoreUnderTest): Promise<void> {
  for (const position of range(1, HEAD)) {
    const type = position % 2 === 1 ? 'Opened' : 'Closed'
    const owner = [undefined, 'north', 'south'][position % 3]
    const category = position <= 12 ? 'Account' : 'Transfer'
    const correlationId = `request-${Math.ceil(position / 4)}`
    const event = tested.event({ type, correlationId, ...(owner !== undefined && { tenant: owner }) })
    await tested.write(`${owner ?? 'none'}/${category}-${position % 5}`, [event], { category })
  }
}

const own = range(0, 7).map((number) => number * 3 + 1)

function tenantCase(name: string, options: ReadAllOptions, positions: readonly number[], last: number): CaseDefinition {
  return {
    name,
    run: async (tested) => {
      await writeOfTenants(tested)
      const { events, lastPosition, headPosition } = await tested.store.readAll({ tenant, ...options })
      assertEqual(
        events.map((event) => event.position),
        positions,
        'the positions',
      )
      assertEqual([lastPosition, headPosition], [last, HEAD], 'the last and the head position')
    },
  }
}

export const readingByTenant: CaseGroup = {
  name: 'reading by tenant',
  cases: [
    tenantCase('gives the events of a tenant, of whatever stream, in order', {}, own, HEAD),
    tenantCase('goes backward', backward, own.toReversed(), 1),
    tenantCase('begins with the position asked for', { fromPosition: 8 }, own.slice(3), HEAD),
    tenantCase('goes backward from the position asked for', { ...backward, fromPosition: 9 }, [7, 4, 1], 1),
    tenantCase('counts only what passed', { maxCount: 3 }, [1, 4, 7], 7),
    tenantCase('counts only what passed, backward', { ...backward, maxCount: 2 }, [22, 19], 19),
    tenantCase('and type passes only what both let through', { types: new Set(['Closed']) }, [4, 10, 16, 22], HEAD),
    tenantCase(
      'and type passes only what both let through, backward',
      { ...backward, types: new Set(['Closed']), maxCount: 3 },
      [22, 16, 10],
      10,
    ),
    tenantCase('and category passes only what both let through', { category: 'Transfer' }, [13, 16, 19, 22], HEAD),
    tenantCase('and correlation passes only what both let through', { correlationId: 'request-4' }, [13, 16], HEAD),
    tenantCase(
      'with type, category and correlation passes only what all let through',
      { category: 'Transfer', types: new Set(['Opened']), correlationId: 'request-4', maxCount: 9 },
      [13],
      HEAD,
    ),
    tenantCase('passes nothing of a tenant that nobody knows', { tenant: 'west' }, [], HEAD),
    {
      name: 'misses and repeats nothing when it goes on from lastPosition',
      run: async (tested) => {
        await writeOfTenants(tested)
        for (const maxCount of range(1, 5)) {
          const positions: number[] = []
          for (let lastPosition = 0; lastPosition < HEAD;) {
            const slice = await tested.store.readAll({ fromPosition: lastPosition + 1, maxCount, tenant })
            assert(slice.lastPosition > lastPosition, `no progress from position ${lastPosition + 1}`)
            positions.push(...slice.events.map((event) => event.position))
            lastPosition = slice.lastPosition
          }
          assertEqual(positions, own, `the positions, ${maxCount} at a time`)
        }
      },
    },
    {
      name: 'goes through the events of a tenant in batches, in either direction',
      run: async (tested) => {
        await writeOfTenants(tested)
        const found: number[] = []
        const reads = [{ batchSize: 3 }, { batchSize: 2, ...backward }]
        for (const read of reads) {
          for await (const event of readAllEvents(tested.store, { tenant, ...read })) found.push(event.position)
        }
        assertEqual(found, [...own, ...own.toReversed()], 'the positions')
      },
    },
    {
      name: 'takes tenants to the letter',
      run: async (tested) => {
        const tenants = ['a', 'A', 'a ', 'a%', 'a_', "it's; --", '漢字 🏦', '__proto__', 'x'.repeat(255)]
        for (const [index, name] of tenants.entries()) {
          await tested.write(`account-${index}`, tested.events(1, { tenant: name }))
        }
        for (const [index, name] of tenants.entries()) {
          const { events } = await tested.store.readAll({ tenant: name })
          assertEqual(
            events.map((event) => event.position),
            [index + 1],
            `the positions of ${name.slice(0, 20)}`,
          )
        }
      },
    },
    {
      name: 'reaches a rare type behind 12,000 other events of the tenant',
      run: async (tested) => {
        const rare = () => tested.event({ tenant, type: 'Rare' })
        await tested.write('north/0', [rare()])
        for (const number of range(1, 12)) await tested.write(`north/${number}`, tested.events(1_000, { tenant }))
        await tested.write('north/0', [rare()])
        for (const direction of ['forward', 'backward'] as const) {
          const found: number[] = []
          const read = { tenant, types: new Set(['Rare']), direction }
          for await (const event of readAllEvents(tested.store, read)) found.push(event.position)
          assertEqual(found, direction === 'forward' ? [1, 12_002] : [12_002, 1], 'the positions')
        }
      },
    },
  ],
}
