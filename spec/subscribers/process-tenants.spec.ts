import { afterEach, describe, expect, it } from '@jest/globals'
import { DispatchTooDeepError, park } from 'edict'
import { Add, Counter, counterRouter, started, stopAll, until } from '../support/counter.ts'
import { copier } from './process-harness.ts'

afterEach(stopAll)

/** The copier, for counters of any tenant: the tenant is a part of the stream's id. */
const anyTenant: Parameters<typeof copier>[0] = {
  interested: {
    Added: (_data, { streamId }) => {
      const id = /counter-from-(.*)$/.exec(streamId)?.[1]
      return id === undefined ? undefined : { start: id }
    },
  },
}

const acme = { tenant: 'acme' }
const other = { tenant: 'other' }

describe('a process manager that serves several tenants', () => {
  it('keeps an instance for each, and dispatches to the aggregates of the one that the event is of', async () => {
    const manager = copier(anyTenant)
    const app = await started({ router: counterRouter, handlers: [manager] })
    await app.dispatch(Add({ id: 'from-a', by: 1 }), acme)
    await app.dispatch(Add({ id: 'from-a', by: 10 }), other)
    await app.dispatch(Add({ id: 'from-a', by: 100 }))
    await until(async () => (await app.processState(manager, 'a'))?.seen.length === 1, 'the one without a tenant')
    const seen = await Promise.all([acme, other, {}].map((whose) => app.processState(manager, 'a', whose)))
    expect(seen).toEqual([{ seen: [1] }, { seen: [10] }, { seen: [100] }])
    const totals = await Promise.all([acme, other, {}].map((whose) => app.aggregateState(Counter, 'to-a', whose)))
    expect(totals.map(({ total }) => total)).toEqual([1, 10, 100])
  })

  it('takes an id that looks like that of a tenant for another one', async () => {
    const manager = copier(anyTenant)
    const app = await started({ router: counterRouter, handlers: [manager] })
    await app.dispatch(Add({ id: 'from-a', by: 1 }), acme)
    await app.dispatch(Add({ id: 'from-acme/a', by: 2 }))
    await until(async () => (await app.processState(manager, 'acme/a'))?.seen.length === 1, 'the second')
    expect(await app.processState(manager, 'a', acme)).toEqual({ seen: [1] })
    expect(await app.processState(manager, 'a')).toBeUndefined()
  })

  it('parks the events of the tenant whose event is poison, and no other', async () => {
    const handled: string[] = []
    const manager = copier({
      ...anyTenant,
      handle: (_state, { by }, { tenant }) => {
        if (tenant === 'acme') throw new Error('poison')
        handled.push(`${tenant}: ${by}`)
      },
      onError: () => park(),
    })
    const app = await started({ router: counterRouter, handlers: [manager] })
    await app.dispatch(Add({ id: 'from-a', by: 1 }), acme)
    await app.dispatch(Add({ id: 'from-a', by: 2 }), other)
    await until(() => handled.length === 1, 'the other tenant')
    expect(handled).toEqual(['other: 2'])
  })
})

describe('a process manager whose commands lead to its own events for ever', () => {
  it('is cut at the depth of the application, and hears of it as of any failure', async () => {
    const failures: unknown[] = []
    const endless = copier({
      interested: { Added: () => ({ start: 'one' }) },
      handle: () => Add({ id: 'self', by: 1 }),
      onError: (error, { during }) => {
        failures.push([during, error])
        return park()
      },
    })
    const app = await started({ router: counterRouter, handlers: [endless], maxDepth: 5 })
    await app.dispatch(Add({ id: 'self', by: 1 }))
    await until(() => failures.length > 0, 'the cut')
    expect(failures).toEqual([['command', expect.any(DispatchTooDeepError)]])
    expect((await app.aggregateState(Counter, 'self')).total).toBe(6)
  })
})
