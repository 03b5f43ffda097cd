import { afterAll, afterEach, beforeAll } from '@jest/globals'
import { postgresEventStore, type PostgresEventStore, type PostgresEventStoreOptions } from 'edict/postgres'
import pg from 'pg'
import type { NewQueuedCommand } from '../../../lib/event-store/command-queue-store.ts'
import type {
  AppendOptions,
  EventStore,
  StreamAppend,
  StreamAppendResult,
} from '../../../lib/event-store/event-store.ts'
import type { StoredEvent } from '../../../lib/event-store/stored-event.ts'
import { freshDatabase, type FreshDatabase } from '../../support/postgres-server.ts'
import { sampleAppend, sampleEvent } from '../../event-store/sample-append.ts'

type Overrides = Partial<StreamAppend>

/** A database for the specs of one file, each of which has a schema of its own in it. */
export interface TestDatabase {
  readonly connectionString: string
  /** The schema of the spec that runs. */
  readonly schema: string
  /** A store over that schema, not open yet. Closed after the spec where it is still open. */
  make(options?: PostgresEventStoreOptions): PostgresEventStore
  /** The same, open. */
  open(options?: PostgresEventStoreOptions): Promise<PostgresEventStore>
  /** A connection beside those of the stores, ended after the spec. */
  client(): Promise<pg.Client>
  /** Runs SQL in which `edict.` stands for the schema; the rows it gives. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
}

export function testDatabase(): TestDatabase {
  let database: FreshDatabase
  let spec = 0
  let cleanUps: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    database = await freshDatabase()
  }, 180_000)
  afterEach(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp()
    cleanUps = []
    spec++
  })
  afterAll(() => database.drop())

  const schemaOf = () => `spec_${spec}`
  const make = (options?: PostgresEventStoreOptions) => {
    const { connectionString } = database
    const store = postgresEventStore({ connectionString, schema: schemaOf(), ...options })
    cleanUps.push(() => closed(store))
    return store
  }
  const client = async () => {
    const connected = new pg.Client(database.connectionString)
    connected.on('error', () => undefined)
    await connected.connect()
    cleanUps.push(() => connected.end())
    return connected
  }
  let beside: { readonly spec: number; readonly client: Promise<pg.Client> } | undefined
  return {
    get connectionString() {
      return database.connectionString
    },
    get schema() {
      return schemaOf()
    },
    make,
    open: async (options) => {
      const store = make(options)
      await store.open()
      return store
    },
    client,
    sql: async (text, values) => {
      if (beside?.spec !== spec) beside = { spec, client: client() }
      const { rows } = await (
        await beside.client
      ).query<Record<string, unknown>>(text.replaceAll('edict.', `${schemaOf()}.`), values)
      return rows
    },
  }
}

async function closed(store: EventStore): Promise<void> {
  try {
    await store.close()
  } catch (thrown) {
    if ((thrown as { readonly code?: unknown }).code !== 'not_running') throw thrown
  }
}

/** An append as a serializer's text makes it. */
export function textAppend(streamId: string, events = 1, overrides: Overrides = {}): StreamAppend {
  const append = sampleAppend(streamId, events, overrides)
  const encoded = { contentType: 'application/json', data: '{"amount":5}' }
  return { ...append, events: append.events.map((event) => ({ ...event, ...encoded })) }
}

export function textEvent(overrides: Partial<StoredEvent> = {}) {
  return sampleEvent({ contentType: 'application/json', data: '{"amount":5}', ...overrides })
}

/** A command as a serializer's text makes it. */
export function textCommand(commandId: string, changes: Partial<NewQueuedCommand> = {}): NewQueuedCommand {
  return {
    ...{ commandId, type: 'DepositMoney', streamId: 'account-1', lane: 1, strict: false, byCaller: false },
    ...{ contentType: 'application/json', data: '{"amount":5}', metadata: {}, options: {}, depth: 0, createdAt: 5 },
    ...{ correlationId: commandId, causationId: commandId, tenant: undefined, fingerprint: 'the same' },
    ...{ idempotencyKey: undefined, notBefore: undefined, delay: undefined, deadline: undefined },
    ...changes,
  }
}

/** As the store does, and always with a promise. */
export async function append(
  store: EventStore,
  streams: readonly StreamAppend[],
  options?: AppendOptions,
): Promise<readonly StreamAppendResult[]> {
  return store.append(streams, options)
}

/** All positions of a store, as a reader goes through them. */
export async function positionsOf(store: EventStore): Promise<number[]> {
  const positions: number[] = []
  for (let lastPosition = 0; ;) {
    const slice = await store.readAll({ fromPosition: lastPosition + 1 })
    positions.push(...slice.events.map((event) => event.position))
    lastPosition = slice.lastPosition
    if (lastPosition >= slice.headPosition) return positions
  }
}

/** Waits for a condition, never for a time. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
