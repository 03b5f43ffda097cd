import { describe, expect, it } from '@jest/globals'
import { continueWith, readAllEvents, retry, type CheckpointState, type EventStore } from 'edict'
import { Add, Counter, counterRouter, deferred, started, until } from '../support/counter.ts'
import { everyDurableStore, everyStore } from '../support/every-store.ts'
import { add, copier, sourceOf, type CounterApplication } from './process-harness.ts'

type Definition = NonNullable<Parameters<typeof copier>[0]>

async function node(
  store: EventStore,
  definition: Definition,
): Promise<{ app: CounterApplication; seen: (id: string) => Promise<readonly number[] | undefined> }> {
  const manager = copier({ consistency: 'strong', ...definition })
  const app = await started({
    router: counterRouter,
    eventStore: store,
    handlers: [manager],
    defaults: { consistency: 'strong', consistencyTimeout: 20_000, timeout: 20_000 },
    subscriptions: { lease: 300, claimInterval: 20 },
  })
  return { app, seen: async (id) => (await app.processState(manager, id))?.seen }
}

/** What a crash does that comes before the place was written: the events after it come again. */
async function forgetPlace(store: EventStore): Promise<void> {
  await store.open()
  const claim = await store.claimCheckpoint('copier', { owner: 'the spec', startAfter: 0 })
  await store.saveCheckpoint({ ...claim!, position: 0, index: 0 })
  await store.releaseCheckpoint('copier', claim!.epoch)
  await store.close()
}

async function amounts(store: EventStore, stream: string): Promise<number[]> {
  const found: number[] = []
  await store.open()
  for await (const { streamId, data, contentType } of readAllEvents(store)) {
    if (streamId !== stream) continue
    const value = contentType.includes('json') ? (JSON.parse(String(data)) as unknown) : data
    found.push((value as { by: number }).by)
  }
  await store.close()
  return found
}

