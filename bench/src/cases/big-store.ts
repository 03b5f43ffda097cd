import { randomUUID } from 'node:crypto'
import { figure, ratio, type Case, type Measure, type Prepared, type Row } from '../case.ts'
import { watchOf } from '../contenders/access-witness.ts'
import {
  accountNumber,
  accountsIn,
  BALANCE_OF_ACCOUNT,
  bulkStore,
  correlationAt,
  LEDGER,
  ledgerVersion,
  ORDER_CATEGORY,
  RARE_TYPE,
} from '../contenders/bulk-events.ts'
import { storeAt, type StoreKind } from '../contenders/durable-store.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import type { EventStore } from '../edict.ts'
import type { Effort } from '../effort.ts'
import { quantile } from '../median.ts'
import { verify } from '../verify.ts'

const SMALL_EVENTS = 10_000
const SMALL = '10,000 events'
const BIG = '10,000,000 events'
const bigEvents = ({ short }: Effort): number => (short ? 2_000_000 : 10_000_000)

const PAGE = 500
const WARM_UP = 100
const TURNS = 300

interface Question {
  readonly name: string
  readonly title: string
  /** The indexes of events by which the answer is found. */
  readonly by: Readonly<Record<StoreKind, readonly string[]>>
  readonly ask: (bank: EdictBank, store: EventStore, events: number, turn: number) => Promise<void>
}

/** A place among so many, another one each turn, and all over them. */
const spread = (turn: number, count: number): number => Math.floor(((turn * 0.618_033_988_75) % 1) * count)

const questions: readonly Question[] = [
  {
    name: 'head',
    title: 'headPosition',
    by: { sqlite: ['position'], postgres: ['events_pkey'] },
    ask: async (_bank, store, events) => {
      // What the appends of a measurement added is above that.
      verify('whether the head is there', Number((await store.headPosition()) >= events), 1)
    },
  },
  {
    name: 'streamEnd',
    title: `readStream, ${PAGE} at the end of a long one`,
    by: { sqlite: ['(stream, version)'], postgres: ['events_stream_key'] },
    ask: async (_bank, store, events) => {
      const fromVersion = ledgerVersion(events) - PAGE + 1
      verify('the events', (await store.readStream(LEDGER, { fromVersion, maxCount: PAGE })).events.length, PAGE)
    },
  },
  {
    name: 'all',
    title: `readAll, ${PAGE} from the middle`,
    by: { sqlite: ['position'], postgres: ['events_pkey'] },
    ask: async (_bank, store, events, turn) => {
      const fromPosition = events / 4 + spread(turn, events / 2)
      verify('the events', (await store.readAll({ fromPosition, maxCount: PAGE })).events.length, PAGE)
    },
  },
  {
    name: 'type',
    title: 'readAll, 2 of a type that is 1 in 1,000',
    by: { sqlite: ['edict_events_of_kind', 'position'], postgres: ['events_pkey'] },
    ask: async (_bank, store, events, turn) => {
      const fromPosition = events / 4 + spread(turn, events / 2)
      const { events: found } = await store.readAll({ fromPosition, maxCount: 2, types: new Set([RARE_TYPE]) })
      verify('the events', found.length, 2)
    },
  },
  {
    name: 'category',
    title: `readAll, ${PAGE} of a category from the middle`,
    by: { sqlite: ['edict_events_of_kind', 'position'], postgres: ['events_category_idx', 'events_pkey'] },
    ask: async (_bank, store, events, turn) => {
      const fromPosition = events / 4 + spread(turn, events / 2)
      const { events: found } = await store.readAll({ fromPosition, maxCount: PAGE, category: ORDER_CATEGORY })
      verify('the events', found.length, PAGE)
    },
  },
  {
    name: 'correlation',
    title: 'readAll, the 5 of a correlation id',
    by: {
      sqlite: ['edict_events_of_command', 'edict_events_of_correlation', 'position'],
      postgres: ['events_correlation_idx', 'events_pkey'],
    },
    ask: async (_bank, store, events, turn) => {
      const correlationId = correlationAt(1 + spread(turn, events))
      verify('the events', (await store.readAll({ correlationId })).events.length, 5)
    },
  },
  {
    name: 'aggregate',
    title: 'loading an aggregate of 90 events',
    by: { sqlite: ['(stream, version)'], postgres: ['events_stream_key'] },
    ask: async (bank, _store, events, turn) => {
      const { balance } = await bank.state(accountNumber(spread(turn, accountsIn(events))))
      verify('the balance', balance, BALANCE_OF_ACCOUNT)
    },
  },
  {
    name: 'append',
    title: 'append of one event, on disk',
    // A version follows that which is there, and the command is looked for.
    by: {
      sqlite: ['(stream, version)', 'edict_events_of_command', 'position'],
      postgres: ['events_command_idx', 'events_pkey'],
    },
    ask: async (_bank, store) => {
      const commandId = randomUUID()
      const [answer] = await store.append([
        {
          streamId: 'appended',
          category: 'Appended',
          expectedVersion: 'any',
          events: [
            {
              eventId: randomUUID(),
              type: 'Appended',
              schemaVersion: 1,
              contentType: 'application/json',
              data: '{"amount":5}',
              metadata: {},
              commandId,
              causationId: commandId,
              correlationId: commandId,
              createdAt: Date.now(),
            },
          ],
        },
      ])
      verify('whether it was appended', Number(answer?.status === 'appended'), 1)
    },
  },
]

