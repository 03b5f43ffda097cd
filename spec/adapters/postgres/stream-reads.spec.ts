import { describe, expect, it } from '@jest/globals'
import { EventReader } from '../../../lib/adapters/postgres/event-reader.ts'
import { queryOn, type Parameter } from '../../../lib/adapters/postgres/database.ts'
import { SchemaName } from '../../../lib/adapters/postgres/schema-name.ts'
import { StreamReads } from '../../../lib/adapters/postgres/stream-reads.ts'
import type { ReadStreamOptions } from '../../../lib/event-store/event-store.ts'
import { append, testDatabase, textAppend } from './test-database.ts'

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('postgresEventStore, asked for many streams at once,', () => {
  const database = testDatabase()

  it('gives of each what it gives where that is asked for alone', async () => {
    const store = await database.open()
    await append(store, [
      textAppend('short'),
      textAppend('long', 30),
      textAppend('archived', 2),
      textAppend('erased', 2),
    ])
    await store.archiveStream('archived')
    await store.deleteStream('erased')
    const asked: [string, ReadStreamOptions?][] = [
      ['long'],
      ['none'],
      ['short', { fromVersion: 2 }],
      ['long', { fromVersion: 11, maxCount: 10 }],
      ['long', { fromVersion: 30 }],
      ['long', { direction: 'backward', maxCount: 3 }],
      ['archived', { maxCount: 1 }],
      ['erased'],
      ['long', { fromVersion: Number.MAX_SAFE_INTEGER, maxCount: 1 }],
      ['short'],
    ]
    const together = await Promise.all(asked.map(async ([streamId, options]) => store.readStream(streamId, options)))
    for (const [index, [streamId, options]] of asked.entries()) {
      expect(together[index]).toEqual(await store.readStream(streamId, options))
    }
    expect(together.map(({ events }) => events.length)).toEqual([30, 0, 0, 10, 1, 3, 1, 2, 0, 1])
  })

  it('asks the database once for sixteen of them', async () => {
    const store = await database.open()
    await append(
      store,
      range(20).map((stream) => textAppend(`account-${stream}`, 1 + stream)),
    )
    const client = await database.client()
    let statements = 0
    const read = (text: string, values?: readonly Parameter[]) => {
      statements++
      return queryOn(client, text, values)
    }
    const reads = new StreamReads({ read }, new EventReader(new SchemaName('spec', database.schema)))
    const slices = await Promise.all(range(20).map((stream) => reads.read(`account-${stream}`)))
    expect(slices.map(({ streamVersion }) => streamVersion)).toEqual(range(20).map((stream) => 1 + stream))
    expect(statements).toBe(2)
  })

  it('fails only where a stream is damaged', async () => {
    const store = await database.open()
    await append(
      store,
      range(4).map((stream) => textAppend(`account-${stream}`, 2)),
    )
    await database.sql("DELETE FROM edict.events WHERE stream_id = 'account-1' AND stream_version = 1")
    await database.sql("UPDATE edict.events SET metadata = 'damaged' WHERE stream_id = 'account-2'")
    const answers = await Promise.allSettled(range(4).map(async (stream) => store.readStream(`account-${stream}`)))
    expect(answers).toMatchObject([
      { value: { streamVersion: 2 } },
      { reason: { code: 'store_failed', message: expect.stringContaining('lacks of account-1 the version 1') } },
      { reason: { code: 'store_failed', message: expect.stringContaining('version 1 of account-2') } },
      { value: { streamVersion: 2 } },
    ])
  })

  it('answers before it closes', async () => {
    const store = await database.open()
    await append(store, [textAppend('account-1')])
    const asked = ['account-1', 'account-2'].map(async (streamId) => store.readStream(streamId))
    await store.close()
    expect((await Promise.all(asked)).map(({ streamVersion }) => streamVersion)).toEqual([1, 0])
  })
})
