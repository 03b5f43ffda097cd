import { describe, expect, it } from '@jest/globals'
import { eventHandler } from 'edict'
import {
  assertCorrelated,
  assertReceiveEvent,
  refuteReceiveEvent,
  resetApplication,
  settled,
  waitForEvent,
} from 'edict/testing'
import { projectedDatabase, storeKinds, totals } from '../subscribers/projection-harness.ts'
import { Add, Added, counterRouter, started } from '../support/counter.ts'
import { thrownBy } from './thrown-by.ts'

const echo = eventHandler('echo', {
  events: [Added],
  handle: async ({ by }, { streamId }, { dispatch }) => {
    if (streamId === 'counter-a') await dispatch(Add({ id: 'b', by: by * 10 }))
  },
})

const patient = { timeout: 60_000 }

describe.each(storeKinds)('the testing kit with an application on %s', (_, kind) => {
  const database = projectedDatabase(kind)

  const run = () => started({ router: counterRouter, eventStore: database.store(), handlers: [echo, totals(kind)] })

  it('finds what is stored and what comes, and knows when handlers and projections have come to rest', async () => {
    const app = await run()
    const coming = waitForEvent(app, Added, ({ by }) => by === 10, patient)
    await app.dispatch(Add({ id: 'a', by: 1 }))
    expect(await coming).toMatchObject({ streamId: 'counter-b', position: 2 })
    await assertReceiveEvent(app, Added, ({ by }) => by === 1, patient)
    await assertCorrelated(app, [Added, ({ by }) => by === 1], [Added, ({ by }) => by === 10], patient)
    expect(await settled(app, patient)).toBe(2)
    expect(await database.read(`SELECT total FROM totals WHERE id = 'counter-b'`)).toMatchObject([{ total: 10 }])
    await refuteReceiveEvent(app, Added, ({ by }) => by > 10, patient)
  }, 120_000)

  it('does not reset it', async () => {
    expect(await thrownBy(async () => resetApplication(await run()))).toMatchObject({ code: 'unsupported_capability' })
  })
})
