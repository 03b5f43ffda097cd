import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { jsonSerializer, type Serializer } from 'edict'
import { projection, sqliteEventStore } from 'edict/sqlite'
import { Add, Added, counterRouter, started, stopAll, until } from '../support/counter.ts'

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edict-swap-'))
  path = join(directory, 'counters.db')
})

afterEach(async () => {
  await stopAll()
  rmSync(directory, { recursive: true, force: true })
})

const additions = (version: number) =>
  projection('additions', {
    version,
    events: [Added],
    tables: { additions: 'position INTEGER NOT NULL' },
    project: (_data, { position }, tx, { tables }) =>
      void tx.prepare(`INSERT INTO ${tables.additions} VALUES (?)`).run(position),
  })

describe('a new generation that cannot read in time what the old one has', () => {
  it('keeps nothing of an attempt to take its place, so that each event is in its tables once in the end', async () => {
    const old = await started({
      router: counterRouter,
      eventStore: sqliteEventStore(path, { busyTimeout: 60_000 }),
      handlers: [additions(1)],
    })
    for (let add = 0; add < 3; add++) await old.dispatch(Add({ id: 'a', by: 1 }))
    // The node of the new version decodes slowly, as with a serializer that asks a key service.
    let decoding = 400
    const slow: Serializer = {
      ...jsonSerializer,
      decode: async (encoded, context) => {
        if (decoding > 0) await new Promise((resolve) => setTimeout(resolve, decoding))
        return jsonSerializer.decode(encoded, context)
      },
    }
    await started({
      router: counterRouter,
      eventStore: sqliteEventStore(path, { busyTimeout: 60_000 }),
      serializer: slow,
      handlers: [additions(2)],
    })
    for (let add = 0; add < 20; add++) {
      await old.dispatch(Add({ id: 'a', by: 1 }))
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    decoding = 0
    const database = new Database(path, { readonly: true })
    const read = (sql: string) => database.prepare(sql).pluck().get()
    try {
      await until(() => read('SELECT version FROM edict_publications') === 2, 'the swap')
      expect(read('SELECT count(*) FROM additions')).toBe(read('SELECT count(DISTINCT position) FROM additions'))
      await until(() => read('SELECT count(*) FROM additions') === 23, 'every event')
    } finally {
      database.close()
    }
  }, 120_000)
})
