import { afterEach, describe, expect, it } from '@jest/globals'
import { inMemoryEventStore, StoreError, commandHandler, router, type EventStore } from 'edict'
import { testClock } from 'edict/testing'
import type { CommandQueueStore } from '../../lib/event-store/command-queue-store.ts'
import { Add, Added, Counter, counterRouter, deferred, Explode, started, stopAll, until } from '../support/counter.ts'
import { everyQueueStore } from './queue-stores.ts'

type Work = (...given: never[]) => unknown

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const slowRouter = router('slow', (r) =>
  r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
    aggregate: Counter,
    to: async (_counter, { by }) => {
      await pause(10)
      return Added({ by })
    },
  }),
)

/** A store one operation of which is done once without its caller being told, as where a connection is lost. */
function losingAnswers(store: EventStore, key: 'claim' | 'settle' | 'append', isLost: (answer: unknown) => boolean) {
  let isOver = false
  const losing =
    (work: Work) =>
    async (...given: never[]) => {
      const answer = await work(...given)
      if (isOver || !isLost(answer)) return answer
      isOver = true
      throw new StoreError('the connection was lost', { outcome: 'unknown' })
    }
  const over = <Target extends object>(target: Target, replaced: (name: string | symbol) => unknown): Target =>
    new Proxy(target, {
      get: (of, name) => {
        const value: unknown = replaced(name) ?? Reflect.get(of, name)
        if (typeof value !== 'function') return value
        const work = value.bind(of) as Work
        return name === key ? losing(work) : work
      },
    })
  return over(store, (name) =>
    name === 'commands' ? over(store.commands as CommandQueueStore, () => undefined) : undefined,
  )
}

/** Gives other aggregates work until it is stopped. */
function keptBusy(enqueue: (by: number) => Promise<unknown>): () => Promise<void> {
  const ending = new AbortController()
  const over = (async () => {
    for (let by = 1; !ending.signal.aborted; by++) {
      await enqueue(by)
      await pause(4)
    }
  })()
  return () => {
    ending.abort()
    return over
  }
}

describe.each(everyQueueStore)('what nobody runs any more, on $kind,', ({ kind, share }) => {
  const stores = share()

  const isOfA = (answer: unknown) => JSON.stringify(answer).includes('"counter-a"')

  it.each([
    ['claim', isOfA],
    ['settle', () => true],
  ] as const)('is taken over, however busy the others are, where the answer to a %s was lost', async (key, isLost) => {
    // Where a machine stands still, a lease is over too: that is not the end of any command here.
    const queue = { lease: 200, pollInterval: 20, maxAttempts: 1_000 }
    const eventStore = losingAnswers(stores.node(), key, isLost)
    const app = await started({ router: slowRouter, eventStore, workers: 2, queue })
    const receipts = []
    for (let by = 1; by <= 5; by++) receipts.push(await app.enqueue(Add({ id: 'a', by })))
    const stop = keptBusy((by) => app.enqueue(Add({ id: 'busy', by })))
    try {
      await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 60_000 })))
    } finally {
      await stop()
    }
    expect(await app.aggregateState(Counter, 'a')).toEqual({ total: 15 })
    expect(await app.aggregateVersion(Counter, 'a')).toBe(5)
  })

  it('is run by itself where it may have been the end of a process, so that none is given up for another one', async () => {
    const enqueuing = await started({ router: slowRouter, eventStore: stores.node() })
    const receipts = []
    for (const id of ['a', 'b', 'c', 'd']) receipts.push(await enqueuing.enqueue(Add({ id, by: 1 })))
    const lost = stores.node()
    // In memory it is the one that is open already.
    if (kind !== 'memory') await lost.open()
    const { claims } = await lost.commands!.claim({ owner: 'dead', groups: 4, commandsOfEach: 1, lease: 100 })
    expect(claims).toHaveLength(4)
    if (kind !== 'memory') await lost.close()

    let running = 0
    let most = 0
    const watched = router('watched', (r) =>
      r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, {
        aggregate: Counter,
        to: async (_counter, { by }) => {
          most = Math.max(most, ++running)
          await pause(10)
          running--
          return Added({ by })
        },
      }),
    )
    const queue = { lease: 60_000, pollInterval: 20, maxAttempts: 2 }
    const heir = await started({ router: watched, eventStore: stores.node(), workers: 4, queue })
    for (const receipt of receipts) {
      const own = await heir.commands.receipt(receipt.commandId)
      await own.completed({ timeout: 60_000 })
      expect(await own.status()).toMatchObject({ state: 'completed', attempts: 1 })
    }
    expect(most).toBe(1)
  })
})

