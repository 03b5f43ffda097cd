import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, reject, router } from 'edict'
import { Add, Added, Counter, Noop, counterRouter, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

describe('another writer on the same store', () => {
  it('is noticed: the command is decided again on what the other wrote', async () => {
    const eventStore = inMemoryEventStore()
    const one = await started({ router: counterRouter, eventStore })
    const other = await started({ router: counterRouter, eventStore })
    await one.dispatch(Add({ id: 'a', by: 1 }))
    await other.dispatch(Add({ id: 'a', by: 10 }))
    await expect(one.dispatch(Add({ id: 'a', by: 100 }))).resolves.toMatchObject({
      aggregateVersion: 3,
      aggregateState: { total: 111 },
    })
  })

  it('who is always faster ends the command with a conflict, after as many attempts as it may have', async () => {
    const eventStore = inMemoryEventStore()
    let attempts = 0
    const other = await started({ router: counterRouter, eventStore })
    const beaten = router('beaten', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          attempts++
          await other.dispatch(Add({ id: 'a', by: 1 }))
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: beaten, eventStore })
    await expect(app.dispatch(Add({ id: 'a', by: 100 }), { retryAttempts: 2 })).rejects.toMatchObject({
      code: 'version_conflict',
      outcome: 'not-executed',
      expected: 2,
      actual: 3,
    })
    expect(attempts).toBe(3)
  })

  it('is noticed by a command that has nothing to append, too: a rejection and a silence are decided on what is true now', async () => {
    const eventStore = inMemoryEventStore()
    const guarded = router('guarded', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch([Add, Noop], {
        aggregate: Counter,
        to: {
          Add: (counter, { by }) => (counter.total + by < 0 ? reject('too_little') : Added({ by })),
          Noop: () => undefined,
        },
      }),
    )
    const one = await started({ router: guarded, eventStore })
    const other = await started({ router: counterRouter, eventStore })
    await one.dispatch(Add({ id: 'a', by: 1 }))
    await other.dispatch(Add({ id: 'a', by: 100 }))
    await expect(one.dispatch(Add({ id: 'a', by: -50 }))).resolves.toMatchObject({ aggregateState: { total: 51 } })
    await other.dispatch(Add({ id: 'a', by: 100 }))
    await expect(one.dispatch(Noop({ id: 'a' }))).resolves.toMatchObject({
      aggregateVersion: 4,
      aggregateState: { total: 151 },
    })
    await expect(one.dispatch(Add({ id: 'a', by: -500 }))).rejects.toMatchObject({ code: 'too_little' })
  })

  it('is seen by aggregateState and aggregateVersion', async () => {
    const eventStore = inMemoryEventStore()
    const one = await started({ router: counterRouter, eventStore })
    const other = await started({ router: counterRouter, eventStore })
    await one.dispatch(Add({ id: 'a', by: 1 }))
    await other.dispatch(Add({ id: 'a', by: 10 }))
    expect([await one.aggregateState(Counter, 'a'), await one.aggregateVersion(Counter, 'a')]).toEqual([
      { total: 11 },
      2,
    ])
  })
})

describe('an expected version', () => {
  it('lets the command through where it holds', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 1 }), { expectedVersion: 0 })
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), { expectedVersion: 1 })).resolves.toMatchObject({
      aggregateVersion: 2,
    })
  })

  it('refuses the command where it does not, without trying again', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 1 }))
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), { expectedVersion: 0 })).rejects.toMatchObject({
      code: 'version_conflict',
      expected: 0,
      actual: 1,
    })
  })

  it('is held against the store, not only against what is in memory', async () => {
    const eventStore = inMemoryEventStore()
    const one = await started({ router: counterRouter, eventStore })
    const other = await started({ router: counterRouter, eventStore })
    await one.dispatch(Add({ id: 'a', by: 1 }))
    await other.dispatch(Add({ id: 'a', by: 1 }))
    await expect(one.dispatch(Add({ id: 'a', by: 1 }), { expectedVersion: 2 })).resolves.toMatchObject({
      aggregateVersion: 3,
    })
  })
})

describe('a command id that the caller gives', () => {
  it('makes the command idempotent: a repeat is answered as the first time, before execute runs', async () => {
    let runs = 0
    const counted = router('counted', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch([Add, Noop], {
        aggregate: Counter,
        to: {
          Add: (_counter, { by }) => {
            runs++
            return [Added({ by }), Added({ by })]
          },
          Noop: () => undefined,
        },
      }),
    )
    const app = await started({ router: counted })
    const first = await app.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'c1', metadata: { user: 'ada' } })
    await app.dispatch(Add({ id: 'a', by: 5 }))
    const again = await app.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'c1' })
    expect(again).toEqual(first)
    expect(runs).toBe(2)
    expect(await app.aggregateVersion(Counter, 'a')).toBe(4)
  })

  it('works over a restart, and over another node', async () => {
    const eventStore = inMemoryEventStore()
    const one = await started({ router: counterRouter, eventStore })
    const first = await one.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'c1' })
    const other = await started({ router: counterRouter, eventStore })
    await expect(other.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'c1' })).resolves.toEqual(first)
  })

  it('lets only one of two that race take effect', async () => {
    const eventStore = inMemoryEventStore()
    const apps = [
      await started({ router: counterRouter, eventStore }),
      await started({ router: counterRouter, eventStore }),
    ]
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => apps[index % 2]!.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'c1' })),
    )
    expect(new Set(results.map(({ events }) => events[0]!.eventId)).size).toBe(1)
    expect(await apps[0]!.aggregateVersion(Counter, 'a')).toBe(1)
  })

  it('of another command is an error', async () => {
    const app = await started({ router: counterRouter })
    await app.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'c1' })
    await expect(app.dispatch(Add({ id: 'a', by: 2 }), { commandId: 'c1' })).rejects.toMatchObject({
      code: 'duplicate_command',
      outcome: 'not-executed',
      commandId: 'c1',
    })
  })

  it('of a rejected command may be used again', async () => {
    const app = await started({ router: counterRouter })
    await expect(app.dispatch(Add({ id: 'a', by: -1 }), { commandId: 'c1' })).rejects.toMatchObject({
      code: 'negative',
    })
    await expect(app.dispatch(Add({ id: 'a', by: 1 }), { commandId: 'c1' })).resolves.toMatchObject({
      aggregateVersion: 1,
    })
  })

  it('may be the same in two streams', async () => {
    const app = await started({ router: counterRouter })
    const [a, b] = await Promise.all(['a', 'b'].map((id) => app.dispatch(Add({ id, by: 1 }), { commandId: 'c1' })))
    expect(a!.events[0]!.eventId).not.toBe(b!.events[0]!.eventId)
  })
})
