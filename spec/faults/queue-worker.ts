// Runs queued commands until it is killed, or told to end: queue-worker.ts {"store": "sqlite" | "postgres", "at": …, "schema": …}
import { application, type EventStore } from 'edict'
import { postgresEventStore } from 'edict/postgres'
import { sqliteEventStore } from 'edict/sqlite'
import { stepsRouter } from './queue-domain.ts'

interface Given {
  readonly store: 'sqlite' | 'postgres'
  readonly at: string
  readonly schema?: string
}

// Written by the spec that starts it.
const given = JSON.parse(process.argv[2] ?? '{}') as Given
const eventStore: EventStore =
  given.store === 'sqlite'
    ? sqliteEventStore(given.at, { busyTimeout: 30_000 })
    : postgresEventStore({ connectionString: given.at, ...(given.schema !== undefined && { schema: given.schema }) })

const app = application({
  name: `worker-${process.pid}`,
  router: stepsRouter,
  eventStore,
  workers: 4,
  queue: { lease: 1_000, pollInterval: 100, backoff: { base: 20 } },
})
await app.start()
process.stdout.write('started\n')
process.once('SIGTERM', () => {
  void app.stop().then(() => {
    process.exit(0)
  })
})
// The workers' timers keep no process alive.
setInterval(() => undefined, 60_000)
