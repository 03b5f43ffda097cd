import { expect } from '@jest/globals'
import fc from 'fast-check'
import type { EventStore, ExpectedVersion } from '../../lib/event-store/event-store.ts'
import type { StoredEvent } from '../../lib/event-store/stored-event.ts'
import { AppendLedger } from '../../lib/testing/conformance/append-ledger.ts'
import { asJson, asObject, streamAppend } from './event-store-steps.ts'

/** One append of a writer. */
interface PlannedWrite {
  readonly stream: number
  readonly count: number
  /** Whether it is made at the version that the writer has last heard of. */
  readonly expecting: boolean
  /** Whether it is sent once more, as by one who has not heard the answer. */
  readonly again: boolean
}

export interface ConcurrentWork {
  /** Each makes one append after the other; all of them work at once. */
  readonly writers: readonly (readonly PlannedWrite[])[]
  /** How many events each reader asks for at a time, while the writers work. */
  readonly readers: readonly number[]
}

const write: fc.Arbitrary<PlannedWrite> = fc.record({
  stream: fc.integer({ min: 0, max: 2 }),
  count: fc.integer({ min: 1, max: 3 }),
  expecting: fc.boolean(),
  again: fc.boolean(),
})

export const concurrentWork: fc.Arbitrary<ConcurrentWork> = fc.record({
  writers: fc.array(fc.array(write, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 5 }),
  readers: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
})

/**
 * Lets writers and readers work at once, in an order that fast-check's scheduler chooses, and checks what must hold in every order:
 * positions and versions are contiguous, each acknowledged append is there once and where the answer says, one append wins at each
 * version, a repeat is answered as such, and who reads on misses nothing.
 */
export async function assertHoldsUnderConcurrency(
  store: EventStore,
  { writers, readers }: ConcurrentWork,
  scheduler: fc.Scheduler,
): Promise<void> {
  const work = new Work(store, scheduler)
  const written = Promise.all(writers.map((writes, writer) => work.write(writer, writes))).finally(() => work.end())
  const read = readers.map((maxCount) => work.read(maxCount))
  const [, ...along] = await scheduler.waitFor(Promise.all([written, ...read]))
  const { events } = await store.readAll({ maxCount: 1_000 })
  work.ledger.assertHolds(events)
  for (const seen of along) expect(seen).toEqual(events)
}

class Work {
  readonly ledger = new AppendLedger()
  readonly #store: EventStore
  readonly #scheduler: fc.Scheduler
  #writing = true

  constructor(store: EventStore, scheduler: fc.Scheduler) {
    this.#store = store
    this.#scheduler = scheduler
  }

  end(): void {
    this.#writing = false
  }

  async write(writer: number, writes: readonly PlannedWrite[]): Promise<void> {
    const versions = new Map<number, number>()
    for (const [index, { stream, count, expecting, again }] of writes.entries()) {
      const expected: ExpectedVersion = expecting ? (versions.get(stream) ?? 0) : 'any'
      const command = writer * 100 + index
      const encode = this.#store.capabilities.values === 'objects' ? asObject : asJson
      const append = streamAppend({ stream, category: 0, command, payload: 0, count, expected }, encode)
      await this.#turn(`writer ${writer} appends`)
      const answers = await this.#store.append([append])
      this.ledger.note([append], answers)
      const answer = answers[0]!
      if (answer.status === 'appended') versions.set(stream, answer.streamVersion)
      else if (answer.status === 'version_conflict') versions.set(stream, answer.actual)
      else throw new Error(`an append was answered ${answer.status}`)
      if (again && answer.status === 'appended') {
        await this.#turn(`writer ${writer} appends again`)
        expect(await this.#store.append([append])).toEqual([expect.objectContaining({ status: 'repeated' })])
      }
    }
  }

  async read(maxCount: number): Promise<StoredEvent[]> {
    const events: StoredEvent[] = []
    for (let fromPosition = 1; ;) {
      await this.#turn(`a reader of ${maxCount}`)
      const more = this.#writing
      const slice = await this.#store.readAll({ fromPosition, maxCount })
      events.push(...slice.events)
      fromPosition = slice.lastPosition + 1
      if (!more && slice.lastPosition >= slice.headPosition) return events
    }
  }

  /** Goes on when the scheduler says so. */
  async #turn(who: string): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), who)
    // A reader that answers at once must not keep the event loop from those who wait for a disk or a server.
    await new Promise((resolve) => setImmediate(resolve))
  }
}
