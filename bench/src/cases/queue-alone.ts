import { PgBoss } from '../contenders/pg-boss.ts'
import { EdictQueue } from '../contenders/edict-queue.ts'
import { figure, ratio, type Case, type Measure } from '../case.ts'
import { freshPlace } from '../contenders/durable-store.ts'
import { inFlight } from '../in-flight.ts'
import { collect } from '../passes.ts'
import { verify } from '../verify.ts'

/** A queue, and nothing behind it. */
export interface Queue {
  add(index: number): Promise<unknown>
  /** Takes some jobs and says that they are done: how many. */
  take(): Promise<number>
  close(): Promise<void>
}

const EDICT = 'edict'
const BOSS = 'pg-boss'
const TAKERS = 4

const queueAlone =
  (open: (connectionString: string) => Promise<Queue>): Measure =>
  async (effort) => {
    const { place, remove } = await freshPlace('postgres')
    try {
      const queue = await open(place)
      const jobs = effort.short ? 5_000 : 20_000
      const pass = async () => {
        const begun = performance.now()
        await inFlight(64, jobs, (index) => queue.add(index))
        const added = performance.now()
        let taken = 0
        const takeAll = async (): Promise<void> => {
          while (taken < jobs) {
            // Not in one step: `+=` would add to what it was before the others took theirs.
            const more = await queue.take()
            taken += more
          }
        }
        await Promise.all(Array.from({ length: TAKERS }, takeAll))
        verify('how many jobs were taken', taken, jobs)
        const done = performance.now()
        return { added: added - begun, taken: done - added }
      }
      await pass()
      collect()
      const { added, taken } = await pass()
      await queue.close()
      const perSecond = (milliseconds: number) => jobs / (milliseconds / 1_000)
      return { added: perSecond(added), taken: perSecond(taken), perSecond: perSecond(added + taken) }
    } finally {
      await remove()
    }
  }

export const queueAloneCase: Case = {
  name: 'queue-alone',
  title: 'PostgreSQL: the queue by itself',
  notes: [
    'Jobs of about 100 bytes: 64 are being added at any time, one a call; then all are taken and said to be done, by four who take up to',
    '256 at once. Neither does anything with them. pg-boss is asked by fetch and complete, since its workers wait between two looks.',
  ],
  rounds: 3,
  shortRounds: 1,
  postgres: true,
  contenders: {
    [EDICT]: queueAlone((place) => EdictQueue.open(place)),
    [BOSS]: queueAlone((place) => PgBoss.open(place)),
  },
  rows: [
    ...[EDICT, BOSS].flatMap((name) => [
      { ...figure(name, 'added', 'per second'), label: `${name}, added` },
      { ...figure(name, 'taken', 'per second'), label: `${name}, taken and done` },
    ]),
    { ...ratio(EDICT, BOSS, 'added'), label: 'edict ÷ pg-boss, added' },
    { ...ratio(EDICT, BOSS, 'taken'), label: 'edict ÷ pg-boss, taken and done' },
    { ...ratio(EDICT, BOSS, 'perSecond', { atLeast: 1 }), label: 'edict ÷ pg-boss, both' },
  ],
}
