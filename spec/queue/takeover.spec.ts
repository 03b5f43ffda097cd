import { describe, expect, it } from '@jest/globals'
import { reject, router, type EventStore } from 'edict'
import type { CommandQueueStore } from '../../lib/event-store/command-queue-store.ts'
import { Add, Added, Counter, counterRouter, deferred, started, until } from '../support/counter.ts'
import { everyQueueStore, readFrom } from './queue-stores.ts'

/** Of one that is soon taken for gone, and of one that never is, however long the machine stands still. */
const queue = { lease: 200, pollInterval: 20 }
const steady = { ...queue, lease: 60_000 }

/** A store whose node is cut off from the queue for a while: it claims, and what it says after that comes late. */
function cutOff(store: EventStore, back: Promise<void>, settling?: () => void): EventStore {
  const commands = new Proxy(store.commands!, {
    get: (target, key: keyof CommandQueueStore) => {
      const work = (target[key] as (...given: unknown[]) => unknown).bind(target)
      if (key !== 'settle' && key !== 'renew') return work
      return (...given: unknown[]) => {
        if (key === 'settle') settling?.()
        return back.then(() => work(...given))
      }
    },
  })
  return new Proxy(store, {
    get: (target, key) => {
      if (key === 'commands') return commands
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

describe.each(everyQueueStore)('a worker that is not heard of, on $kind,', ({ share }) => {
  const stores = share()

  it('is taken over, its commands are run once in effect and in order, and its own outcomes come too late', async () => {
    const back = deferred()
    const gone = await started({
      router: counterRouter,
      eventStore: cutOff(stores.node(), back.promise),
      workers: 1,
      queue,
    })
    const receipts = []
    for (let by = 1; by <= 3; by++) receipts.push(await gone.enqueue(Add({ id: 'a', by })))
    // It has run them all, as far as the events go; nobody knows.
    await until(async () => (await gone.aggregateVersion(Counter, 'a')) > 0)
    const heir = await started({ router: counterRouter, eventStore: stores.node(), workers: 1, queue: steady })
    for (const receipt of receipts) await (await heir.commands.receipt(receipt.commandId)).completed()
    expect(await heir.aggregateState(Counter, 'a')).toEqual({ total: 6 })
    expect(await heir.aggregateVersion(Counter, 'a')).toBe(3)
    const { events } = await readFrom(stores, (store) => store.readStream('counter-a'))
    expect(events.map(({ commandId }) => commandId)).toEqual(receipts.map(({ commandId }) => commandId))
    expect(await receipts[0]!.status()).toMatchObject({ state: 'completed', attempts: 1 })
    back.resolve()
    await gone.stop()
    expect(await heir.aggregateVersion(Counter, 'a')).toBe(3)
  })

  it('has begun nothing behind a command that it refused, so that this one is not decided anew after the next', async () => {
    const covered = router('covered', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: ({ total }, { by }) => (total + by < 0 ? reject('not_covered') : Added({ by })),
      }),
    )
    const taker = await started({ router: covered, eventStore: stores.node() })
    const refused = await taker.enqueue(Add({ id: 'a', by: -1 }))
    const behind = await taker.enqueue(Add({ id: 'a', by: 5 }))
    const back = deferred()
    const cut = deferred()
    const gone = await started({
      router: covered,
      eventStore: cutOff(stores.node(), back.promise, cut.resolve),
      workers: 1,
      queue,
    })
    await cut.promise
    const heir = await started({ router: covered, eventStore: stores.node(), workers: 1, queue: steady })
    await (await heir.commands.receipt(behind.commandId)).completed()
    expect(await refused.status()).toMatchObject({ state: 'rejected', failure: { code: 'not_covered' } })
    expect(await heir.aggregateState(Counter, 'a')).toEqual({ total: 5 })
    back.resolve()
    await gone.stop()
  })

  it('appends nothing twice, however late it appends', async () => {
    const back = deferred()
    const appending = deferred()
    const frozen = cutOff(stores.node(), back.promise)
    const late = new Proxy(frozen, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        if (key !== 'append') return value
        return async (...given: Parameters<EventStore['append']>) => {
          appending.resolve()
          await back.promise
          return target.append(...given)
        }
      },
    })
    const gone = await started({ router: counterRouter, eventStore: late, workers: 1, queue })
    const receipt = await gone.enqueue(Add({ id: 'a', by: 1 }))
    await appending.promise
    const heir = await started({ router: counterRouter, eventStore: stores.node(), workers: 1, queue: steady })
    await (await heir.commands.receipt(receipt.commandId)).completed()
    // Others have gone on meanwhile.
    await heir.dispatch(Add({ id: 'a', by: 2 }))
    back.resolve()
    await gone.stop()
    const { events } = await readFrom(stores, (store) => store.readStream('counter-a'))
    expect(events.map(({ commandId }) => commandId === receipt.commandId)).toEqual([true, false])
    expect(await (await heir.commands.receipt(receipt.commandId)).status()).toMatchObject({ state: 'completed' })
  })

  it('has its handler aborted when it hears that it is taken over, and what it decided is not stored', async () => {
    const back = deferred()
    const begun = deferred<AbortSignal>()
    const aborted = deferred()
    const hanging = router('hanging', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        timeout: Infinity,
        to: async (_counter, { by }, { signal }) => {
          begun.resolve(signal)
          await new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => {
              resolve()
            })
          })
          aborted.resolve()
          return Added({ by })
        },
      }),
    )
    const gone = await started({ router: hanging, eventStore: cutOff(stores.node(), back.promise), workers: 1, queue })
    const receipt = await gone.enqueue(Add({ id: 'a', by: 1 }))
    await begun.promise
    const heir = await started({ router: counterRouter, eventStore: stores.node(), workers: 1, queue: steady })
    await (await heir.commands.receipt(receipt.commandId)).completed()
    back.resolve()
    await aborted.promise
    await gone.stop()
    expect(await heir.aggregateVersion(Counter, 'a')).toBe(1)
  })

  it('is a dead letter’s end: what its worker dies of each time is not begun for ever', async () => {
    const back = deferred()
    const poison = router('poison', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        timeout: Infinity,
        to: () => new Promise<undefined>(() => undefined),
      }),
    )
    const patient = { ...queue, lease: 100, maxAttempts: 2 }
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map(() =>
        started({
          router: poison,
          eventStore: cutOff(stores.node(), back.promise),
          workers: 1,
          queue: patient,
        }),
      ),
    )
    const receipt = await first!.enqueue(Add({ id: 'a', by: 1 }))
    const heir = await started({ router: counterRouter, eventStore: stores.node(), workers: 0, queue: patient })
    await until(async () => ((await heir.commands.get(receipt.commandId))?.attempts ?? 0) >= 2, 'two attempts')
    back.resolve()
    await until(async () => (await heir.commands.get(receipt.commandId))?.state === 'dead', 'the dead letter')
    const dead = await heir.commands.get(receipt.commandId)
    expect(dead?.failure?.code).toBe('command_interrupted')
    // One that came back may have taken it over once more before it was told.
    expect(dead?.attempts).toBeGreaterThanOrEqual(2)
    await Promise.all([first, second, third].map((app) => app!.stop()))
    expect(await heir.aggregateVersion(Counter, 'a')).toBe(0)
  })
})
