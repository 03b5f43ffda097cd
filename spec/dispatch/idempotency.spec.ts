import { describe, expect, it } from '@jest/globals'
import { eventHandler, retry, router, stop, type ExecutionResult } from 'edict'
import { Add, Added, Counter, Explode, Noop, counterRouter, deferred, started, until } from '../support/counter.ts'
import { everyStore } from '../support/every-store.ts'

const add = (by = 1, id = 'a') => Add({ id, by })
const once = { commandId: 'once' }

/** All of a result but the reply, which is not kept. */
const kept = ({ reply: _, ...result }: ExecutionResult) => result

describe.each(everyStore)('a command with an id of its caller’s, on $kind,', ({ share }) => {
  const stores = share()

  it('takes effect once, however many send it at the same time, on one node and on another', async () => {
    const nodes = [
      await started({ router: counterRouter, eventStore: stores.node() }),
      await started({ router: counterRouter, eventStore: stores.node() }),
    ]
    const results = await Promise.all(Array.from({ length: 12 }, (_, index) => nodes[index % 2]!.dispatch(add(), once)))
    for (const result of results) expect(kept(result)).toEqual(kept(results[0]!))
    expect(results[0]).toMatchObject({ aggregateVersion: 1, position: 1, aggregateState: { total: 1 } })
    for (const node of nodes) expect(await node.aggregateVersion(Counter, 'a')).toBe(1)
  })

  it('is answered as the first time after others have gone on, after its aggregate left the memory, and after a restart', async () => {
    const snapshots = { Counter: { every: 2 } }
    const definition = { router: counterRouter, cache: { aggregates: 1 }, snapshots }
    const eventStore = stores.node()
    const app = await started({ ...definition, eventStore })
    await app.dispatch(add())
    const first = await app.dispatch(add(10), { ...once, metadata: { user: 'ada' } })
    // Kept at the very version of the command that comes again.
    await until(async () => (await eventStore.readSnapshot('counter-a'))?.streamVersion === 2, 'the snapshot')
    await app.dispatch(add(1, 'b'))
    expect(kept(await app.dispatch(add(10), once))).toEqual(kept(first))
    await app.dispatch(add(100))
    expect(kept(await app.dispatch(add(10), once))).toEqual(kept(first))
    await app.stop()
    const again = await started({ ...definition, eventStore: stores.node() })
    expect(kept(await again.dispatch(add(10), once))).toEqual(kept(first))
    expect(await again.aggregateState(Counter, 'a')).toEqual({ total: 111 })
  })

  it('is refused where it is another command, also while the first one is under way', async () => {
    const one = await started({ router: counterRouter, eventStore: stores.node() })
    const other = await started({ router: counterRouter, eventStore: stores.node() })
    const outcomes = await Promise.allSettled([one.dispatch(add(1), once), other.dispatch(add(2), once)])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    expect(refused?.reason).toMatchObject({ code: 'duplicate_command', commandId: 'once', outcome: 'not-executed' })
    for (const node of [one, other]) {
      await expect(node.dispatch(add(3), once)).rejects.toMatchObject({ code: 'duplicate_command' })
    }
  })

  it('may be sent again where it was rejected, where it failed, and where it stored nothing', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node() })
    await expect(app.dispatch(add(-1), once)).rejects.toMatchObject({ code: 'negative' })
    await expect(app.dispatch(Explode({ id: 'a', with: 'it' }), once)).rejects.toMatchObject({ code: 'command_failed' })
    await expect(app.dispatch(Noop({ id: 'a' }), once)).resolves.toMatchObject({ events: [], position: 0 })
    await expect(app.dispatch(Noop({ id: 'a' }), once)).resolves.toMatchObject({ events: [], position: 0 })
    // Nothing was stored under the id, so that another command may have it.
    await expect(app.dispatch(add(5), once)).resolves.toMatchObject({ aggregateVersion: 1 })
    await expect(app.dispatch(add(5), once)).resolves.toMatchObject({ aggregateVersion: 1 })
  })

  it('of a handler takes effect once, though its event comes again', async () => {
    const done = deferred()
    const follow = eventHandler('follow', {
      events: [Added],
      handle: async (_data, { streamId, eventId }, { dispatch, attempt }) => {
        if (streamId !== 'counter-a') return
        const { aggregateVersion } = await dispatch(add(7, 'b'), { commandId: `follow-${eventId}` })
        expect(aggregateVersion).toBe(1)
        if (attempt === 1) throw new Error('after the dispatch')
        done.resolve()
      },
      onError: (_error, _recorded, { failures }) => (failures > 3 ? stop() : retry({ after: 1 })),
    })
    const app = await started({ router: counterRouter, eventStore: stores.node(), handlers: [follow] })
    await app.dispatch(add())
    await done.promise
    expect(await app.aggregateState(Counter, 'b')).toEqual({ total: 7 })
  })

  it('with an expected version is answered as the first time, though the version has moved since', async () => {
    const app = await started({ router: counterRouter, eventStore: stores.node() })
    const first = await app.dispatch(add(), { ...once, expectedVersion: 0 })
    await app.dispatch(add())
    expect(kept(await app.dispatch(add(), { ...once, expectedVersion: 0 }))).toEqual(kept(first))
    await expect(app.dispatch(add(), { commandId: 'new', expectedVersion: 0 })).rejects.toMatchObject({
      code: 'version_conflict',
    })
  })
})

describe.each(everyStore)('a form that was filled in a while ago, on $kind,', ({ share }) => {
  const stores = share()

  it('is refused with a typed conflict where somebody was faster, decided once, and let through where nobody was', async () => {
    let decisions = 0
    const counting = router('counting', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: (_counter, { by }) => {
          decisions++
          return Added({ by })
        },
      }),
    )
    const one = await started({ router: counting, eventStore: stores.node() })
    const other = await started({ router: counterRouter, eventStore: stores.node() })
    await other.dispatch(add())
    // Two people open the form, and both send it.
    const expectedVersion = await one.aggregateVersion(Counter, 'a')
    await other.dispatch(add(), { expectedVersion })
    const outcome = await one.tryDispatch(add(), { expectedVersion })
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'version_conflict', outcome: 'not-executed', streamId: 'counter-a', expected: 1, actual: 2 },
    })
    if (!outcome.ok && outcome.error.code === 'version_conflict') expect(outcome.error.actual).toBe(2)
    expect(decisions).toBe(0)
    await one.dispatch(add(), { expectedVersion: 2 })
    expect(decisions).toBe(1)
  })

  it('is not tried again where another node writes between its decision and its append', async () => {
    const other = await started({ router: counterRouter, eventStore: stores.node() })
    let decisions = 0
    const beaten = router('beaten', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          decisions++
          await other.dispatch(add())
          return Added({ by })
        },
      }),
    )
    const app = await started({ router: beaten, eventStore: stores.node() })
    await expect(app.dispatch(add(), { expectedVersion: 0 })).rejects.toMatchObject({
      code: 'version_conflict',
      expected: 0,
      actual: 1,
    })
    expect(decisions).toBe(1)
  })
})
