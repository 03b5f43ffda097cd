import type { Instance } from '../aggregate/instance.ts'
import type { InstanceCache } from '../aggregate/instance-cache.ts'
import { LONGEST_TIMER_MS, type Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { isEdictError } from '../errors.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { Life, Lifespan } from '../routing/lifespan.ts'

interface Unreferable {
  unref?(): unknown
}

/** Takes instances out of memory when their lifespan says so. The cache may take them out earlier. */
export class Lifespans {
  readonly #clock: Clock
  readonly #instances: InstanceCache
  readonly #logger: Logger
  readonly #timers = new WeakMap<Instance, unknown>()

  constructor(services: { readonly clock: Clock; readonly instances: InstanceCache; readonly logger: Logger }) {
    this.#clock = services.clock
    this.#instances = services.instances
    this.#logger = services.logger
  }

  afterResult(instance: Instance, lifespan: Lifespan, command: SealedMessage, { events }: ExecutionResult): void {
    const last = events.at(-1)
    this.#decide(instance, () => (last === undefined ? lifespan.afterCommand?.(command) : lifespan.afterEvent?.(last)))
  }

  afterError(instance: Instance, lifespan: Lifespan, error: unknown): void {
    if (isEdictError(error)) this.#decide(instance, () => lifespan.afterError?.(error))
  }

  #decide(instance: Instance, ask: () => Life | undefined): void {
    let life: Life
    try {
      life = ask() ?? 'infinity'
    } catch (error) {
      this.#logger.error({ err: error, streamId: instance.streamId }, 'a lifespan callback failed')
      return
    }
    this.#clock.clearTimeout(this.#timers.get(instance))
    this.#timers.delete(instance)
    if (life === 'stop') this.#retire(instance)
    else if (typeof life === 'number' && life >= 0 && life <= LONGEST_TIMER_MS) this.#retireAfter(instance, life)
  }

  #retireAfter(instance: Instance, milliseconds: number): void {
    const timer = this.#clock.setTimeout(() => {
      this.#retire(instance)
    }, milliseconds)
    ;(timer as Unreferable | undefined)?.unref?.()
    this.#timers.set(instance, timer)
  }

  /** One that is at work stays: the end of that work decides anew. */
  #retire(instance: Instance): void {
    if (instance.mailbox.idle) this.#instances.remove(instance)
  }
}
