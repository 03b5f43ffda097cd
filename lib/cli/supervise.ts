import { backoffDelay } from '../effects/backoff.ts'
import { systemRandom } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import { CliError } from './cli-error.ts'
import type { Cli } from './cli.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { healthServer, type HealthAnswer } from './health-server.ts'
import { serverLog } from './server-log.ts'
import type { ServerOptions } from './server-options.ts'
import { endSignal } from './signals.ts'
import { WorkerProcess, type WorkerEnd } from './worker-process.ts'

/** Between the end of a worker and its successor, in milliseconds. */
const RESTART = { base: 100, longest: 10_000 }
/** A worker that has run for so many milliseconds has ended for another reason than the one before. */
const STEADY = 10_000
/** So many milliseconds a worker has beyond its own patience, before it is killed. */
const KILL_AFTER = 2_000

/** Watches over some processes that run the application, until it is asked to end. */
export async function supervise(cli: Cli, options: ServerOptions, count: number): Promise<ExitCode> {
  const ending = endSignal()
  const log = serverLog(cli, options.logLevel, undefined)
  const places = Array.from({ length: count }, (_, index) => new WorkerPlace(index + 1, log))
  const health =
    options.port === undefined
      ? undefined
      : await healthServer({ live: () => live(places), ready: () => ready(places) }, options.port, options.host)
  if (health !== undefined) log.info({ port: health.port, host: options.host }, 'health endpoint listens')
  log.info({ workers: count }, 'server starts its processes')
  try {
    const hopeless = await Promise.race([ending.asked.then(() => undefined), ...places.map((place) => place.run())])
    if (hopeless === undefined) log.info({ reason: ending.reason() }, 'server drains')
    const codes = await Promise.all(places.map((place) => place.end(options.drainTimeout + KILL_AFTER)))
    if (hopeless !== undefined) throw new CliError(hopeless.message, hopeless.exitCode)
    log.info({}, 'server ended')
    return codes.find((code) => code !== EXIT.ok) ?? EXIT.ok
  } finally {
    health?.close()
  }
}

function live(places: readonly WorkerPlace[]): HealthAnswer {
  const workers = places.map(({ number, pid }) => ({ worker: number, pid }))
  return { ok: true, body: { status: 'live', workers } }
}

/** It is ready while all of its processes are. */
async function ready(places: readonly WorkerPlace[]): Promise<HealthAnswer> {
  const workers = await Promise.all(
    places.map(async (place) => ({ worker: place.number, pid: place.pid, ...(await place.readiness()) })),
  )
  const reasons = workers.flatMap(({ worker, reasons }) => reasons.map((reason) => `worker ${worker}: ${reason}`))
  const ok = reasons.length === 0
  return { ok, body: { status: ok ? 'ready' : 'not-ready', reasons, workers } }
}

/** One of the processes, and its successors. */
class WorkerPlace {
  readonly number: number
  readonly #log: Logger
  #worker: WorkerProcess | undefined
  #isEnding = false
  #timer: { readonly handle: NodeJS.Timeout; readonly skip: () => void } | undefined

  constructor(number: number, log: Logger) {
    this.number = number
    this.#log = log
  }

  get pid(): number | undefined {
    return this.#worker?.pid
  }

  /** Starts it, and another one whenever it has ended. Resolves, with the reason, only where that makes no sense. */
  async run(): Promise<NonNullable<WorkerEnd['hopeless']>> {
    for (let failures = 0; ;) {
      const startedAt = performance.now()
      this.#worker = new WorkerProcess(this.number)
      const end = await this.#worker.ended
      if (this.#isEnding) return new Promise(() => undefined)
      if (end.hopeless !== undefined) return end.hopeless
      failures = end.hadStarted && performance.now() - startedAt >= STEADY ? 1 : failures + 1
      const delay = backoffDelay(RESTART, failures, systemRandom)
      const { code, signal } = end
      this.#log.warn(
        { worker: this.number, code, signal, delay },
        'a process of the server has ended; another one follows',
      )
      await this.#pause(delay)
      // It may have been asked to end meanwhile.
      if (this.#isOver()) return new Promise(() => undefined)
    }
  }

  async readiness() {
    return this.#worker?.readiness() ?? { ready: false, reasons: ['it is being started'] }
  }

  /** Lets it drain, and kills it after so many milliseconds. */
  async end(patience: number): Promise<ExitCode> {
    this.#isEnding = true
    this.#timer?.skip()
    const worker = this.#worker
    if (worker === undefined || worker.isOver) return EXIT.ok
    worker.drain()
    const timer = setTimeout(() => {
      this.#log.error({ worker: this.number }, 'a process of the server does not end, and is killed')
      worker.kill()
    }, patience)
    const { code } = await worker.ended
    clearTimeout(timer)
    return code === EXIT.ok ? EXIT.ok : EXIT.notDrained
  }

  #isOver(): boolean {
    return this.#isEnding
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const handle = setTimeout(resolve, milliseconds)
      const skip = () => {
        clearTimeout(handle)
        resolve()
      }
      this.#timer = { handle, skip }
    })
  }
}