describe.each(everyQueueStore)('what came of a queued command, on $kind,', ({ share }) => {
  const stores = share()

  it('is stored, whatever its handler throws', async () => {
    const queue = { maxAttempts: 1, lease: 60_000 }
    const hostile = new Error('hostile')
    Object.defineProperty(hostile, 'stack', {
      get: () => {
        throw new Error('nobody looks at my stack')
      },
    })
    const throwing = router('throwing', (r) =>
      r.identify(Counter, { by: 'id' }).dispatch(Explode, {
        aggregate: Counter,
        to: () => {
          throw hostile
        },
      }),
    )
    const failing = await started({ router: throwing, eventStore: stores.node(), workers: 1, queue })
    const receipt = await failing.enqueue(Explode({ id: 'a', with: 1 }))
    await expect(receipt.completed({ timeout: 60_000 })).rejects.toMatchObject({ code: 'command_dead' })
    expect((await receipt.status()).failure).toMatchObject({ code: 'command_failed' })
  })

  const both = commandHandler(Counter, {
    commands: [Add],
    multipleAggregates: true,
    handle: {
      async Add({ id, by }, { repository }) {
        // Of one that is named so, the other one alone is written to.
        for (const own of id === 'aside' ? ['beside'] : [id, `${id}-2`]) {
          const counter = (await repository.find(Counter, own)) ?? (await repository.create(Counter, own))
          counter.raise(Added({ by }))
          repository.add(counter)
        }
      },
    },
  })
  const bothRouter = router('both', (r) =>
    r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Add, { to: both }),
  )

  it('has the events of all the aggregates that its unit of work wrote to, whoever asks', async () => {
    const app = await started({ router: bothRouter, eventStore: stores.node(), workers: 1 })
    for (const [id, written] of [
      ['a', ['counter-a', 'counter-a-2']],
      ['aside', ['counter-beside']],
    ] as const) {
      const receipt = await app.enqueue(Add({ id, by: 1 }))
      await receipt.completed()
      const asked = await (await app.commands.receipt(receipt.commandId)).completed()
      expect(asked.events.map(({ streamId }) => streamId)).toEqual(written)
    }
  })

  it('is not said to be nothing where its events are deleted since, or cannot be read', async () => {
    const eventStore = stores.node()
    const app = await started({ router: slowRouter, eventStore, workers: 1 })
    const key = { idempotencyKey: 'payment-7' }
    const { commandId } = await app.enqueue(Add({ id: 'a', by: 1 }), key)
    await (await app.commands.receipt(commandId)).completed()
    const elsewhere = await started({
      router: router('other', (r) =>
        r.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch(Explode, { to: Counter }),
      ),
      eventStore: stores.node(),
    })
    const unread = (await elsewhere.commands.receipt(commandId)).completed()
    await expect(unread).rejects.toMatchObject({ code: 'unregistered_command', outcome: 'executed' })
    await eventStore.deleteStream('counter-a')
    const deleted = { code: 'stream_closed', outcome: 'executed' }
    await expect((await app.commands.receipt(commandId)).completed()).rejects.toMatchObject(deleted)
    await expect(app.process(Add({ id: 'a', by: 1 }), key)).rejects.toMatchObject(deleted)
  })

  it('is not said to be nothing, in time or not, where a unit of work may have written elsewhere', async () => {
    const eventStore = losingAnswers(stores.node(), 'append', () => true)
    const queue = { backoff: { base: 60_000 }, pollInterval: 20 }
    const app = await started({ router: bothRouter, eventStore, workers: 1, queue })
    const tried = async (patience: number) => {
      const asked = await app.enqueue(Add({ id: 'aside', by: 1 }), { deadline: Date.now() + patience })
      const failure: unknown = await asked.completed({ timeout: 60_000 }).catch((error: unknown) => error)
      const wasBegun = (await app.aggregateVersion(Counter, 'beside')) > 0
      return { asked, failure, wasBegun }
    }
    // A machine that is busy gets more time to begin it before its deadline.
    let last = await tried(500)
    for (let patience = 2_000; !last.wasBegun && patience < 60_000; patience *= 4) last = await tried(patience)
    const { asked: receipt, failure } = last
    expect(failure).toMatchObject({ code: 'command_dead', outcome: 'unknown' })
    expect(await app.aggregateVersion(Counter, 'beside')).toBe(1)
    // Nor is it when it is tried again, which forgets how often it was before.
    expect(await app.commands.deadLetters.replay(receipt.commandId)).toBe(1)
    await expect(receipt.completed({ timeout: 60_000 })).rejects.toMatchObject({
      code: 'command_dead',
      outcome: 'unknown',
    })
  })

  it('is not said to be nothing where it is cancelled after an attempt of which nobody knows', async () => {
    const eventStore = losingAnswers(stores.node(), 'append', () => true)
    const app = await started({ router: bothRouter, eventStore, workers: 1, queue: { backoff: { base: 60_000 } } })
    const receipt = await app.enqueue(Add({ id: 'aside', by: 1 }))
    await until(async () => (await receipt.status()).state === 'delayed', 'the attempt being over')
    expect(await receipt.cancel()).toBe(true)
    await expect(receipt.completed()).rejects.toMatchObject({ code: 'command_cancelled', outcome: 'unknown' })
  })
})

