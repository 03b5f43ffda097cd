import { afterEach, describe, expect, it } from '@jest/globals'
import { stop, type EventStore, type Projection } from 'edict'
import { projection } from 'edict/projections'
import { physicalTable } from '../../lib/subscribers/projection-statements.ts'
import { Add, Added, counterRouter, deferred, recordingLogger, started, until } from '../support/counter.ts'
import { projectedDatabase, storeKinds, totals } from './projection-harness.ts'

const tableOf = (version: number, generation: number) => physicalTable('totals', 'totals', version, generation)

describe.each(storeKinds)('the generations of a projection on %s', (_, kind) => {
  /** Those of a spec that has failed have to be ended. */
  const loops: { on: boolean }[] = []
  const loop = () => {
    const going = { on: true }
    loops.push(going)
    return going
  }

  // Before the database of the spec is dropped.
  afterEach(() => {
    for (const going of loops.splice(0)) going.on = false
  })
  const database = projectedDatabase(kind)

  const run = (made: Projection, logger = recordingLogger(), eventStore: EventStore = database.store()) =>
    started({ router: counterRouter, eventStore, handlers: [made], logger, subscriptions: { claimInterval: 20 } })
  type Running = Awaited<ReturnType<typeof run>>

  const add = (app: Running, count: number) =>
    Promise.all(Array.from({ length: count }, (_each, index) => app.dispatch(Add({ id: `${index % 5}`, by: 1 }))))
  const sums = async () => {
    const [row] = await database.read('SELECT sum(total) AS total, sum(events) AS events FROM totals')
    return [Number(row?.['total'] ?? 0), Number(row?.['events'] ?? 0)]
  }
  const shows = (total: number, events: number) =>
    until(
      async () => JSON.stringify(await sums()) === JSON.stringify([total, events]),
      `[${total}, ${events}] in the view`,
    )
  const tables = async () => {
    const rows = await database.read(
      kind.kind === 'sqlite'
        ? `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'totals%' ORDER BY name`
        : `SELECT tablename AS name FROM pg_tables WHERE tablename LIKE 'totals%' ORDER BY tablename`,
    )
    return rows.map(({ name }) => name)
  }
  const checkpoints = async () => {
    const store = database.store()
    await store.open()
    const listed = await store.listCheckpoints('totals')
    await store.close()
    return listed.map(({ name }) => name)
  }

  /** Reads on and on, as a user's page would; what it gives ends it, and says what went wrong. */
  function readOn(least: () => number): () => Promise<readonly unknown[]> {
    const faults: unknown[] = []
    const going = loop()
    const reading = (async () => {
      while (going.on) {
        const expected = least()
        try {
          const [, events] = await sums()
          if (events! < expected) faults.push(`${events} events, where ${expected} were there before`)
        } catch (error) {
          faults.push(error)
        }
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    return async () => {
      going.on = false
      await reading
      return faults
    }
  }

  it('publishes the first at once', async () => {
    const app = await run(totals(kind))
    expect(await sums()).toEqual([0, 0])
    expect(await tables()).toEqual([tableOf(1, 1)])
    await app.stop()
    expect(await checkpoints()).toEqual(['totals:1.1'])
  })

  it('are rebuilt while readers read and events come, and the old one is gone then', async () => {
    const made = totals(kind, { batchSize: 20 })
    const app = await run(made)
    await add(app, 100)
    await app.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    let acknowledged = 101
    const stopReading = readOn(() => acknowledged)
    const going = loop()
    const writing = (async () => {
      while (going.on) {
        await app.dispatch(Add({ id: '2', by: 1 }), { consistency: 'strong' })
        acknowledged++
      }
    })()
    await app.rebuild(made)
    await app.rebuild(made)
    going.on = false
    await writing
    expect(await stopReading()).toEqual([])
    expect(await sums()).toEqual([acknowledged, acknowledged])
    expect(await tables()).toEqual([tableOf(1, 3)])
    expect(await checkpoints()).toEqual(['totals:1.3'])
  })

  it('is built anew for a new version, while a node of the old one goes on; at the swap that one gives way, with a warning', async () => {
    const oldLogger = recordingLogger()
    const old = await run(totals(kind), oldLogger)
    await add(old, 100)
    await old.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    const go = deferred()
    const rebuilding = new Set<boolean>()
    const next = await run(
      totals(kind, {
        version: 2,
        factor: 10,
        batchSize: 30,
        before: async ({ position }, context) => {
          rebuilding.add(context.rebuilding)
          if (position === 50) await (kind.kind === 'sqlite' ? undefined : go.promise)
        },
      }),
    )
    const stopReading = readOn(() => 101)
    await add(old, 20)
    go.resolve()
    await shows(1_210, 121)
    await next.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    expect(await sums()).toEqual([1_220, 122])
    expect(await stopReading()).toEqual([])
    await until(() => oldLogger.entries.some(({ message }) => message.includes('is superseded by version 2')))
    await old.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    expect(await sums()).toEqual([1_230, 123])
    expect(rebuilding).toEqual(new Set([true, false]))
    expect(await tables()).toEqual([tableOf(2, 2)])
    await until(async () => (await checkpoints()).join() === 'totals:2.2')
  })

  it('never overwrites a newer version with an older one', async () => {
    const app = await run(totals(kind, { version: 2, factor: 10 }))
    await app.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    await app.stop()
    const logger = recordingLogger()
    const old = await run(totals(kind), logger)
    await old.dispatch(Add({ id: '1', by: 1 }))
    expect(logger.entries.map(({ level, message }) => [level, message])).toContainEqual([
      'warn',
      'the projection totals is superseded by version 2: it stands by here, and that one is waited for, until the new definition is deployed on this node too',
    ])
    await expect(old.rebuild(totals(kind))).rejects.toMatchObject({ code: 'invalid_option' })
    expect(await sums()).toEqual([10, 1])
    expect(await tables()).toEqual([tableOf(2, 1)])
  })

  it('goes on with a rebuild where it was, after a restart', async () => {
    let rebuilt = 0
    const held = deferred()
    const reached = deferred()
    const made = (patient: boolean) =>
      totals(kind, {
        batchSize: 10,
        after: async (_recorded, { rebuilding }) => {
          if (!rebuilding) return
          rebuilt++
          if (patient && rebuilt === 41) {
            reached.resolve()
            await held.promise
          }
        },
      })
    const first = made(true)
    const app = await run(first)
    await add(app, 99)
    await app.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    const rebuild = app.rebuild(first)
    await reached.promise
    const stopped = app.stop()
    held.resolve()
    await stopped
    await expect(rebuild).rejects.toMatchObject({ code: 'not_running' })
    const before = rebuilt
    const again = await run(made(false))
    await until(async () => (await tables()).join() === tableOf(1, 2))
    expect(await sums()).toEqual([100, 100])
    // What was committed before was not projected again.
    expect(rebuilt).toBe(100)
    expect(before).toBeGreaterThanOrEqual(41)
    await again.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    expect(await sums()).toEqual([101, 101])
  })

  it('is rebuilt once where two nodes ask for it', async () => {
    let rebuilt = 0
    const made = totals(kind, {
      batchSize: 10,
      after: (_recorded, { rebuilding }) => (rebuilding ? rebuilt++ : rebuilt),
    })
    const one = await run(made)
    const two = await run(made)
    await add(one, 99)
    await one.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    await Promise.all([one.rebuild(made), two.rebuild(made), one.rebuild(made)])
    expect(rebuilt).toBe(100)
    expect(await tables()).toEqual([tableOf(1, 2)])
    for (const app of [one, two]) await app.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    expect(await sums()).toEqual([102, 102])
  })

  it('goes on as it was where a rebuild fails', async () => {
    let broken = true
    const made = totals(kind, {
      before: ({ position }, { rebuilding }) => {
        if (broken && rebuilding && position === 5) throw new Error('broken')
      },
      onError: () => stop(),
    })
    const app = await run(made)
    await add(app, 10)
    await app.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    await expect(app.rebuild(made)).rejects.toThrow('broken')
    await app.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    expect(await sums()).toEqual([12, 12])
    broken = false
    await app.rebuild(made)
    expect(await sums()).toEqual([12, 12])
    expect(await tables()).toEqual([tableOf(1, 2)])
  })

  it('begins a new version anew where it was begun with other tables, and nobody has read it yet', async () => {
    const app = await run(totals(kind))
    await add(app, 10)
    await app.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    await app.stop()
    const logger = recordingLogger()
    const broken = totals(kind, {
      version: 2,
      batchSize: 3,
      before: ({ position }) => {
        if (position === 8) throw new Error('a column is missing')
      },
      onError: () => stop(),
    })
    const failing = await run(broken, logger)
    const isStopped = () => logger.entries.some(({ message }) => message.includes('STOPPED'))
    await until(isStopped, 'the end of the build')
    await failing.stop()
    const mended = projection('totals', {
      version: 2,
      events: [Added],
      tables: { totals: 'id VARCHAR(50), total INTEGER NOT NULL, events INTEGER NOT NULL, note VARCHAR(50) NOT NULL' },
      consistency: 'strong',
      project: ({ by }, recorded, tx: unknown, context) =>
        kind.write(tx, `INSERT INTO ${context.tables.totals} VALUES (?1, ?2, 1, ?3)`, [recorded.streamId, by, 'n']),
    })
    const next = await run(mended)
    await next.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    await until(async () => (await tables()).join() === tableOf(2, 2), 'the swap')
    expect(await sums()).toEqual([12, 12])
    expect(await database.read('SELECT count(*) AS noted FROM totals WHERE note IS NOT NULL')).toHaveLength(1)
    const published = kind.kind === 'sqlite' ? 'edict_publications' : 'edict.publications'
    expect(await database.read(`SELECT name FROM ${published}`)).toEqual([{ name: 'totals' }])
  })

  it('leaves nothing of a build that was given up, once there is another generation to be read', async () => {
    const app = await run(totals(kind))
    await app.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    await app.stop()
    const logger = recordingLogger()
    const fail = () => {
      throw new Error('not so')
    }
    const failing = await run(totals(kind, { version: 2, before: fail, onError: () => stop() }), logger)
    await until(() => logger.entries.some(({ message }) => message.includes('STOPPED')), 'the end of the build')
    await failing.stop()
    expect(await tables()).toEqual([tableOf(1, 1), tableOf(2, 2)])
    const next = await run(totals(kind, { version: 3 }))
    await until(async () => (await tables()).join() === tableOf(3, 2), 'the end of all others')
    await next.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    expect(await sums()).toEqual([2, 2])
    expect(await checkpoints()).toEqual(['totals:3.2'])
  })

  // SQLite drops a table whatever views there are upon it.
  if (kind.kind === 'postgres')
    it('is published though a build that was given up cannot be dropped, which is tried at the next swap', async () => {
      const app = await run(totals(kind))
      await app.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
      await app.stop()
      const logger = recordingLogger()
      const says = (what: string) => logger.entries.filter(({ message }) => message.includes(what))
      const fail = () => {
        throw new Error('not so')
      }
      const failing = await run(totals(kind, { version: 2, before: fail, onError: () => stop() }), logger)
      await until(() => says('STOPPED').length > 0, 'the end of the build')
      await failing.stop()
      await database.read(`CREATE VIEW of_a_user AS SELECT * FROM "${tableOf(2, 2)}"`)
      const next = await run(totals(kind, { version: 3 }), logger)
      await until(() => says('cannot drop totals:2.2').length > 0, 'what becomes of the build')
      expect(await tables()).toEqual([tableOf(2, 2), tableOf(3, 2)])
      expect(await checkpoints()).toEqual(['totals:2.2', 'totals:3.2'])
      await next.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
      expect(await sums()).toEqual([2, 2])
      await next.stop()
      expect(says('cannot drop').map(({ level }) => level)).toEqual(['warn'])
      await database.read('DROP VIEW of_a_user')
      await run(totals(kind, { version: 4 }), logger)
      await until(async () => (await tables()).join() === tableOf(4, 3), 'the end of all others')
      expect(await checkpoints()).toEqual(['totals:4.3'])
    })

  it('drops the views that the new version does not have, and takes other columns', async () => {
    const app = await run(totals(kind))
    await app.dispatch(Add({ id: '1', by: 7 }), { consistency: 'strong' })
    await app.stop()
    const other = projection('totals', {
      version: 2,
      events: [Added],
      tables: {
        totals: 'note VARCHAR(50), by_what INTEGER NOT NULL',
        sizes: (table) => [`CREATE TABLE ${table} (size INTEGER)`, `CREATE INDEX ${table}_size ON ${table} (size)`],
      },
      consistency: 'strong',
      project: async ({ by }, _recorded, tx: unknown, context) => {
        await kind.write(tx, `INSERT INTO ${context.tables.totals} VALUES (?1, ?2)`, ['n', by])
        await kind.write(tx, `INSERT INTO ${context.tables.sizes} VALUES (?1)`, [by])
      },
    })
    const next = await run(other)
    await until(async () => (await tables()).join() === tableOf(2, 2))
    expect(await database.read('SELECT note, by_what FROM totals')).toEqual([{ note: 'n', by_what: 7 }])
    expect(await database.read('SELECT size FROM sizes')).toEqual([{ size: 7 }])
    await next.stop()
    const third = await run(totals(kind, { version: 3 }))
    await until(async () => (await tables()).join() === tableOf(3, 3))
    await expect(database.read('SELECT size FROM sizes')).rejects.toMatchObject({
      message: expect.stringContaining('sizes') as unknown,
    })
    await third.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
    expect(await sums()).toEqual([8, 2])
  })
})
