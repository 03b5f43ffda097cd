import type { Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import type { HookMiddleware, Middleware, MiddlewareHost } from '../routing/middleware.ts'

export interface MiddlewareLifeOptions {
  /** Each once, on however many routes it stands. */
  readonly middleware: ReadonlySet<Middleware>
  readonly host: MiddlewareHost
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds that one is given to stop, and the one that is starting where a stop is asked for. */
  readonly patience: number
}

/** Tells middleware that its application starts, and that it stops. */
export class MiddlewareLife {
  readonly #options: MiddlewareLifeOptions
  #started: HookMiddleware[] = []

  constructor(options: MiddlewareLifeOptions) {
    this.#options = options
  }

  /** Ends before all are started where a stop is asked for. Rejects with what one of them fails with. */
  start(stopAsked: Promise<void>): Promise<unknown> {
    const { clock, patience } = this.#options
    const starting = this.#start(stopAsked)
    return Promise.race([starting, stopAsked.then(() => waitAtMost(clock, patience, starting))])
  }

  async #start(stopAsked: Promise<void>): Promise<void> {
    const stop = { isAsked: false }
    void stopAsked.then(() => (stop.isAsked = true))
    const { middleware, host } = this.#options
    for (const one of middleware) {
      if (typeof one === 'function' || (!one.started && !one.stopped)) continue
      this.#started.push(one)
      await one.started?.(host)
      if (stop.isAsked) return
    }
  }

  /** What the first one failed with that did, once all are told. */
  async stop(): Promise<PromiseRejectedResult | undefined> {
    const told = await Promise.allSettled(this.#started.splice(0).map((one) => this.#stop(one)))
    return told.find((outcome) => outcome.status === 'rejected')
  }

  async #stop(middleware: HookMiddleware): Promise<void> {
    const { host, clock, logger, patience } = this.#options
    const stopping = (async () => middleware.stopped?.(host))()
    if (await waitAtMost(clock, patience, stopping)) return
    logger.error(
      { application: host.name },
      `a middleware did not stop within ${patience} ms; it is stopped without it`,
    )
  }
}
