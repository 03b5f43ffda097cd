import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { application, type EventStore, type Projection } from 'edict'
import { projection, removeProjection } from 'edict/projections'
import { sqliteEventStore } from 'edict/sqlite'
import { projectionsOf } from '../../lib/event-store/checked-projection-store.ts'
import { Add, Added, counterRouter, recordingLogger, started, stopAll, until } from '../support/counter.ts'
import { altered, projectedDatabase, storeKinds } from './projection-harness.ts'

interface Sizes {
  readonly version?: number
  readonly replaces?: string
  readonly table?: string
  readonly columns?: string
  readonly consistency?: 'eventual'
}

const errorsOf = (logger: ReturnType<typeof recordingLogger>) =>
  logger.entries.filter(({ level }) => level === 'error').map(({ message }) => message)

describe.each(storeKinds)('the tables of a projection on %s', (_, kind) => {
  const database = projectedDatabase(kind)

  const sizes = (name: string, { table = 'sizes', columns = 'size INTEGER NOT NULL', ...options }: Sizes = {}) =>
    projection(name, {
      events: [Added],
      tables: { [table]: columns },
      consistency: 'strong',
      ...options,
      project: ({ by }, _recorded, tx: unknown, { tables }) =>
        kind.write(tx, `INSERT INTO ${tables[table]!} VALUES (?1)`, [by]),
    })
  const run = (made: Projection | Projection[], logger = recordingLogger(), eventStore = database.store()) =>
    started({
      router: counterRouter,
      eventStore,
      handlers: [made].flat(),
      logger,
      subscriptions: { claimInterval: 20 },
    })
  const add = (app: Awaited<ReturnType<typeof run>>, by: number) =>
    app.dispatch(Add({ id: 'a', by }), { consistency: 'strong' })
  const seen = async (view = 'sizes') =>
    (await database.read(`SELECT * FROM ${view}`)).map((row) => Number(row['size'])).sort((a, b) => a - b)
  const tables = async () => {
    const rows = await database.read(
      kind.kind === 'sqlite'
        ? `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'sizes%' ORDER BY name`
        : `SELECT tablename AS name FROM pg_tables WHERE tablename LIKE 'sizes%' ORDER BY tablename`,
    )
    return rows.map(({ name }) => String(name))
  }
  const opened = async <Result>(work: (store: EventStore) => Promise<Result>): Promise<Result> => {
    const store = database.store()
    await store.open()
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }
  const checkpoints = () => opened(async (store) => (await store.listCheckpoints('')).map(({ name }) => name).sort())

  describe('are its own:', () => {
    it('an application refuses two projections that name the same one', () => {
      const define = () =>
        application({
          name: 'counters',
          router: counterRouter,
          eventStore: database.store(),
          handlers: [sizes('one'), sizes('other')],
        })
      expect(define).toThrow(
        expect.objectContaining({
          code: 'invalid_definition',
          message:
            'the application counters: the projections one and other both name the table sizes: ' +
            'each table belongs to one projection',
        }),
      )
    })

    it('one that names the table of another stops at once, and leaves that one as it was', async () => {
      const one = await run(sizes('one'))
      await add(one, 1)
      const before = await tables()
      const logger = recordingLogger()
      const other = await run(sizes('other'), logger)
      await expect(add(other, 2)).rejects.toMatchObject({ code: 'consistency_timeout', laggards: ['other'] })
      expect(errorsOf(logger)).toEqual([
        'the projection other is STOPPED until it is started again: the table sizes belongs to the projection one in this ' +
          "store: name another table, or, where other is one under a new name, give it replaces: 'one'",
      ])
      await add(one, 3)
      expect(await seen()).toEqual([1, 2, 3])
      expect(await tables()).toEqual(before)
      expect(await checkpoints()).toEqual(['one:1.1'])
    })

    it('two that begin at the same moment are told apart', async () => {
      const loggers = [recordingLogger(), recordingLogger()]
      await Promise.all([run(sizes('one'), loggers[0]), run(sizes('other'), loggers[1])])
      await until(() => loggers.flatMap(errorsOf).length > 0, 'a refusal')
      expect(loggers.flatMap(errorsOf)).toEqual([expect.stringContaining('the table sizes belongs to the projection')])
      expect(await tables()).toHaveLength(1)
    })

    it('a new version that wants the table of another stops, and what is read goes on', async () => {
      await run(sizes('one'))
      const other = await run(sizes('other', { table: 'others' }))
      await add(other, 1)
      await other.stop()
      const logger = recordingLogger()
      await run(sizes('other', { version: 2 }), logger)
      expect(errorsOf(logger)).toEqual([expect.stringContaining('the table sizes belongs to the projection one')])
      expect(await seen('others')).toEqual([1])
      await until(async () => (await seen()).join() === '1', 'the event in sizes')
    })

    it('a build is not swapped in where another has taken its table meanwhile', async () => {
      const other = await run(sizes('other', { table: 'others' }))
      await add(other, 1)
      await other.stop()
      let isTaken = false
      // Nothing has the table when the build begins, and somebody has it when it is to be published.
      const store = altered(database.store(), (projections) => ({
        findPublications: async (tx, views) => (isTaken ? projections.findPublications(tx, views) : []),
        lockCheckpoint: (tx, name, epoch) => projections.lockCheckpoint(tx, name, epoch),
      }))
      await run(sizes('one'))
      const logger = recordingLogger()
      isTaken = true
      await run(sizes('other', { version: 2 }), logger, store)
      await until(() => errorsOf(logger).length > 0, 'a refusal')
      expect(errorsOf(logger)).toEqual([expect.stringContaining('the table sizes belongs to the projection one')])
      expect(await seen('others')).toEqual([1])
    })

    it("a table of the user's own stops it, with the advice to name another", async () => {
      await opened((store) =>
        projectionsOf(store).transaction(async (tx) =>
          projectionsOf(store).execute(tx, 'CREATE TABLE sizes (mine INTEGER)'),
        ),
      )
      const logger = recordingLogger()
      await run(sizes('one'), logger)
      await until(() => errorsOf(logger).length > 0, 'a refusal')
      expect(errorsOf(logger)).toEqual([
        expect.stringMatching(
          /^the projection one is STOPPED until it is started again: publish: a table named sizes is there that is none of the store's own: name another in tables/,
        ),
      ])
      expect(await tables()).toEqual(['sizes'])
      expect(logger.entries.filter(({ level }) => level === 'warn')).toEqual([])
    })

    it("a table of the user's own stops a new version too, and what is read goes on", async () => {
      const old = await run(sizes('one', { table: 'olds' }))
      await add(old, 1)
      await old.stop()
      await opened((store) =>
        projectionsOf(store).transaction(async (tx) =>
          projectionsOf(store).execute(tx, 'CREATE TABLE sizes (mine INTEGER)'),
        ),
      )
      const logger = recordingLogger()
      await run(sizes('one', { version: 2 }), logger)
      await until(() => errorsOf(logger).length > 0, 'a refusal')
      expect(errorsOf(logger)).toEqual([expect.stringContaining('a table named sizes is there')])
      expect(await seen('olds')).toEqual([1])
    })

    it("a view of the user's own is left alone", async () => {
      await opened((store) =>
        projectionsOf(store).transaction(async (tx) =>
          projectionsOf(store).execute(tx, 'CREATE VIEW sizes AS SELECT 5 AS size'),
        ),
      )
      const logger = recordingLogger()
      await run(sizes('one'), logger)
      await until(() => errorsOf(logger).length > 0, 'a refusal')
      expect(errorsOf(logger)).toEqual([expect.stringContaining('a view named sizes is there')])
      expect(await seen()).toEqual([5])
    })

    it('the names of those of two projections never meet', async () => {
      const one = await run(sizes('one'))
      const [first] = await tables()
      await one.stop()
      await removeProjection(database.store(), 'one')
      await run(sizes('other'))
      expect(await tables()).toHaveLength(1)
      expect(await tables()).not.toContain(first)
    })
  })

  describe('change hands', () => {
    it('where a projection replaces another: it is built beside that one, and takes its place', async () => {
      const one = await run(sizes('one'))
      await add(one, 1)
      await one.stop()
      const logger = recordingLogger()
      const uno = await run(sizes('uno', { replaces: 'one' }), logger)
      await add(uno, 2)
      expect(await seen()).toEqual([1, 2])
      expect(await tables()).toHaveLength(1)
      expect(await checkpoints()).toEqual(['uno:1.2'])
      expect(logger.entries.filter(({ level }) => level !== 'info')).toEqual([])
      await uno.rebuild(sizes('uno')).catch(() => undefined)
      await uno.stop()
      // It says no more than where it came from, and may stay there or go.
      for (const replaces of ['one', undefined]) {
        const again = await run(sizes('uno', { ...(replaces !== undefined && { replaces }) }))
        await add(again, 3)
        await again.stop()
      }
      expect(await seen()).toEqual([1, 2, 3, 3])
    })

    it('while nodes with the old name still run, which then wait for the new one', async () => {
      const oldLogger = recordingLogger()
      const old = await run(sizes('one'), oldLogger)
      await add(old, 1)
      const next = await run(sizes('uno', { replaces: 'one' }))
      await add(next, 2)
      await add(old, 3)
      await until(
        () =>
          oldLogger.entries.some(
            ({ level, message }) =>
              level === 'warn' &&
              message ===
                'the projection one is replaced by uno: it stands by here, and uno is waited for, until the new definition is ' +
                  'deployed on this node too',
          ),
        'the warning',
      )
      await add(old, 4)
      expect(await seen()).toEqual([1, 2, 3, 4])
      await old.stop()
      const late = await run(sizes('one'))
      await add(late, 5)
      expect(await seen()).toEqual([1, 2, 3, 4, 5])
      expect(await checkpoints()).toEqual(['uno:1.2'])
      expect(await tables()).toHaveLength(1)
    })

    it('and back again', async () => {
      for (const [name, replaces] of [
        ['one', undefined],
        ['uno', 'one'],
        ['one', 'uno'],
      ] as const) {
        const app = await run(sizes(name, { ...(replaces !== undefined && { replaces }) }))
        await add(app, 1)
        await app.stop()
      }
      expect(await seen()).toEqual([1, 1, 1])
      expect(await checkpoints()).toEqual(['one:1.3'])
      expect(await tables()).toHaveLength(1)
    })

    it('where what is replaced never was: it begins as the first', async () => {
      const uno = await run(sizes('uno', { replaces: 'one' }))
      await add(uno, 1)
      expect(await seen()).toEqual([1])
      expect(await checkpoints()).toEqual(['uno:1.1'])
    })

    it('and not within one application, which would run both', () => {
      const define = () =>
        application({
          name: 'counters',
          router: counterRouter,
          eventStore: database.store(),
          handlers: [sizes('one', { table: 'ones' }), sizes('uno', { replaces: 'one' })],
        })
      expect(define).toThrow(
        'the application counters: the projection uno replaces one, which is there too: leave one out',
      )
    })
  })

  describe('are given up', () => {
    it('by removeProjection: views, tables, place', async () => {
      const one = await run(sizes('one'))
      await add(one, 1)
      await expect(removeProjection(database.store(), 'one')).rejects.toMatchObject({
        code: 'invalid_option',
        message: 'removeProjection: one still runs: remove it from the application, or stop that, on every node',
      })
      await one.stop()
      await removeProjection(database.store(), 'one')
      expect(await tables()).toEqual([])
      expect(await checkpoints()).toEqual([])
      await expect(seen()).rejects.toMatchObject({ message: expect.stringContaining('sizes') as unknown })
      await removeProjection(database.store(), 'one')
      const again = await run(sizes('one', { columns: 'size INTEGER' }))
      await add(again, 2)
      expect(await seen()).toEqual([1, 2])
    })
  })

  describe('that changed without a new version', () => {
    it('stop the projection at its start', async () => {
      const one = await run(sizes('orders'))
      await add(one, 1)
      const changed = sizes('orders', { columns: 'size INTEGER NOT NULL, note VARCHAR(5)' })
      const logger = recordingLogger()
      // Also where another node holds the place.
      await run(changed, logger)
      const told =
        'the projection orders is STOPPED until it is started again: tables of orders changed, but its version is still 1: raise it'
      expect(errorsOf(logger)).toEqual([told])
      await one.stop()
      const alone = recordingLogger()
      await run(changed, alone)
      expect(errorsOf(alone)).toEqual([told])
      expect(await seen()).toEqual([1])
    })

    it('are not taken for changed where only their white space is another', async () => {
      const one = await run(sizes('orders', { columns: 'size   INTEGER\n NOT NULL' }))
      await one.stop()
      const again = await run(sizes('orders'))
      await add(again, 1)
      expect(await seen()).toEqual([1])
    })

    it('are not looked into where nothing was written down of them', async () => {
      const one = await run(sizes('orders'))
      await one.stop()
      await opened(async (store) => {
        const projections = projectionsOf(store)
        await projections.transaction(async (tx) => {
          const { fingerprint, ...before } = (await projections.readPublication(tx, 'orders'))!
          expect(fingerprint).toEqual(expect.any(String))
          await projections.publish(tx, before)
        })
      })
      const again = await run(sizes('orders', { columns: 'size INTEGER' }))
      await add(again, 1)
      expect(await seen()).toEqual([1])
    })
  })
})

describe('a projection on a SQLite store that is opened with readOnly', () => {
  it('stops at once, and says why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edict-projection-'))
    const path = join(folder, 'events.db')
    const first = sqliteEventStore(path)
    await first.open()
    await first.close()
    const logger = recordingLogger()
    const made = projection('sizes', {
      events: [Added],
      tables: { sizes: 'size INTEGER' },
      project: () => undefined,
    })
    await started({
      router: counterRouter,
      eventStore: sqliteEventStore(path, { readOnly: true }),
      handlers: [made],
      logger,
    })
    expect(logger.entries.map(({ level, message }) => [level, message])).toEqual([
      [
        'error',
        `the projection sizes is STOPPED until it is started again: the sqlite event store ${path} was opened with readOnly, ` +
          'and projections write to it: open it without readOnly, or leave them out',
      ],
    ])
    await stopAll()
    rmSync(folder, { recursive: true, force: true })
  })
})
