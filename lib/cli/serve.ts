import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { LONGEST_TIMER_MS } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { describeThrown } from '../errors.ts'
import { CliError } from './cli-error.ts'
import type { Cli } from './cli.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { healthServer } from './health-server.ts'
import type { LoadedApplication } from './load-application.ts'
import { readinessOf } from './readiness.ts'
import { logCommands, serverLog } from './server-log.ts'
import type { ServerOptions } from './server-options.ts'
import { endSignal } from './signals.ts'
import type { Supervisor } from './worker-channel.ts'

/** Runs an application in this process until it is asked to end, and drains. */
export async function serve(cli: Cli, options: ServerOptions, parent: Supervisor | undefined): Promise<ExitCode> {
  // From the start on: whoever asks it to end while it is starting means it too.
  const ending = endSignal(parent)
  const log = serverLog(cli, options.logLevel, parent?.number)
  endByFault(log)
  const loaded = await loadFor(cli, options, parent)
  const { application, inside } = loaded
  logCommands(application, log)
  inside.workWith(options.concurrency)
  if (inside.commands === undefined) {
    log.warn({ store: inside.store.name }, 'the event store keeps no commands: the server runs event handlers only')
  }
  const state = { isDraining: false }
  const readiness = () => readinessOf(inside, state.isDraining)
  parent?.listen((message) => {
    if (message.kind !== 'ask') return
    void readiness().then((given) => {
      parent.tell({ kind: 'answer', question: message.question, readiness: given })
    })
  })
  const health =
    options.port === undefined || parent !== undefined
      ? undefined
      : await healthServer(
          {
            live: () => ({ ok: true, body: { status: 'live', application: inside.name } }),
            ready: async () => {
              const { ready, reasons } = await readiness()
              return { ok: ready, body: { status: ready ? 'ready' : 'not-ready', application: inside.name, reasons } }
            },
          },
          options.port,
          options.host,
        )
  if (health !== undefined) log.info({ port: health.port, host: options.host }, 'health endpoint listens')
  // Whoever waits for work by timers that do not count, and for signals, would be taken for somebody with nothing to do.
  const alive = setInterval(() => undefined, LONGEST_TIMER_MS)
  try {
    if (await started(loaded, ending.asked)) {
      parent?.tell({ kind: 'started' })
      log.info({ application: inside.name, concurrency: options.concurrency }, 'server started')
      await ending.asked
    }
    state.isDraining = true
    return await drain(loaded, options, log, ending.reason())
  } finally {
    clearInterval(alive)
    health?.close()
    parent?.leave()
  }
}

async function loadFor(cli: Cli, options: ServerOptions, parent: Supervisor | undefined): Promise<LoadedApplication> {
  try {
    return await cli.load(options)
  } catch (thrown) {
    if (thrown instanceof CliError) {
      parent?.tell({ kind: 'hopeless', exitCode: thrown.exitCode, message: thrown.message })
    }
    throw thrown
  }
}

/** False where it was asked to end before. */
async function started({ application }: LoadedApplication, asked: Promise<void>): Promise<boolean> {
  const starting = application.start().then(() => true)
  // Its failure, once it is asked to end, is that it was stopped.
  starting.catch(() => undefined)
  return Promise.race([starting, asked.then(() => false)])
}

async function drain(
  { application, inside }: LoadedApplication,
  { drainTimeout }: ServerOptions,
  log: Logger,
  reason: string,
): Promise<ExitCode> {
  log.info({ reason, drainTimeout }, 'server drains')
  const startedAt = performance.now()
  try {
    const isStopped = await Promise.race([
      // With all the patience for what workers run, before the application stops with its own, which is short.
      inside
        .drainWorkers(drainTimeout)
        .then(() => application.stop())
        .then(() => true),
      pause(drainTimeout, false),
    ])
    const duration = Math.round(performance.now() - startedAt)
    if (isStopped) {
      log.info({ duration }, 'server ended')
      return EXIT.ok
    }
    log.error({ duration }, 'server ends before everything under way has; what was not acknowledged is done again')
    return EXIT.notDrained
  } catch (error) {
    log.error({ error }, `server did not end well: ${describeThrown(error)}`)
    return EXIT.failure
  }
}

/** A fault that nobody caught, in a promise that a handler detached, say, is the end of the process, as ever; but it is logged. */
function endByFault(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.error({ error, origin }, `server ends by a fault: ${describeThrown(error)}`)
    process.exit(EXIT.failure)
  })
}
