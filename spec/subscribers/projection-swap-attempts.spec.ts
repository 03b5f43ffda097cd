import { describe, expect, it } from '@jest/globals'
import type Database from 'better-sqlite3'
import { jsonSerializer, retry, StoreError, type EventStore, type Projection, type Serializer } from 'edict'
import type { ClientBase } from 'pg'
import { systemClock, type Clock } from '../../lib/effects/clock.ts'
import { physicalTable } from '../../lib/subscribers/projection-statements.ts'
import { Add, counterRouter, deferred, recordingLogger, started, until } from '../support/counter.ts'
import { altered, projectedDatabase, storeKinds, totals } from './projection-harness.ts'

/** The place of the generation that is swapped out; of another version, so that only the swap looks at it. */
const OLD = 'totals:1.1'

/** Milliseconds; looks at what readers see, of which there are many, are made more often here. */
const SHORTEST = 200

/** What the specs see, and change, of the attempts to swap. */
class Attempts {
  /** Milliseconds from each attempt that failed to the next, which comes soon instead. */
  readonly pauses: number[] = []
  readonly #within: (attempt: number) => void
  #hasFailed = false

  /** `within` is called as the swap begins: what it throws is what the swap fails with. */
  constructor(within: (attempt: number) => void) {
    this.#within = within
  }

  /** The first long timer that is set after a failure is that of the next attempt: it is set before anything else can happen. */
  readonly clock: Clock = {
    ...systemClock,
    setTimeout: (callback, milliseconds) => {
      if (!this.#hasFailed || milliseconds < SHORTEST) return systemClock.setTimeout(callback, milliseconds)
      this.#hasFailed = false
      this.pauses.push(milliseconds)
      return systemClock.setTimeout(callback, 2)
    },
  }

  of(store: EventStore): EventStore {
    let attempt = 0
    return altered(store, (projections) => ({
      lockCheckpoint: (tx, name, epoch) => {
        if (name === OLD) this.#within(++attempt)
        return projections.lockCheckpoint(tx, name, epoch)
      },
      transaction: async (work) => {
        const before = attempt
        try {
          return await projections.transaction(work)
        } catch (error) {
          this.#hasFailed ||= attempt > before
          throw error
        }
      },
    }))
  }
}

describe.each(storeKinds)('the attempts of a new generation to take the place of the old one, on %s', (_, kind) => {
  const database = projectedDatabase(kind)

  const subscriptions = { claimInterval: 20 }
  const run = (made: Projection) =>
    started({ router: counterRouter, eventStore: database.store(), handlers: [made], subscriptions })
  const totalOf = async (table: string) => {
    const [row] = await database.read(`SELECT sum(total) AS total, sum(events) AS events FROM "${table}"`)
    return [Number(row?.['total']), Number(row?.['events'])]
  }

  it('are made less and less often where they fail, and the log is told of the first alone', async () => {
    const old = await run(totals(kind))
    await old.dispatch(Add({ id: '1', by: 5 }), { consistency: 'strong' })
    const logger = recordingLogger()
    const says = (what: string) => logger.entries.filter(({ message }) => message.includes(what))
    const attempts = new Attempts((attempt) => {
      if (attempt <= 8) throw new StoreError('a reader stays')
    })
    await started({
      router: counterRouter,
      eventStore: attempts.of(database.store()),
      handlers: [totals(kind, { version: 2, factor: 10 })],
      subscriptions,
      clock: attempts.clock,
      logger,
    })
    await until(async () => (await totalOf('totals')).join() === '50,1', 'the swap')
    expect(attempts.pauses).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
    expect(says('cannot be swapped yet')).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('a reader stays') as unknown }),
    ])
  })

  it.each([['and fails then'], ['and goes on']])(
    'end for good where its code ends the transaction of the swap %s, whatever is to be done about failures',
    async (end) => {
      const old = await run(totals(kind))
      await old.dispatch(Add({ id: '1', by: 1 }), { consistency: 'strong' })
      // The second event is there when the swap begins, and comes while it is under way.
      const withheld = deferred()
      let isRead = false
      let isThere = false
      const serializer: Serializer = {
        ...jsonSerializer,
        decode: async (encoded, context) => {
          const data = (await jsonSerializer.decode(encoded, context)) as { readonly by: number }
          if (data.by === 2) {
            isRead = true
            await withheld.promise
          }
          return data
        },
      }
      let isAttempted = false
      const attempts = new Attempts(() => {
        isAttempted = true
        if (!isThere) throw new StoreError('not yet')
        withheld.resolve()
      })
      const tried: number[] = []
      const ending = totals(kind, {
        version: 2,
        after: async ({ position }, _context, tx) => {
          tried.push(position)
          if (position === 1) return
          await (kind.kind === 'sqlite' ? (tx as Database.Database).exec('COMMIT') : (tx as ClientBase).query('COMMIT'))
          if (end === 'and fails then') throw new Error('after its end')
        },
        onError: () => retry({ after: 0 }),
      })
      const logger = recordingLogger()
      await started({
        router: counterRouter,
        eventStore: attempts.of(database.store()),
        handlers: [ending],
        subscriptions,
        serializer,
        clock: attempts.clock,
        logger,
      })
      await until(() => isAttempted, 'an attempt')
      await old.dispatch(Add({ id: '1', by: 2 }), { consistency: 'strong' })
      await until(() => isRead, 'the second event')
      isThere = true
      const stopped = () => logger.entries.find(({ level }) => level === 'error')
      await until(() => stopped() !== undefined, 'the end of the build')
      expect(stopped()?.message).toMatch(/STOPPED.*leave BEGIN, COMMIT and ROLLBACK to the store/)
      expect(tried).toEqual([1, 2])
      expect(await totalOf(physicalTable('totals', 'totals', 2, 2))).toEqual([3, 2])
      // Readers see the old generation, and that goes on.
      await old.dispatch(Add({ id: '1', by: 4 }), { consistency: 'strong' })
      expect(await totalOf('totals')).toEqual([7, 3])
    },
  )
})
