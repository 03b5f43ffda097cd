import { afterEach, describe, expect, it } from '@jest/globals'
import {
  application,
  continueWith,
  readAllEvents,
  type ApplicationDefinition,
  type CheckpointState,
  type EventStore,
} from 'edict'
import { Add, Counter, counterRouter, deferred, recordingLogger, until } from '../support/counter.ts'
import { add, copier, sourceOf, storeKinds, type CounterApplication, type StoreKind } from './process-harness.ts'

type Definition = NonNullable<Parameters<typeof copier>[0]>

const endings: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
}, 30_000)

let made = 0

async function node(
  store: EventStore,
  definition: Definition,
  options: Partial<ApplicationDefinition<unknown>> = {},
): Promise<{
  app: CounterApplication
  seen: (id: string) => Promise<readonly number[] | undefined>
  logger: ReturnType<typeof recordingLogger>
}> {
  const manager = copier({ consistency: 'strong', ...definition })
  const logger = recordingLogger()
  const app = application({
    name: `node-${++made}`,
    router: counterRouter,
    eventStore: store,
    handlers: [manager],
    defaults: { consistency: 'strong', consistencyTimeout: 20_000, timeout: 20_000 },
    subscriptions: { lease: 300, claimInterval: 20 },
    ...options,
    logger,
  }) as CounterApplication
  endings.push(() => app.stop())
  await app.start()
  return { app, logger, seen: async (id) => (await app.processState(manager, id))?.seen }
}

/** What a crash does that comes before the place was written: the events after it come again. */
async function forgetPlace(kind: StoreKind, position = 0): Promise<void> {
  const store = kind.open()
  await store.open()
  const claim = await store.claimCheckpoint('copier', { owner: 'the spec', startAfter: 0 })
  await store.saveCheckpoint({ ...claim!, position, index: 0 })
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

describe.each(storeKinds)('a process manager whose events come again, %s,', (_, make) => {
  const kind = async () => {
    const made = await make()
    endings.push(() => made.drop())
    return made
  }

  it('has no second effect, and changes its state no second time', async () => {
    const store = await kind()
    const before = await node(store.open(), {})
    await add(before.app, 'a', 1, 2)
    await add(before.app, 'b', 5)
    await before.app.stop()
    await forgetPlace(store)
    const after = await node(store.open(), {})
    await add(after.app, 'a', 3)
    expect([await after.seen('a'), await after.seen('b')]).toEqual([[1, 2, 3], [5]])
    expect(await amounts(store.open(), 'counter-to-a')).toEqual([1, 2, 3])
    expect(await amounts(store.open(), 'counter-to-b')).toEqual([5])
  }, 60_000)

  it('gives its commands the ids of before, also where their state was lost', async () => {
    const store = await kind()
    const before = await node(store.open(), {
      handle: (_s, { by }) => [Add({ id: 'to-1', by }), Add({ id: 'to-1', by: 10 * by })],
    })
    await add(before.app, 'a', 1, 2)
    await before.app.stop()
    await forgetPlace(store)
    const opened = store.open()
    await opened.open()
    await opened.deleteSnapshot('edict.process-copier#a')
    await opened.close()
    const after = await node(store.open(), {
      handle: (_s, { by }) => [Add({ id: 'to-1', by }), Add({ id: 'to-1', by: 10 * by })],
    })
    await add(after.app, 'a', 3)
    expect(await after.seen('a')).toEqual([1, 2, 3])
    expect(await amounts(store.open(), 'counter-to-1')).toEqual([1, 10, 2, 20, 3, 30])
  }, 60_000)

  it('does not begin an instance anew that was over', async () => {
    const store = await kind()
    const interested: Definition['interested'] = ({ by }, { streamId }) => {
      const id = sourceOf(streamId)
      if (id === undefined) return undefined
      return by === 0 ? { stop: id } : { start: id }
    }
    const slow = deferred()
    const before = await node(store.open(), {
      interested,
      handle: async (_s, { by }, _r, { instanceId }) => {
        if (instanceId === 'slow') await slow.promise
        return Add({ id: `to-${instanceId}`, by })
      },
      consistency: 'eventual',
    })
    await add(before.app, 'slow', 1)
    await add(before.app, 'a', 1, 2, 0)
    // The slow one holds the place, so that all of these come again.
    await until(async () => (await before.app.aggregateState(Counter, 'to-a')).total === 3, 'the copies')
    await until(async () => (await before.seen('a')) === undefined, 'the end')
    // It is left behind as after a crash, with its place before them all.
    await before.app.stop()
    slow.resolve()
    const again = await node(store.open(), {
      interested,
      handle: (_s, { by }, _r, { instanceId }) => Add({ id: `to-${instanceId}-again`, by }),
    })
    await add(again.app, 'b', 1)
    expect(await again.seen('a')).toBeUndefined()
    expect(await amounts(store.open(), 'counter-to-a')).toEqual([1, 2])
    expect(await amounts(store.open(), 'counter-to-a-again')).toEqual([])
  }, 60_000)

  it('goes on as onError decided the first time, and does not ask again', async () => {
    const store = await kind()
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
    const before = await node(store.open(), {
      ...definition,
      afterCommand: () => {
        applying.resolve()
        throw new Error('crash')
      },
      onError: (error, failure, context) =>
        failure.during === 'command'
          ? definition.onError!(error, failure, context)
          : new Promise<never>(() => undefined),
    })
    await add(before.app, 'a', 5)
    await applying.promise
    // It hangs before the state is stored; its node is left for dead.
    refused = false
    const dead = before.app.stop()
    await dead
    const after = await node(store.open(), definition)
    await until(async () => (await after.seen('a'))?.length === 1, 'the event')
    expect(decisions).toBe(1)
    expect(await amounts(store.open(), 'counter-to-1')).toEqual([])
    expect(await amounts(store.open(), 'counter-to-2')).toEqual([2])
  }, 60_000)
})

describe.each(storeKinds.slice(1))('a process manager on several nodes, %s,', (_, make) => {
  it('runs on one of them, and another goes on when that one stops', async () => {
    const store = await make()
    endings.push(() => store.drop())
    const nodes = [await node(store.open(), {}), await node(store.open(), {})]
    await add(nodes[0]!.app, 'a', 1)
    await add(nodes[1]!.app, 'a', 2)
    await nodes[0]!.app.stop()
    await add(nodes[1]!.app, 'a', 3)
    expect(await nodes[1]!.seen('a')).toEqual([1, 2, 3])
    expect(await amounts(store.open(), 'counter-to-a')).toEqual([1, 2, 3])
  }, 60_000)

  it('does not let an owner write its state that was superseded meanwhile', async () => {
    const store = await make()
    endings.push(() => store.drop())
    const hanging = deferred()
    const begun = deferred()
    const first = await node(store.open(), {
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
    const spec = store.open()
    await spec.open()
    endings.push(async () => spec.close())
    // As where its node had stood still for longer than its lease: another one claims the place.
    await spec.deleteCheckpoint('copier')
    const second = await node(store.open(), {})
    const held = async (): Promise<readonly CheckpointState[]> => spec.listCheckpoints('copier')
    await until(async () => (await second.seen('a'))?.length === 1 || (await held()).length === 0, 'the second')
    hanging.resolve()
    await add(second.app, 'a', 2)
    await until(async () => (await second.seen('a'))?.length === 2, 'both events')
    expect(await amounts(store.open(), 'counter-to-a')).toEqual([1, 2])
  }, 60_000)
})
