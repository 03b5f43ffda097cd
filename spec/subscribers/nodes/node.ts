import { createInterface } from 'node:readline'
import { EdictError, application, eventHandler, type EventStore } from 'edict'
import { Add, Added, counterRouter } from '../../support/counter.ts'
import type { NodeOptions, NodeOrder, NodeReport } from './protocol.ts'

// One process of an application that many processes run: it does what comes in, a line an order, and tells what happens.

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions

function tell(report: NodeReport): void {
  process.stdout.write(`${JSON.stringify({ ...report, at: Date.now() })}\n`)
}

async function storeOf(store: string): Promise<EventStore> {
  if (store.startsWith('postgres')) {
    const { postgresEventStore } = await import('edict/postgres')
    return postgresEventStore({ connectionString: store })
  }
  const { sqliteEventStore } = await import('edict/sqlite')
  return sqliteEventStore(store, { busyTimeout: 60_000 })
}

const recorder = eventHandler('recorder', {
  events: [Added],
  consistency: 'strong',
  concurrency: options.concurrency ?? 1,
  handle: async ({ by }, { position, streamId }) => {
    if (options.delay !== undefined) await new Promise((resolve) => setTimeout(resolve, options.delay))
    tell({ handled: { position, streamId, by } })
  },
})

const app = application({
  name: 'counters',
  router: counterRouter,
  eventStore: await storeOf(options.store),
  handlers: [recorder],
  subscriptions: { lease: options.lease, claimInterval: options.claimInterval },
})

/** Who stands still for as long as this may lose its place, and should: then a spec that expects otherwise has seen nothing. */
const TOO_LONG = options.lease / 2
let lastSeen = Date.now()
setInterval(() => {
  const now = Date.now()
  if (now - lastSeen > TOO_LONG) tell({ stoodStill: now - lastSeen })
  lastSeen = now
}, 20)

async function obey(order: NodeOrder): Promise<void> {
  if ('stop' in order) {
    await app.stop()
    tell({ stopped: true })
    process.exit(0)
  }
  const { number, id, by, consistencyTimeout } = order.dispatch
  try {
    await app.dispatch(Add({ id, by }), { consistency: 'strong', consistencyTimeout })
    tell({ dispatched: { number } })
  } catch (error) {
    const laggards = (error as { readonly laggards?: readonly string[] }).laggards ?? []
    tell({ dispatched: { number, failure: error instanceof EdictError ? error.code : String(error), laggards } })
  }
}

await app.start()
createInterface({ input: process.stdin }).on('line', (line) => void obey(JSON.parse(line) as NodeOrder))
tell({ started: true })
