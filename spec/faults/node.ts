import { openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { application, eventHandler, type EventHandler, type EventStore, type Logger, type Projection } from 'edict'
import { EdictError } from '../../lib/errors.ts'
import { lineWriter, type Handled, type LedgerLine } from './ledger.ts'
import type { NodeConfiguration } from './node-configuration.ts'
import { plantedStore, TOO_LATE } from './planted-stores.ts'
import { pause } from './random.ts'
import { readModel } from './read-model.ts'
import { Counted, tallyRouter } from './tally.ts'
import { Writer } from './writer.ts'

// One node of the fault specs: an application over a store, which says on its standard output what has truly happened to it, and is
// told on its standard input when to end.

const note = lineWriter<LedgerLine>(1)

const MOST_STARTS = 5

async function storeOf({ store, impatient = false }: NodeConfiguration): Promise<EventStore> {
  if (store.kind === 'sqlite') {
    const { sqliteEventStore } = await import('edict/sqlite')
    return sqliteEventStore(store.path, { busyTimeout: 60_000 })
  }
  const { postgresEventStore } = await import('edict/postgres')
  const { connectionString, listenTo } = store
  return postgresEventStore({
    connectionString,
    maxConnections: 5,
    connectionTimeoutMillis: impatient ? 2_000 : 20_000,
    statementTimeout: impatient ? 1_000 : 20_000,
    ...(listenTo !== undefined && { listen: { connectionString: listenTo } }),
  })
}

function follower({ node, plants }: NodeConfiguration, path: string): EventHandler {
  const handled = lineWriter<Handled>(openSync(path, 'a'))
  return eventHandler('follower', {
    events: [Counted],
    handle: async (_data, { position, streamId, streamVersion }) => {
      note({ kind: 'handling', position })
      const effect = () => handled({ node, position, streamId, streamVersion })
      if (plants.includes('place-before-effect')) {
        setTimeout(effect, TOO_LATE)
        return
      }
      if (position % 3 === 0) await pause(1)
      effect()
    },
  })
}

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (_fields, message) => note({ kind: 'logged', level: 'warn', message }),
  error: (_fields, message) => note({ kind: 'logged', level: 'error', message }),
}

async function run(configuration: NodeConfiguration): Promise<void> {
  const handlers: (EventHandler | Projection)[] = []
  if (configuration.handled !== undefined) handlers.push(follower(configuration, configuration.handled))
  if (configuration.projects === true) handlers.push(readModel(configuration, note))
  const make = async () =>
    application({
      name: 'faults',
      router: tallyRouter,
      eventStore: await plantedStore(await storeOf(configuration), configuration),
      handlers,
      subscriptions: { lease: configuration.lease, claimInterval: 100 },
      logger,
    })
  let app = await make()
  // As often as it is asked to: each signal stops it again.
  process.on('SIGTERM', () => void endBy(app))
  note({ kind: 'starting' })
  for (let attempt = 1; ; attempt++) {
    try {
      await app.start()
      break
    } catch (thrown) {
      // A machine that was paused finds its connections too slow; a service is then started again.
      const isSlow = thrown instanceof EdictError && thrown.code === 'store_failed'
      if (!isSlow || ending.isAsked || attempt === MOST_STARTS) throw thrown
    }
    app = await make()
  }
  note({ kind: 'started' })
  const writer = configuration.writer && new Writer(app, configuration.writer, note)
  for await (const word of createInterface({ input: process.stdin })) {
    await writer?.quiet()
    note({ kind: 'quiet' })
    if (word === 'stop') break
  }
  await app.stop()
  note({ kind: 'stopped' })
}

/** Ends the process once the application has stopped: also where it was being started, or has work in hand. */
async function endBy(app: { stop(): Promise<void> }): Promise<void> {
  ending.isAsked = true
  await app.stop()
  note({ kind: 'stopped' })
  process.exit(0)
}

const ending = { isAsked: false }

try {
  // The parent's words, which are checked by the types of both.
  await run(JSON.parse(process.argv[2] ?? '') as NodeConfiguration)
  process.exit(0)
} catch (thrown) {
  // Its start was refused as it is being stopped, which goes on.
  if (ending.isAsked) await new Promise(() => undefined)
  const { code, outcome } = thrown instanceof EdictError ? thrown : { code: 'unexpected', outcome: 'unknown' }
  note({ kind: 'failed', code, outcome, error: String(thrown) })
  process.exit(1)
}
