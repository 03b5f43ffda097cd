import { describe, expect, it } from '@jest/globals'
import { reject, reply, router, StoreError, type EventStore } from 'edict'
import type { CommandQueueStore, Settlement } from '../../lib/event-store/command-queue-store.ts'
import { Add, Added, Counter, Noop, recordingLogger, started } from '../support/counter.ts'
import { everyQueueStore } from './queue-stores.ts'

type Settle = CommandQueueStore['settle']

/** A store whose settlements go another way. */
function settling(store: EventStore, way: (settle: Settle) => Settle): EventStore {
  const over = <Target extends object>(target: Target, replaced: Partial<Record<string, unknown>>): Target =>
    new Proxy(target, {
      get: (of, name) => {
        if (typeof name === 'string' && name in replaced) return replaced[name]
        const value: unknown = Reflect.get(of, name)
        return typeof value === 'function' ? (value.bind(of) as unknown) : value
      },
    })
  const queue = store.commands as CommandQueueStore
  return over(store, { commands: over(queue, { settle: way(queue.settle.bind(queue)) }) })
}

/** Deeper than a store keeps the outcomes of commands. */
function deep(levels = 150): object {
  let value = {}
  for (let level = 0; level < levels; level++) value = { value }
  return value
}

const deepRouter = router('deep', (r) =>
  r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch([Add, Noop], {
    aggregate: Counter,
    to: {
      Add: (_counter, { by }) => (by < 0 ? reject('too_little', deep()) : reply(deep(), Added({ by }))),
      Noop: () => undefined,
    },
  }),
)

const queue = { lease: 300_000, pollInterval: 20 }
const add = (by: number) => Add({ id: 'a', by })

describe.each(everyQueueStore)('an outcome, on $kind,', ({ share }) => {
  const stores = share()

  it('that no store takes is stored without what is too much of it, and holds nothing up', async () => {
    const logger = recordingLogger()
    const app = await started({ router: deepRouter, eventStore: stores.node(), workers: 1, queue, logger })
    const [taken, refused, next] = [await app.enqueue(add(5)), await app.enqueue(add(-1)), await app.enqueue(add(7))]
    await next.completed()
    expect(await taken.status()).toMatchObject({ state: 'completed', attempts: 0 })
    expect(await refused.status()).toMatchObject({
      state: 'rejected',
      failure: { code: 'too_little', message: expect.stringContaining('the store refuses what else there is to it') },
    })
    const elsewhere = await started({ router: deepRouter, eventStore: stores.node() })
    const told = await (await elsewhere.commands.receipt(taken.commandId)).completed()
    expect(told).toMatchObject({ aggregateVersion: 1, events: [{ type: 'Added' }], reply: undefined })
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 12 })
  })

  it('whose answer is lost is known for stored, and its worker goes on with its aggregate', async () => {
    let lost = 0
    const losing = (settle: Settle): Settle => {
      return async (settlements: readonly Settlement[]) => {
        const answer = await settle(settlements)
        if (lost++ > 0) return answer
        throw new StoreError('the connection was lost', { outcome: 'unknown' })
      }
    }
    const eventStore = settling(stores.node(), losing)
    const taker = await started({ router: deepRouter, eventStore: stores.node() })
    const receipts = [await taker.enqueue(add(1)), await taker.enqueue(add(2)), await taker.enqueue(add(3))]
    await started({ router: deepRouter, eventStore, workers: 1, queue })
    // Long before the lease is over.
    for (const receipt of receipts) await receipt.completed({ timeout: 60_000 })
    expect(lost).toBeGreaterThan(1)
    for (const receipt of receipts) expect(await receipt.status()).toMatchObject({ state: 'completed', attempts: 0 })
  })

  it('that the store refuses among others is found, and the others are stored as they are', async () => {
    const refusing = (settle: Settle): Settle => {
      return async (settlements: readonly Settlement[]) => {
        const isTooLarge = settlements.some((one) => 'failure' in one && 'details' in one.failure)
        if (isTooLarge) throw new StoreError('too large', { isRefusal: true })
        return settle(settlements)
      }
    }
    const details = router('details', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch([Add, Noop], {
        aggregate: Counter,
        to: {
          Add: (_counter, { by }) => (by < 0 ? reject('too_little', { by }) : reply(by, Added({ by }))),
          Noop: () => undefined,
        },
      }),
    )
    const app = await started({ router: details, eventStore: settling(stores.node(), refusing), workers: 4, queue })
    const receipts = await Promise.all([5, -1, 6].map((by, index) => app.enqueue(Add({ id: `${index}`, by }))))
    const outcomes = await Promise.all(
      receipts.map(({ commandId }) =>
        app.commands
          .receipt(commandId)
          .then((receipt) => receipt.completed())
          .then(
            (result) => result.reply,
            (error: unknown) => (error as { readonly code?: unknown }).code,
          ),
      ),
    )
    expect(outcomes).toEqual([5, 'too_little', 6])
    expect(await receipts[1]!.status()).toMatchObject({ state: 'rejected', failure: { code: 'too_little' } })
  })
})