describe.each(everyStore)('a process manager whose events come again, on $kind,', ({ share }) => {
  const stores = share()

  it('has no second effect, and changes its state no second time', async () => {
    const before = await node(stores.node(), {})
    await add(before.app, 'a', 1, 2)
    await add(before.app, 'b', 5)
    await before.app.stop()
    await forgetPlace(stores.node())
    const after = await node(stores.node(), {})
    await add(after.app, 'a', 3)
    expect([await after.seen('a'), await after.seen('b')]).toEqual([[1, 2, 3], [5]])
    expect(await amounts(stores.node(), 'counter-to-a')).toEqual([1, 2, 3])
    expect(await amounts(stores.node(), 'counter-to-b')).toEqual([5])
  }, 120_000)

  it('gives its commands the ids of before, also where their state was lost', async () => {
    const before = await node(stores.node(), {
      handle: (_s, { by }) => [Add({ id: 'to-1', by }), Add({ id: 'to-1', by: 10 * by })],
    })
    await add(before.app, 'a', 1, 2)
    await before.app.stop()
    await forgetPlace(stores.node())
    const opened = stores.node()
    await opened.open()
    await opened.deleteSnapshot('edict.process-copier#a')
    await opened.close()
    const after = await node(stores.node(), {
      handle: (_s, { by }) => [Add({ id: 'to-1', by }), Add({ id: 'to-1', by: 10 * by })],
    })
    await add(after.app, 'a', 3)
    expect(await after.seen('a')).toEqual([1, 2, 3])
    expect(await amounts(stores.node(), 'counter-to-1')).toEqual([1, 10, 2, 20, 3, 30])
  }, 120_000)

  it('does not begin an instance anew that was over', async () => {
    const interested: Definition['interested'] = ({ by }, { streamId }) => {
      const id = sourceOf(streamId)
      if (id === undefined) return undefined
      return by === 0 ? { stop: id } : { start: id }
    }
    const before = await node(stores.node(), {
      interested,
      handle: (_s, { by }, _r, { instanceId }) => {
        if (instanceId === 'slow') throw new Error('not for a long time')
        return Add({ id: `to-${instanceId}`, by })
      },
      onError: () => retry({ after: 3_600_000 }),
      consistency: 'eventual',
    })
    await add(before.app, 'slow', 1)
    await add(before.app, 'a', 1, 2, 0)
    // The slow one holds the place, so that all of these come again.
    await until(async () => (await before.app.aggregateState(Counter, 'to-a')).total === 3, 'the copies')
    await until(async () => (await before.seen('a')) === undefined, 'the end')
    // It is left behind as after a crash, with its place before them all.
    await before.app.stop()
    const again = await node(stores.node(), {
      interested,
      handle: (_s, { by }, _r, { instanceId }) => Add({ id: `to-${instanceId}-again`, by }),
    })
    await add(again.app, 'b', 1)
    expect(await again.seen('a')).toBeUndefined()
    expect(await amounts(stores.node(), 'counter-to-a')).toEqual([1, 2])
    expect(await amounts(stores.node(), 'counter-to-a-again')).toEqual([])
  }, 120_000)

  it('goes on as onError decided the first time, and does not ask again', async () => {
    let decisions = 0
    let refused = true
    const applying = deferred()
    const definition: Definition = {
      handle: () => [Add({ id: 'to-1', by: refused ? -1 : 100 }), Add({ id: 'to-1', by: 1 })],
      onError: () => {
        decisions++
        return continueWith([Add({ id: 'to-2', by: 2 })])
      },
      consistency: 'eventual',
    }
    const before = await node(stores.node(), {
      ...definition,
      afterCommand: () => {
        applying.resolve()
        throw new Error('crash')
      },
      onError: (error, failure, context) =>
        failure.during === 'command' ? definition.onError!(error, failure, context) : retry({ after: 3_600_000 }),
    })
    await add(before.app, 'a', 5)
    await applying.promise
    // It stops before the state is stored, as by a crash.
    refused = false
    await before.app.stop()
    const after = await node(stores.node(), definition)
    await until(async () => (await after.seen('a'))?.length === 1, 'the event')
    expect(decisions).toBe(1)
    expect(await amounts(stores.node(), 'counter-to-1')).toEqual([])
    expect(await amounts(stores.node(), 'counter-to-2')).toEqual([2])
  }, 120_000)
})

describe.each(everyDurableStore)('a process manager on several nodes, on $kind,', ({ share }) => {
  const stores = share()

  it('runs on one of them, and another goes on when that one stops', async () => {
    const nodes = [await node(stores.node(), {}), await node(stores.node(), {})]
    await add(nodes[0]!.app, 'a', 1)
    await add(nodes[1]!.app, 'a', 2)
    await nodes[0]!.app.stop()
    await add(nodes[1]!.app, 'a', 3)
    expect(await nodes[1]!.seen('a')).toEqual([1, 2, 3])
    expect(await amounts(stores.node(), 'counter-to-a')).toEqual([1, 2, 3])
  }, 120_000)

  it('does not let an owner write its state that was superseded meanwhile', async () => {
    const hanging = deferred()
    const begun = deferred()
    const first = await node(stores.node(), {
      handle: async (_s, { by }) => {
        begun.resolve()
        await hanging.promise
        return Add({ id: 'to-a', by })
      },
      apply: () => ({ seen: [-1] }),
      consistency: 'eventual',
    })
    await first.app.dispatch(Add({ id: 'from-a', by: 1 }))
    await begun.promise
    const spec = stores.node()
    await spec.open()
    // As where its node had stood still for longer than its lease: another one claims the place.
    await spec.deleteCheckpoint('copier')
    const second = await node(stores.node(), {})
    const held = async (): Promise<readonly CheckpointState[]> => spec.listCheckpoints('copier')
    await until(async () => (await second.seen('a'))?.length === 1 || (await held()).length === 0, 'the second')
    hanging.resolve()
    await add(second.app, 'a', 2)
    await until(async () => (await second.seen('a'))?.length === 2, 'both events')
    expect(await amounts(stores.node(), 'counter-to-a')).toEqual([1, 2])
    await spec.close()
  }, 120_000)
})