async function withStore(kind: StoreKind, place: string, work: (bank: EdictBank, store: EventStore) => Promise<void>) {
  const store = storeAt(kind, place)
  const bank = await EdictBank.open({ eventStore: store })
  try {
    await work(bank, store)
  } finally {
    await bank.close()
  }
}

async function timed(turns: number, work: (turn: number) => Promise<void>): Promise<number[]> {
  const times: number[] = []
  for (let turn = 1; turn <= turns; turn++) {
    const begun = performance.now()
    await work(turn)
    times.push((performance.now() - begun) * 1_000)
  }
  return times
}

const measure =
  (kind: StoreKind, isBig: boolean): Measure =>
  async (effort, places) => {
    const { small, big } = JSON.parse(places) as { readonly small: string; readonly big: string }
    const place = isBig ? big : small
    const events = isBig ? bigEvents(effort) : SMALL_EVENTS
    const figures: Record<string, number> = {}
    for (const { name, by, ask } of questions) {
      await withStore(kind, place, async (bank, store) => {
        await timed(WARM_UP, (turn) => ask(bank, store, events, turn))
        figures[name] = quantile(await timed(TURNS, (turn) => ask(bank, store, events, WARM_UP + turn)), 0.5)
      })
      // In a small store a database may do as it likes.
      if (!isBig) continue
      const used = await watchOf(
        kind,
        place,
      )(() => withStore(kind, place, (bank, store) => ask(bank, store, events, 1)))
      // An application that starts asks for the head, too.
      const missing = by[kind].filter((index) => !used.includes(index))
      if (missing.length > 0)
        throw new Error(`wrong result: ${name} is found by ${used.join(', ')}, not by ${missing.join(', ')}`)
    }
    return figures
  }

const prepare =
  (kind: StoreKind) =>
  async (effort: Effort): Promise<Prepared> => {
    const small = await bulkStore(kind, SMALL_EVENTS)
    try {
      const big = await bulkStore(kind, bigEvents(effort))
      const remove = async () => {
        await small.remove()
        await big.remove()
      }
      return { place: JSON.stringify({ small: small.place, big: big.place }), remove }
    } catch (error) {
      await small.remove()
      throw error
    }
  }

const rowsOf = ({ name, title }: Question): Row[] => [
  { ...figure(SMALL, name, 'microseconds'), label: title },
  { ...figure(BIG, name, 'microseconds'), label: `  among ${BIG}` },
  { ...ratio(BIG, SMALL, name, { atMost: 3 }), label: '  ratio' },
]

const bigStore = (kind: StoreKind, title: string): Case => ({
  name: `${kind}-big-store`,
  title: `${title}: a store of 10,000,000 events beside one of 10,000 (2,000,000 in a short run)`,
  notes: [
    'The median of 300 calls, each at another place of the store. In the big store every answer is found by an index, which is',
    'looked at: a table that is gone through fails the case. The database itself builds the stores, in some minutes.',
  ],
  byNameOnly: true,
  rounds: 1,
  ...(kind === 'postgres' && { postgres: true as const }),
  prepare: prepare(kind),
  contenders: { [SMALL]: measure(kind, false), [BIG]: measure(kind, true) },
  rows: questions.flatMap(rowsOf),
})

export const sqliteBigStoreCase = bigStore('sqlite', 'SQLite')
export const postgresBigStoreCase = bigStore('postgres', 'PostgreSQL')