describe('what came of a queued command', () => {
  afterEach(stopAll)

  /** The first attempt took effect, and nobody was told. */
  const lost = async (options: { readonly deadline?: number; readonly router?: typeof counterRouter }) => {
    const clock = testClock()
    const inner = inMemoryEventStore({ clock })
    const hanging = { isOn: false, begun: deferred() }
    const readCommand: EventStore['readCommand'] = (...given) => {
      if (!hanging.isOn) return inner.readCommand(...given)
      hanging.begun.resolve()
      return new Promise(() => undefined)
    }
    const store = new Proxy(inner, {
      get(target, key) {
        const value: unknown = key === 'readCommand' ? readCommand : Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const eventStore = losingAnswers(store, 'append', () => true)
    const { router = counterRouter, deadline } = options
    const queue = { backoff: { base: 1_000 }, maxAttempts: 3 }
    const app = await started({ router, eventStore, clock, workers: 1, queue })
    const enqueued = deadline === undefined ? {} : { deadline: clock.now() + deadline }
    const receipt = await app.enqueue(Add({ id: 'a', by: 1 }), enqueued)
    await until(async () => (await receipt.status()).state === 'delayed', 'the attempt being over')
    return { clock, hanging, eventStore, receipt }
  }

  it('is looked for where its middleware says whose it is, also after its deadline', async () => {
    const northern = router('northern', (r) =>
      r.middleware({ beforeDispatch: (pipeline) => void (pipeline.tenant = 'north') }).router(counterRouter),
    )
    const { clock, receipt } = await lost({ router: northern, deadline: 100 })
    await clock.advance(2_000)
    expect(await receipt.completed()).toMatchObject({ aggregateVersion: 1, streamId: 'north/counter-a' })
  })

  it('is said to be executed where its events are deleted before anybody has looked for them', async () => {
    const { clock, eventStore, receipt } = await lost({})
    await eventStore.deleteStream('counter-a')
    await clock.advance(2_000)
    await expect(receipt.completed()).rejects.toMatchObject({ code: 'command_dead', outcome: 'executed' })
  })

  it('is not said to be nothing where the time of another attempt was over before anybody could look for it', async () => {
    const { clock, hanging, receipt } = await lost({})
    hanging.isOn = true
    await clock.advance(2_000)
    await until(async () => {
      await clock.advance(1_000)
      return (await receipt.status()).state === 'dead'
    }, 'the dead letter')
    await expect(receipt.completed()).rejects.toMatchObject({ code: 'command_dead', outcome: 'unknown' })
  })

  it('is looked for once more where its deadline passes before anybody could look for it', async () => {
    const { clock, hanging, receipt } = await lost({ deadline: 4_000 })
    hanging.isOn = true
    await clock.advance(2_000)
    await hanging.begun.promise
    hanging.isOn = false
    await clock.advance(3_000)
    expect(await receipt.completed()).toMatchObject({ aggregateVersion: 1 })
  })
})
