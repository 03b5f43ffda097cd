import { figure, ratio, type Case, type Figures, type Measure } from '../case.ts'
import { freshPlace, storeAt, type StoreKind } from '../contenders/durable-store.ts'
import { EdictBank } from '../contenders/edict-bank.ts'
import type { EventStore } from '../edict.ts'
import type { Effort } from '../effort.ts'
import { median } from '../median.ts'
import { verify } from '../verify.ts'

const SQLITE = 'edict, sqlite'
const SQLITE_SNAPSHOT = 'edict, sqlite, with a snapshot'
const POSTGRES = 'edict, postgres'
const POSTGRES_SNAPSHOT = 'edict, postgres, with a snapshot'
const EMMETT = 'emmett, postgres'
const ACCOUNT = 'ACC-000001'
const EVENTS = 10_000
const DEPOSITS = EVENTS - 1
/** The snapshot is as old as it may become at worst. */
const SNAPSHOT = { every: 1_000 }
const SNAPSHOT_AT = EVENTS - 999
const AMOUNT = 5

/** Appends so many events like the last one, many at once: as many commands, one after the other, would take long. */
async function fill(store: EventStore, streamId: string, count: number): Promise<void> {
  const { events } = await store.readStream(streamId, { direction: 'backward', maxCount: 1 })
  const { category, type, schemaVersion, contentType, data, metadata, causationId, correlationId, createdAt } =
    events[0]!
  const same = { type, schemaVersion, contentType, data, metadata, causationId, correlationId, createdAt }
  for (let left = count; left > 0;) {
    const commandId = crypto.randomUUID()
    const batch = Array.from({ length: Math.min(left, 500) }, () => ({
      ...same,
      eventId: crypto.randomUUID(),
      commandId,
    }))
    const [result] = await store.append([{ streamId, category, expectedVersion: 'exists', events: batch }])
    verify('the number of appends that were taken', result?.status === 'appended' ? 1 : 0, 1)
    left -= batch.length
  }
}

interface Reader {
  state(accountNumber: string): Promise<{ readonly balance: number }>
  close(): Promise<void>
}

/** The median of some loads, each by a reader that has nothing of the aggregate in memory. */
async function loads(effort: Effort, open: () => Promise<Reader>): Promise<Figures> {
  const times: number[] = []
  for (let time = 0; time < (effort.short ? 5 : 15); time++) {
    const reader = await open()
    const begun = performance.now()
    const { balance } = await reader.state(ACCOUNT)
    times.push(performance.now() - begun)
    await reader.close()
    verify('the balance', balance, DEPOSITS * AMOUNT)
  }
  return { milliseconds: median(times) }
}

const edict =
  (kind: StoreKind, snapshot: boolean): Measure =>
  async (effort) => {
    const { place, remove } = await freshPlace(kind)
    const options = snapshot ? { snapshots: { BankAccount: SNAPSHOT } } : {}
    try {
      const eventStore = storeAt(kind, place)
      const writer = await EdictBank.open({ eventStore })
      await writer.open(ACCOUNT)
      const { streamId } = await writer.deposit(ACCOUNT, AMOUNT)
      await fill(eventStore, streamId, SNAPSHOT_AT - 3)
      await writer.close()
      // It loads the account, and has reason to take a snapshot after its first command.
      const taker = await EdictBank.open({ eventStore, ...options })
      const { aggregateVersion } = await taker.deposit(ACCOUNT, AMOUNT)
      verify('the version at the snapshot', aggregateVersion, SNAPSHOT_AT)
      await fill(eventStore, streamId, EVENTS - SNAPSHOT_AT)
      await taker.close()
      return await loads(effort, () => EdictBank.open({ eventStore: storeAt(kind, place), ...options }))
    } finally {
      await remove()
    }
  }

const emmett: Measure = async (effort) => {
  const { EmmettPostgresBank } = await import('../contenders/emmett-postgres-bank.ts')
  const { place, remove } = await freshPlace('postgres')
  try {
    const bank = await EmmettPostgresBank.open(place)
    await bank.open(ACCOUNT)
    await bank.fill(
      ACCOUNT,
      Array.from({ length: DEPOSITS }, () => AMOUNT),
    )
    await bank.close()
    return await loads(effort, async () => {
      const reader = await EmmettPostgresBank.open(place)
      return { state: (accountNumber) => reader.account(accountNumber), close: () => reader.close() }
    })
  } finally {
    await remove()
  }
}

const milliseconds = (contender: string) => figure(contender, 'milliseconds', 'milliseconds')

export const loadCase: Case = {
  name: 'load',
  title: 'loading an aggregate of 10,000 events that nobody has in memory',
  notes: [
    'From the stored stream to the state, by an application that has just started; Emmett: eventStore.aggregateStream.',
    'The snapshot is the last of those that an application takes every 1,000 events.',
  ],
  rounds: 3,
  fullOnly: true,
  postgres: true,
  contenders: {
    [SQLITE]: edict('sqlite', false),
    [SQLITE_SNAPSHOT]: edict('sqlite', true),
    [POSTGRES]: edict('postgres', false),
    [POSTGRES_SNAPSHOT]: edict('postgres', true),
    [EMMETT]: emmett,
  },
  rows: [
    ...[SQLITE, SQLITE_SNAPSHOT, POSTGRES, POSTGRES_SNAPSHOT, EMMETT].map(milliseconds),
    { ...ratio(EMMETT, POSTGRES, 'milliseconds'), label: 'emmett ÷ edict, both on postgres, time' },
  ],
}
