import { describe, expect, it } from '@jest/globals'
import type Database from 'better-sqlite3'
import { StoreError, retry, skip, stop, upcaster, type EventStore, type Projection } from 'edict'
import { projection } from 'edict/projections'
import type { ClientBase } from 'pg'
import { Add, Added, counterRouter, deferred, recordingLogger, started, until } from '../support/counter.ts'
import { altered, projectedDatabase, storeKinds, totals } from './projection-harness.ts'

describe.each(storeKinds)('a projection on %s', (_, kind) => {
  const database = projectedDatabase(kind)

  const run = (projection: Projection, eventStore: EventStore = database.store(), logger = recordingLogger()) =>
    started({ router: counterRouter, eventStore, handlers: [projection], logger, subscriptions: { claimInterval: 20 } })

  const add = (app: Awaited<ReturnType<typeof run>>, count: number, id = 'a') =>
    Promise.all(Array.from({ length: count }, () => app.dispatch(Add({ id, by: 1 }))))

  const total = async (id = 'a') => {
    const rows = await database.read(`SELECT total, events FROM totals WHERE id = 'counter-${id}'`)
    return [rows[0]?.['total'] ?? 0, rows[0]?.['events'] ?? 0]
  }
  const isAt = (count: number) => until(async () => (await total())[1] === count, `${count} events in the view`)

  it('shows what a strong dispatch has written', async () => {
    const app = await run(totals(kind))
    for (let count = 1; count <= 5; count++) {
      await app.dispatch(Add({ id: 'a', by: 3 }), { consistency: 'strong' })
      expect(await total()).toEqual([3 * count, count])
    }
  })

  it('goes on where it was after a restart, each event once', async () => {
    for (let round = 1; round <= 4; round++) {
      const app = await run(totals(kind, { batchSize: 7 }))
      await add(app, 25)
      await app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
      expect(await total()).toEqual([26 * round, 26 * round])
      await app.stop()
    }
  })

  it('has each event once, though it throws before and after its writes and is stopped in between', async () => {
    let calls = 0
    const flaky = () => {
      if (++calls % 7 === 0) throw new Error('flaky')
    }
    const options = { batchSize: 10, before: flaky, after: flaky, onError: () => retry({ after: 0 }) }
    let app = await run(totals(kind, options))
    for (let round = 1; round <= 3; round++) {
      await add(app, 30)
      if (round === 2) await isAt(60)
      await app.stop()
      app = await run(totals(kind, options))
    }
    await app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    expect(await total()).toEqual([91, 91])
  })

  it('keeps nothing of an event that it failed at, and all that came before it', async () => {
    const app = await run(
      totals(kind, {
        after: ({ streamVersion }) => {
          if (streamVersion === 8) throw new Error('eight')
        },
        onError: () => stop(),
      }),
    )
    await add(app, 10)
    await isAt(7)
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })).rejects.toMatchObject({
      code: 'consistency_timeout',
      laggards: ['totals'],
    })
    expect(await total()).toEqual([7, 7])
  })

  it('stops at once where its code ends the transaction, since to try again would write the same once more', async () => {
    const logger = recordingLogger()
    const commit = (_recorded: unknown, _context: unknown, tx: unknown) =>
      kind.kind === 'sqlite' ? (tx as Database.Database).exec('COMMIT') : (tx as ClientBase).query('COMMIT')
    const app = await run(totals(kind, { after: commit, onError: () => retry({ after: 0 }) }), database.store(), logger)
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })).rejects.toMatchObject({
      code: 'consistency_timeout',
      laggards: ['totals'],
    })
    expect(await total()).toEqual([1, 1])
    expect(logger.entries).toContainEqual({
      level: 'error',
      fields: expect.objectContaining({ projection: 'totals' }),
      message: expect.stringMatching(/STOPPED.*leave BEGIN, COMMIT and ROLLBACK to the store/),
    })
  })

  it('stops at once, too, where its code ends the transaction and fails then, whatever is to be done about failures', async () => {
    const logger = recordingLogger()
    const commit = async (_recorded: unknown, _context: unknown, tx: unknown) => {
      await (kind.kind === 'sqlite' ? (tx as Database.Database).exec('COMMIT') : (tx as ClientBase).query('COMMIT'))
      throw new Error('after its end')
    }
    const onError = (_error: unknown, _recorded: unknown, { failures }: { readonly failures: number }) =>
      failures < 5 ? retry({ after: 0 }) : skip()
    const app = await run(totals(kind, { after: commit, onError }), database.store(), logger)
    await app.dispatch(Add({ id: 'a', by: 1 }))
    const stopped = () => logger.entries.find(({ message }) => message.includes('STOPPED'))
    await until(() => stopped() !== undefined, 'the end of the projection')
    expect(await total()).toEqual([1, 1])
    expect(stopped()).toMatchObject({
      level: 'error',
      fields: { projection: 'totals' },
      message: expect.stringMatching(/leave BEGIN, COMMIT and ROLLBACK to the store/) as unknown,
    })
  })

  it('passes over an event that is skipped, and over no other', async () => {
    const seen: [number, number][] = []
    const logger = recordingLogger()
    const app = await run(
      totals(kind, {
        after: ({ streamVersion }, { attempt }) => {
          if (streamVersion !== 8) return
          seen.push([streamVersion, attempt])
          throw new Error('eight')
        },
        onError: (_error, _recorded, { failures }) => (failures < 3 ? retry({ after: 0 }) : skip()),
      }),
      database.store(),
      logger,
    )
    await app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    await add(app, 10)
    await app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    expect(await total()).toEqual([11, 11])
    expect(seen.map(([, attempt]) => attempt).slice(-3)).toEqual([1, 2, 3])
    expect(logger.entries.map(({ message }) => message)).toContain(
      'the projection totals skips Added, position 8: eight',
    )
  })

  it('writes many events in one transaction while it catches up, and never more than its batch size', async () => {
    const writer = await started({ router: counterRouter, eventStore: database.store() })
    await add(writer, 230)
    const sizes: number[] = []
    const store = altered(database.store(), (projections) => ({
      transaction: (work) => {
        sizes.push(0)
        return projections.transaction(work)
      },
    }))
    const begun = Date.now()
    const app = await run(
      totals(kind, {
        batchSize: 50,
        before: () => {
          sizes[sizes.length - 1]! += 1
        },
      }),
      store,
    )
    await isAt(230)
    await app.stop()
    const batches = sizes.filter((size) => size > 0)
    expect(Math.max(...batches)).toBeLessThanOrEqual(50)
    // On a machine that is slow, a batch ends after its 100 ms.
    expect(batches.length).toBeLessThan(40 + (Date.now() - begun) / 100)
    expect(batches.reduce((sum, size) => sum + size)).toBe(230)
  })

  it('has an event once though the answer to its commit was lost', async () => {
    let losses = 0
    const store = altered(database.store(), (projections) => ({
      transaction: async (work) => {
        const result = await projections.transaction(work)
        const isBatch = typeof result === 'object' && result !== null && 'passed' in result
        if (isBatch && ++losses % 3 === 0) throw new StoreError('the connection is gone', { outcome: 'unknown' })
        return result
      },
    }))
    const app = await run(totals(kind, { onError: () => retry({ after: 0 }) }), store)
    for (let count = 0; count < 20; count++) await app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    expect(losses).toBeGreaterThan(20)
    expect(await total()).toEqual([20, 20])
  })

  it('waits for a store that cannot begin a transaction, without counting it as a failure of its own', async () => {
    let away = false
    const store = altered(database.store(), (projections) => ({
      transaction: (work) =>
        away ? Promise.reject(new StoreError('the database is away')) : projections.transaction(work),
    }))
    let asked = 0
    const app = await run(
      totals(kind, {
        onError: () => {
          asked++
          return stop()
        },
      }),
      store,
    )
    away = true
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    away = false
    await isAt(1)
    expect(asked).toBe(0)
  })

  it('writes nothing once another owner has taken its place', async () => {
    const store = database.store()
    const app = await run(totals(kind), store)
    await app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    const thief = database.store()
    await thief.open()
    const robbery = { owner: 'thief', startAfter: 0, lease: 600_000, force: true }
    const taken = await thief.claimCheckpoint('totals:1.1', robbery)
    expect(taken).toMatchObject({ position: 1 })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    const idle = await started({ router: counterRouter, eventStore: database.store() })
    await idle.dispatch(Add({ id: 'a', by: 1 }))
    expect(await thief.readCheckpoint('totals:1.1')).toMatchObject({ position: 1, epoch: taken!.epoch })
    expect(await total()).toEqual([1, 1])
    await thief.releaseCheckpoint('totals:1.1', taken!.epoch)
    await thief.close()
    await isAt(3)
  })

  it('is waited for by a dispatch on another node', async () => {
    const owner = await run(totals(kind))
    const other = await run(totals(kind))
    for (let count = 1; count <= 3; count++) {
      await other.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
      expect(await total()).toEqual([count, count])
    }
    await owner.stop()
    await other.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    expect(await total()).toEqual([4, 4])
  })

  it('keeps its place within the events that were made of a stored one', async () => {
    const eachOne = upcaster('Added', {
      upcast: ({ data }) => Array.from({ length: (data as { by: number }).by }, () => ({ data: { by: 1 } })),
    })
    let calls = 0
    const projected = totals(kind, {
      batchSize: 2,
      after: () => {
        if (++calls % 4 === 0) throw new Error('flaky')
      },
      onError: () => retry({ after: 0 }),
    })
    for (let round = 1; round <= 3; round++) {
      const app = await started({
        router: counterRouter,
        eventStore: database.store(),
        handlers: [projected],
        upcasters: [eachOne],
      })
      await app.dispatch(Add({ id: 'a', by: 5 }))
      if (round === 2) await app.dispatch(Add({ id: 'a', by: 3 }), { consistency: 'strong' })
      await app.stop()
    }
    const last = await started({
      router: counterRouter,
      eventStore: database.store(),
      handlers: [projected],
      upcasters: [eachOne],
    })
    await last.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
    expect(await total()).toEqual([19, 19])
  })

  it('ends the transaction in hand when it is stopped', async () => {
    const begun = deferred()
    const go = deferred()
    const app = await run(
      totals(kind, {
        after: async () => {
          begun.resolve()
          await go.promise
        },
      }),
    )
    void app.dispatch(Add({ id: 'a', by: 1 }))
    await begun.promise
    const stopped = app.stop()
    go.resolve()
    await stopped
    expect(await total()).toEqual([1, 1])
  })

  it('fails with a clear error where its tables cannot be made', async () => {
    const logger = recordingLogger()
    const wrong = projection('wrong', {
      events: [Added],
      tables: { wrong: 'this is no SQL,' },
      consistency: 'strong',
      project: () => undefined,
    })
    const app = await run(wrong, database.store(), logger)
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })).rejects.toMatchObject({
      code: 'consistency_timeout',
    })
    expect(logger.entries.find(({ level }) => level === 'error')?.message).toMatch(
      /the projection wrong is STOPPED .*: the tables of the projection wrong cannot be made: /,
    )
  })
})
