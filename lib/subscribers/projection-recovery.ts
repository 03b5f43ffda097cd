import { backoffDelay, type Backoff } from '../effects/backoff.ts'
import { callLater, type Clock } from '../effects/clock.ts'
import type { Random } from '../effects/ids.ts'
import type { Logger } from '../effects/logger.ts'
import { describeThrown } from '../errors.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { described } from './described.ts'
import type { FailurePolicy } from './failure-policy.ts'
import type { Generation } from './projection-generation.ts'
import { logFailure } from './projection-log.ts'

export interface ProjectionRecoveryOptions {
  readonly generation: Generation
  /** The application's name. */
  readonly application: string
  readonly policy: FailurePolicy
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly telemetry: Telemetry | undefined
}

const STORE_BACKOFF: Backoff = { base: 250, longest: 30_000 }

/** What is done about events that cannot be projected: how those that come next are written, and after which pause. */
export class ProjectionRecovery {
  readonly #options: ProjectionRecoveryOptions
  #isOver = false
  /** So many of the next events go one by one. */
  #singly = 0
  #skipping = false
  /** How often the first event has failed by itself. */
  #failures = 0
  /** What `onError` put in for the next failure of the same event. */
  #assigns: Record<string, unknown> = {}
  #storeFailures = 0
  #endPause: (() => void) | undefined

  constructor(options: ProjectionRecoveryOptions) {
    this.#options = options
  }

  /** Whether the next event is to have a transaction of its own. */
  get goesSingly(): boolean {
    return this.#singly > 0
  }

  /** Whether the next event is passed over. */
  get skipsFirst(): boolean {
    return this.#skipping
  }

  /** How often the next event will have been tried, with the next attempt. */
  get attempt(): number {
    return this.#failures + 1
  }

  /** So many events are through. */
  passed(count: number): void {
    this.#singly = Math.max(0, this.#singly - count)
    this.#skipping = false
    this.#failures = this.#storeFailures = 0
  }

  /** Of so many events one is at fault, and is to fail by itself. */
  goSingly(count: number): void {
    this.#singly = count
  }

  /** Nothing is tried again any more. */
  end(): void {
    this.#isOver = true
    this.#endPause?.()
  }

  /** The store's troubles are nobody's failure: they end some time. */
  async waitForStore(error: unknown): Promise<void> {
    const { logger, random, generation } = this.#options
    const delay = backoffDelay(STORE_BACKOFF, ++this.#storeFailures, random)
    logger.warn(
      { projection: generation.name, error, failures: this.#storeFailures },
      `the projection ${generation.name} cannot write, and tries again in ${Math.round(delay)} ms: ${describeThrown(error)}`,
    )
    await this.#pause(delay)
  }

  /** Asks the policy about an event that has failed by itself, and waits as it says: false where that is the end. */
  async consult(error: unknown, event: RecordedEvent): Promise<boolean> {
    if (this.#isOver) return true
    const { policy, telemetry, generation } = this.#options
    this.#failures++
    const trouble = { handlerName: generation.name, event, error, failures: this.#failures }
    if (this.#failures === 1) this.#assigns = {}
    const about = { failures: this.#failures, assigns: this.#assigns }
    const action = await policy.decide(error, forAnotherReader(event), about, (fault) => {
      this.#log('error', fault.error, event, fault.what)
    })
    if (action.action === 'park')
      this.#log('error', error, event, 'cannot park, since its rows are worth nothing with a gap')
    if (action.action === 'stop' || action.action === 'park') return false
    this.#singly = Math.max(1, this.#singly)
    if (action.action === 'skip') {
      this.#skipping = true
      telemetry?.tell('handler:skip', trouble)
      this.#log('warn', error, event, `skips ${described(event)}`)
      return true
    }
    const delay = policy.delay(action, this.#failures)
    telemetry?.tell('handler:retry', { ...trouble, delay })
    this.#log('warn', error, event, `failed at ${described(event)}, and tries again in ${Math.round(delay)} ms`)
    await this.#pause(delay)
    return true
  }

  async #pause(milliseconds: number): Promise<void> {
    if (this.#isOver) return
    await new Promise<void>((resolve) => {
      const cancel = callLater(this.#options.clock, milliseconds, resolve)
      this.#endPause = () => {
        cancel()
        resolve()
      }
    })
    this.#endPause = undefined
  }

  #log(level: 'warn' | 'error', error: unknown, event: RecordedEvent, what: string): void {
    logFailure(this.#options, this.#options.generation.name, level, what, error, event)
  }
}
