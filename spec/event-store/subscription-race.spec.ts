import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { EventStore } from '../../lib/event-store/event-store.ts'
import type { StoredEvent } from '../../lib/event-store/stored-event.ts'
import { append, decodeOne, follow, makeHub, numbers, openStore, turn } from './subscription-harness.ts'
import { withinPatience } from '../support/within-patience.ts'

/** A store whose answers and wake-ups come when the scheduler says, and whose wake-ups may get lost. */
function scheduledStore(store: EventStore, scheduler: fc.Scheduler, lost: () => boolean): EventStore {
  const later = async <Value>(label: string, work: () => Value): Promise<Awaited<Value>> => {
    await scheduler.schedule(Promise.resolve(), `${label} arrives`)
    const answer = await work()
    await scheduler.schedule(Promise.resolve(), `${label} is answered`)
    return answer
  }
  return {
    ...store,
    name: store.name,
    capabilities: store.capabilities,
    readAll: (options) => later('readAll', () => store.readAll(options)),
    readStream: (streamId, options) => later('readStream', () => store.readStream(streamId, options)),
    headPosition: () => later('headPosition', () => store.headPosition()),
    watch: (listener) =>
      store.watch((head) => {
        if (!lost()) void scheduler.schedule(Promise.resolve(), 'wake-up').then(() => listener(head))
      }),
  }
}

const MOST_DELAY = 4

const reader = fc.record({
  startAfter: fc.integer({ min: 0, max: 6 }),
  delay: fc.integer({ min: 0, max: MOST_DELAY }),
  about: fc.constantFrom('all', 'types', 'stream', 'category'),
  pace: fc.constantFrom('at once', 'later', 'both'),
})

const filters = {
  all: {},
  types: { types: new Set(['Odd']) },
  stream: { streamId: 'stream-0' },
  category: { category: 'Zero' },
}

describe('a subscription that catches up while others append', () => {
  it('loses nothing, repeats nothing and keeps the order, however reads, wake-ups, appends and handlers interleave', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(reader, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 1, max: 14 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.infiniteStream(fc.nat(9)),
        async (scheduler, readers, before, during, batchSize, bufferSize, dice) => {
          const inner = await openStore()
          const add = (number: number) =>
            append(
              inner,
              number % 2 === 1 ? 'Odd' : 'Even',
              `stream-${number % 3}`,
              number % 3 === 0 ? 'Zero' : 'Other',
            )
          for (let number = 1; number <= before; number++) add(number)
          const roll = () => dice.next().value as number
          const store = scheduledStore(inner, scheduler, () => roll() === 0)
          const decode = (stored: StoredEvent) =>
            roll() < 7
              ? decodeOne(stored)
              : scheduler.schedule(Promise.resolve(), 'decoded').then(() => decodeOne(stored))
          const hub = makeHub(store, { decode, batchSize, bufferSize, pollInterval: 2 })
          let more = true
          scheduler
            .scheduleSequence(
              Array.from({ length: during }, (_, index) => ({
                label: `append ${before + index + 1}`,
                builder: async () => void add(before + index + 1),
              })),
            )
            .task.then(
              () => (more = false),
              () => {},
            )
          const followed = readers.map(({ startAfter, about, pace, delay }) => {
            const handle = () => {
              const atOnce = pace === 'at once' || (pace === 'both' && roll() < 5)
              return atOnce ? undefined : scheduler.schedule(Promise.resolve(), 'handled')
            }
            return { startAfter, about, delay, handle, started: undefined as ReturnType<typeof follow> | undefined }
          })
          const total = before + during
          let steps = 0
          const end = Date.now() + 30_000
          const done = () => !more && followed.every(({ started }) => (started?.subscription.position ?? -1) >= total)
          while (!done()) {
            for (const one of followed) {
              if (one.started || steps < one.delay) continue
              const { startAfter, about, handle } = one
              one.started = follow(hub, { startAfter, filter: filters[about], handle })
            }
            for (const { started } of followed) {
              if (started)
                started.claims.push({ position: started.subscription.position, handled: started.seen.length })
            }
            if (steps > 5_000 || Date.now() > end) throw new Error('it does not come to an end')
            steps++
            if (scheduler.count() > 0) await scheduler.waitNext(1)
            else {
              // Nothing is to be done before the next poll, however many turns that takes.
              if (steps > MOST_DELAY) steps--
              await turn()
            }
          }
          for (const { started, startAfter, about } of followed) {
            const wanted = numbers(startAfter + 1, total).filter((position) => {
              if (about === 'all') return true
              return about === 'types' ? Number(position) % 2 === 1 : Number(position) % 3 === 0
            })
            expect(started?.seen).toEqual(wanted)
            for (const { position, handled } of started?.claims ?? []) {
              expect(wanted.filter((one) => Number(one) <= position).length).toBeLessThanOrEqual(handled)
            }
            void started?.subscription.stop()
          }
          while (scheduler.count() > 0) await scheduler.waitNext(1)
        },
      ),
      { numRuns: 150, ...withinPatience },
    )
  }, 120_000)
})
