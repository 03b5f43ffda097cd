import { beforeAll, describe, expect, it } from '@jest/globals'
import { EventReader } from '../../../lib/adapters/postgres/event-reader.ts'
import type { Parameter } from '../../../lib/adapters/postgres/database.ts'
import { SchemaName } from '../../../lib/adapters/postgres/schema-name.ts'
import type { ReadAllOptions } from '../../../lib/event-store/event-store.ts'
import { testDatabase } from './test-database.ts'

const EVENTS = 50_000
/** Instead of rows. */
const EXPLAINED = new Error('explained')

/** A plan of PostgreSQL's, as far as it matters here. */
interface Plan {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly Plans?: readonly Plan[]
}

/** The ways by which a plan gets at its rows. */
function accesses(plan: Plan): string[] {
  // A subquery's scan gets at nothing by itself.
  const isAccess = plan['Node Type'].includes('Scan') && plan['Node Type'] !== 'Subquery Scan'
  const own = isAccess ? [`${plan['Node Type']} ${plan['Index Name'] ?? ''}`.trim()] : []
  return [...own, ...(plan.Plans ?? []).flatMap(accesses)]
}

describe('the plans of what postgresEventStore reads, among 50,000 events,', () => {
  const database = testDatabase()
  const schema = 'plans'
  const open = () => database.open({ schema })
  const sql = (text: string, values?: unknown[]) => database.sql(text.replaceAll('edict.', `${schema}.`), values)

  beforeAll(async () => {
    const store = await open()
    // Half of all events are of one category, which ends in the middle; a correlation has five; one type in a thousand is rare.
    await sql(
      `INSERT INTO edict.events (position, stream_version, schema_version, created_at, data_format, stream_id, category,
         event_id, type, command_id, causation_id, correlation_id, tenant, content_type, metadata, data)
       SELECT n, 1 + (n - 1) / 1000, 1, 0, 0, 'account-' || n % 1000, CASE WHEN n <= ${EVENTS / 2} THEN 'Early' ELSE 'Late' END,
         'event-' || n, CASE WHEN n % 1000 = 0 THEN 'Rare' ELSE 'Common' END, 'command-' || n, 'command-' || n,
         'correlation-' || n / 5, CASE WHEN n % 10 = 0 THEN 'tenant-' || n % 100 END, 'application/json', '{}', '{"amount":5}'
       FROM generate_series(1, ${EVENTS}) n`,
    )
    await sql(
      `INSERT INTO edict.streams (stream_id, category, version) SELECT 'account-' || n, 'Early', 50 FROM generate_series(0, 999) n`,
    )
    await sql('ANALYZE edict.events')
    await sql('ANALYZE edict.streams')
    await store.close()
  }, 120_000)

  /** How PostgreSQL would get at the rows of the one statement that is run. */
  async function plansOf(run: (reader: EventReader, queries: Explaining) => Promise<unknown>): Promise<string[]> {
    const explaining = new Explaining((text, values) => sql(text, values))
    await expect(run(new EventReader(new SchemaName('spec', schema)), explaining)).rejects.toBe(EXPLAINED)
    return explaining.found
  }

  const readAll = (options: ReadAllOptions) => plansOf((reader, queries) => reader.readAll(queries, options))
  const HEAD = 'Index Only Scan events_pkey'

  it.each<[string, ReadAllOptions, string[]]>([
    ['a page in the middle', { fromPosition: 30_000 }, ['Index Scan events_pkey']],
    ['a page backward', { fromPosition: 30_000, direction: 'backward' }, ['Index Scan events_pkey']],
    ['a category', { category: 'Early' }, ['Index Scan events_category_idx']],
    ['a category behind its end', { category: 'Early', fromPosition: 26_000 }, ['Index Scan events_category_idx']],
    ['a category backward', { category: 'Early', direction: 'backward' }, ['Index Scan events_category_idx']],
    ['a category that nobody has', { category: 'None' }, ['Index Scan events_category_idx']],
    ['a rare type', { types: new Set(['Rare']) }, ['Index Scan events_pkey']],
    ['a common type', { types: new Set(['Common', 'Rare']), fromPosition: 10 }, ['Index Scan events_pkey']],
    ['a type in a category', { types: new Set(['Rare']), category: 'Late' }, ['Index Scan events_category_idx']],
    ['a correlation', { correlationId: 'correlation-77' }, ['Index Scan events_correlation_idx']],
    [
      'a type in a correlation',
      { correlationId: 'correlation-77', types: new Set(['Rare']), direction: 'backward' },
      ['Index Scan events_correlation_idx'],
    ],
  ])('get at %s by an index', async (_what, options, access) => {
    const found = await readAll(options)
    expect(found).toContain(HEAD)
    expect(found.filter((each) => each !== HEAD)).toEqual(access)
  })

  it.each<[string, ReadAllOptions]>([
    ['a tenant', { tenant: 'tenant-10' }],
    ['a tenant backward', { tenant: 'tenant-10', direction: 'backward' }],
    ['a type of a tenant', { tenant: 'tenant-10', types: new Set(['Rare']) }],
  ])('get at %s by an index', async (_what, options) => {
    const found = await readAll(options)
    // In order, or, of as few events as here, all of them by a bitmap.
    expect(found.filter((each) => each !== HEAD && each !== 'Bitmap Heap Scan')).toEqual([
      expect.stringMatching(/events_tenant_idx$/),
    ])
  })

  it('get at a stream and at a command by an index', async () => {
    for (const direction of ['forward', 'backward'] as const) {
      const found = await plansOf((reader, queries) => reader.readStream(queries, 'account-7', { direction }))
      expect(found[0]).toBe('Index Scan streams_pkey')
      expect(found.at(-1)).toMatch(/Index Scan events_stream_key$/)
    }
    const found = await plansOf((reader, queries) => reader.readCommand(queries, 'account-7', 'command-7'))
    expect(found).toEqual(['Index Scan events_command_idx'])
  })

  it('get at each of several streams by an index', async () => {
    const reads = ['account-7', 'account-8'].map((streamId) => ({ streamId, options: { fromVersion: 40 } }))
    const found = await plansOf((reader, queries) => reader.readStreams(queries, reads))
    expect(found.slice(0, 2)).toEqual(['Function Scan', 'Index Scan streams_pkey'])
    expect(found.at(-1)).toMatch(/Index Scan events_stream_key$/)
  })

  it('get at the head by the end of an index', async () => {
    expect(await plansOf((reader, queries) => reader.head(queries))).toEqual([HEAD])
  })

  it('look at no more than a window of positions in one call, and go on from there', async () => {
    const store = await open()
    const types = new Set(['Never'])
    const places: number[] = []
    for (let lastPosition = 0; lastPosition < EVENTS;) {
      ;({ lastPosition } = await store.readAll({ types, fromPosition: lastPosition + 1 }))
      places.push(lastPosition)
    }
    expect(places).toEqual([20_000, 40_000, 50_000])
    const back = await store.readAll({ types, direction: 'backward' })
    expect(back).toEqual({ events: [], lastPosition: 30_001, headPosition: EVENTS })
    // An index that has all of the filter needs no window.
    const none = await store.readAll({ category: 'Early', fromPosition: 25_001 })
    expect(none).toEqual({ events: [], lastPosition: EVENTS, headPosition: EVENTS })
  })

  it('look at so many events of a large correlation in one call, and go on behind them', async () => {
    const store = await open()
    await sql("UPDATE edict.events SET correlation_id = 'large' WHERE position <= 2500")
    const options = { correlationId: 'large', types: new Set(['Rare']), maxCount: 2 }
    const pages: (readonly number[])[] = []
    for (let lastPosition = 0; lastPosition < EVENTS;) {
      const slice = await store.readAll({ ...options, fromPosition: lastPosition + 1 })
      ;({ lastPosition } = slice)
      pages.push([...slice.events.map(({ position }) => position), lastPosition])
    }
    expect(pages).toEqual([[1_000, 1_000], [2_000, 2_000], [EVENTS]])
    const back = await store.readAll({ ...options, fromPosition: 2_500, direction: 'backward' })
    expect([back.events.map(({ position }) => position), back.lastPosition]).toEqual([[2_000], 1_501])
  })
})

class Explaining {
  found: string[] = []
  readonly #sql: (text: string, values: unknown[]) => Promise<Record<string, unknown>[]>

  constructor(sql: (text: string, values: unknown[]) => Promise<Record<string, unknown>[]>) {
    this.#sql = sql
  }

  async query(text: string, values: readonly Parameter[] = []): Promise<never> {
    const [row] = await this.#sql(`EXPLAIN (FORMAT JSON) ${text}`, [...values])
    const [{ Plan: plan }] = row?.['QUERY PLAN'] as [{ Plan: Plan }]
    this.found = accesses(plan)
    throw EXPLAINED
  }
}
