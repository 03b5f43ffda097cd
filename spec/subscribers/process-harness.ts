import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  inMemoryEventStore,
  processManager,
  type Application,
  type EventStore,
  type ProcessManagerDefinition,
  type Router,
} from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import { Add, Added, type counterRouter } from '../support/counter.ts'
import { freshDatabase } from '../support/postgres-server.ts'

type RoutesOf<Routing> = Routing extends Router<infer Routes> ? Routes : never

export type CounterApplication = Application<RoutesOf<typeof counterRouter>>

export interface Sum {
  readonly seen: number[]
}

type Definition = ProcessManagerDefinition<readonly [typeof Added], Sum>

/** Which counter, of those whose ids begin with `from-`, an event is of; the instance is the rest of its id. */
export function sourceOf(streamId: string): string | undefined {
  return /^counter-from-(.*)$/.exec(streamId)?.[1]
}

/** Adds what is added to `from-x` to `to-x` as well, and keeps what it has seen; an instance for each x. */
export function copier(definition: Partial<Definition> = {}, name = 'copier') {
  return processManager<string, readonly [typeof Added], Sum>(name, {
    events: [Added],
    initialState: () => ({ seen: [] }),
    interested: {
      Added: (_data, { streamId }) => {
        const id = sourceOf(streamId)
        return id === undefined ? undefined : { start: id }
      },
    },
    handle: { Added: (_state, { by }, _recorded, { instanceId }) => Add({ id: `to-${instanceId}`, by }) },
    apply: {
      Added: (state, { by }) => {
        state.seen.push(by)
      },
    },
    ...definition,
  })
}

/** Asks for an addition to a counter that is copied. */
export const addTo = (id: string, by: number) => Add({ id: `from-${id}`, by })

/** Adds to a counter that is copied. */
export async function add(app: CounterApplication, id: string, ...amounts: readonly number[]): Promise<void> {
  for (const by of amounts) await app.dispatch(addTo(id, by))
}

export interface StoreKind {
  /** Opens what is there; the same each time. */
  open(): EventStore
  drop(): Promise<void>
}

export const storeKinds: readonly (readonly [name: string, make: () => Promise<StoreKind>])[] = [
  [
    'in memory',
    () => {
      const store = inMemoryEventStore()
      return Promise.resolve({ open: () => store, drop: () => Promise.resolve() })
    },
  ],
  [
    'in SQLite',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'edict-process-'))
      return {
        open: () => sqliteEventStore(join(folder, 'events.db')),
        drop: () => rm(folder, { recursive: true, force: true }),
      }
    },
  ],
  [
    'in PostgreSQL',
    async () => {
      const database = await freshDatabase()
      const { connectionString } = database
      return { open: () => postgresEventStore({ connectionString }), drop: () => database.drop() }
    },
  ],
]
