import { describe, expect, it } from '@jest/globals'
import { retry, stop, type Projection } from 'edict'
import { Add, counterRouter, recordingLogger, started, until } from '../support/counter.ts'
import { projectedDatabase, storeKinds, totals } from './projection-harness.ts'

describe.each(storeKinds)('a projection on %s, when a new version of it is deployed', (_, kind) => {
  const database = projectedDatabase(kind)

  const run = (made: Projection, logger = recordingLogger()) =>
    started({
      router: counterRouter,
      eventStore: database.store(),
      handlers: [made],
      logger,
      subscriptions: { claimInterval: 20 },
    })
  const add = (app: Awaited<ReturnType<typeof run>>) => app.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong' })
  const total = async () => Number((await database.read('SELECT total FROM totals'))[0]?.['total'])
  const told = (logger: ReturnType<typeof recordingLogger>) =>
    logger.entries.filter(({ level }) => level !== 'info').map(({ message }) => message)
  const SUPERSEDED =
    'the projection totals is superseded by version 2: it stands by here, and that one is waited for, until the new definition ' +
    'is deployed on this node too'

  it('is waited for on old nodes as one that runs elsewhere', async () => {
    const oldLogger = recordingLogger()
    const newLogger = recordingLogger()
    const old = await run(totals(kind), oldLogger)
    for (let count = 0; count < 5; count++) await add(old)
    const next = await run(totals(kind, { version: 2, factor: 10 }), newLogger)
    for (let count = 0; count < 20; count++) {
      await add(old)
      await add(next)
    }
    expect(await total()).toBe(450)
    await until(() => told(oldLogger).length > 0, 'the warning')
    expect(told(oldLogger)).toEqual([SUPERSEDED])
    expect(told(newLogger)).toEqual([])
  })

  it('is waited for on an old node that starts after the swap, and goes on being so when it is rebuilt', async () => {
    const made = totals(kind, { version: 2, factor: 10 })
    const next = await run(made)
    await add(next)
    const oldLogger = recordingLogger()
    const old = await run(totals(kind), oldLogger)
    expect(told(oldLogger)).toEqual([SUPERSEDED])
    await add(old)
    expect(await total()).toBe(20)
    await expect(old.rebuild(totals(kind))).rejects.toMatchObject({ code: 'invalid_option' })
    await next.rebuild(made)
    await add(old)
    expect(await total()).toBe(30)
    expect(told(oldLogger)).toEqual([SUPERSEDED])
  })

  it('takes more than its time only where nobody runs the new version', async () => {
    const next = await run(totals(kind, { version: 2 }))
    await next.stop()
    const old = await run(totals(kind))
    await expect(
      old.dispatch(Add({ id: 'a', by: 1 }), { consistency: 'strong', consistencyTimeout: 50 }),
    ).rejects.toMatchObject({
      code: 'consistency_timeout',
      message: expect.stringMatching(/^Add is stored, but not handled by totals after \d+ ms$/) as unknown,
    })
  })

  it('is built all the same where an old node rebuilds the old version meanwhile', async () => {
    const made = totals(kind)
    const old = await run(made)
    await add(old)
    let isHeld = true
    const next = await run(
      totals(kind, {
        version: 2,
        factor: 10,
        before: () => {
          if (isHeld) throw new Error('held')
        },
        onError: () => retry({ after: 5 }),
      }),
    )
    await old.rebuild(made)
    isHeld = false
    await until(async () => (await total()) === 10, 'version 2')
    await add(next)
    expect(await total()).toBe(20)
  })

  it('cannot be rebuilt by an old node, which says why', async () => {
    const next = await run(totals(kind, { version: 2 }))
    const made = totals(kind)
    const old = await run(made)
    await expect(old.rebuild(made)).rejects.toMatchObject({
      code: 'not_running',
      message: 'the projection totals is superseded by version 2, so that it cannot be rebuilt here',
    })
    await next.stop()
  })

  it('is swapped, and rebuilt, without a false alarm', async () => {
    const logger = recordingLogger()
    const made = totals(kind, { batchSize: 5 })
    const app = await run(made, logger)
    for (let round = 0; round < 10; round++) {
      const going = Promise.all(Array.from({ length: 20 }, () => add(app)))
      await app.rebuild(made)
      await going
    }
    await app.stop()
    expect(told(logger)).toEqual([])
  })

  it('tells what it failed with, and at what, where there is such a thing', async () => {
    const logger = recordingLogger()
    const broken = totals(kind, {
      before: () => {
        throw new Error('broken')
      },
      onError: () => stop(),
    })
    const app = await run(broken, logger)
    await expect(add(app)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Add is stored, but not handled by totals \(which has stopped\) after \d+ ms$/,
      ) as unknown,
    })
    const failure = logger.entries.find(({ level }) => level === 'error')
    expect(Object.keys(failure!.fields)).toEqual(['projection', 'application', 'error', 'eventId', 'position', 'type'])
    await app.stop()
    const changed = recordingLogger()
    await run(
      totals(kind, {
        version: 2,
        before: () => {
          throw new Error('broken')
        },
        onError: () => stop(),
      }),
      changed,
    )
    await until(() => changed.entries.some(({ level }) => level === 'error'))
    expect(changed.entries.find(({ level }) => level === 'error')!.fields).not.toMatchObject({ eventId: undefined })
  })
})
