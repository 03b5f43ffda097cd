import { describe, expect, it } from '@jest/globals'
import { OpenStores } from './open-stores.ts'
import { planOf } from './query-plan.ts'
import { encodedAppend, encodedEvent } from './sample-event.ts'
import {
  HEAD_SQL,
  OF_ALL_SQL,
  OF_COMMAND_SQL,
  OF_STREAM_SQL,
  STREAM_SQL,
} from '../../../lib/adapters/sqlite/event-reader.ts'
import {
  correlationSql,
  mergedKindsSql,
  scanSql,
  tenantSql,
  tenantWindowSql,
} from '../../../lib/adapters/sqlite/filtered-reader.ts'

const stores = new OpenStores()

const queries: readonly (readonly [what: string, sql: string, by: string])[] = [
  ['the head', HEAD_SQL, 'SEARCH edict_events'],
  ['a stream', STREAM_SQL, 'SEARCH edict_events USING COVERING INDEX sqlite_autoindex_edict_events_1 (stream=?)'],
  [
    'the events of a stream',
    OF_STREAM_SQL.forward,
    'sqlite_autoindex_edict_events_1 (stream=? AND version>? AND version<?)',
  ],
  ['them backward', OF_STREAM_SQL.backward, 'sqlite_autoindex_edict_events_1 (stream=? AND version>? AND version<?)'],
  ['all events', OF_ALL_SQL.forward, 'INTEGER PRIMARY KEY (rowid>? AND rowid<?)'],
  ['all events backward', OF_ALL_SQL.backward, 'INTEGER PRIMARY KEY (rowid>? AND rowid<?)'],
  ['the events of a command', OF_COMMAND_SQL, 'edict_events_of_command (command_id=? AND stream=?)'],
  ['one kind', mergedKindsSql(1, 'forward'), 'COVERING INDEX edict_events_of_kind (kind=? AND rowid>? AND rowid<?)'],
  [
    'several kinds',
    mergedKindsSql(4, 'forward'),
    'COVERING INDEX edict_events_of_kind (kind=? AND rowid>? AND rowid<?)',
  ],
  [
    'them backward',
    mergedKindsSql(4, 'backward'),
    'COVERING INDEX edict_events_of_kind (kind=? AND rowid>? AND rowid<?)',
  ],
  ['very many kinds', scanSql('forward'), 'INTEGER PRIMARY KEY (rowid>? AND rowid<?)'],
  [
    'a correlation',
    correlationSql('forward'),
    'edict_events_of_correlation (correlation_id=? AND rowid>? AND rowid<?)',
  ],
  ['a tenant', tenantSql('forward'), 'edict_events_of_tenant (tenant=? AND rowid>? AND rowid<?)'],
  ['a tenant backward', tenantSql('backward'), 'edict_events_of_tenant (tenant=? AND rowid>? AND rowid<?)'],
  ['a part of a tenant', tenantWindowSql('forward'), 'COVERING INDEX edict_events_of_tenant (tenant=?'],
  ['the correlation of a command', correlationSql('forward'), 'edict_events_of_command (command_id=?)'],
]

describe('sqliteEventStore, with however many events,', () => {
  it.each(queries)('reads %s by an index, and scans no table', async (_what, sql, by) => {
    const plan = await planOf(stores, sql)
    expect(plan.some((detail) => detail.includes(by))).toBe(true)
    // What is gone through is what a subquery has found, or a list that was given: never a table.
    const scans = plan.filter((detail) => detail.startsWith('SCAN'))
    expect(scans.filter((detail) => detail !== 'SCAN f' && !detail.startsWith('SCAN json_each'))).toEqual([])
  })

  it('merges the events of several kinds without sorting them', async () => {
    expect((await planOf(stores, mergedKindsSql(4, 'forward'))).join('\n')).not.toContain('TEMP B-TREE')
  })

  it('reads by very many types, too', async () => {
    const store = await stores.open()
    const types = Array.from({ length: 600 }, (_, number) => `Type${number}`)
    await store.append([
      ...types.map((type, number) => encodedAppend(`a-${number}`, 1, { events: [encodedEvent({ type })] })),
      encodedAppend('other'),
    ])
    for (const direction of ['forward', 'backward'] as const) {
      const { events, lastPosition } = await store.readAll({ types: new Set(types), maxCount: 1_000, direction })
      expect(events).toHaveLength(600)
      expect(lastPosition).toBe(direction === 'forward' ? 601 : 1)
      const some = await store.readAll({ types: new Set(types.slice(0, 300)), maxCount: 7, direction })
      expect(some.events.map((event) => event.position)).toEqual(
        Array.from({ length: 7 }, (_, index) => (direction === 'forward' ? 1 + index : 300 - index)),
      )
    }
  })

  it('gives 10,000 events in one call at most, and tells where to go on', async () => {
    const store = await stores.open()
    for (let turn = 0; turn < 12; turn++) await store.append([encodedAppend('account-1', 1_000)])
    const slice = await store.readAll({ maxCount: 100_000 })
    expect([slice.events.length, slice.lastPosition, slice.headPosition]).toEqual([10_000, 10_000, 12_000])
  })
})
