import type { Instance } from '../aggregate/instance.ts'
import type { InstanceCache } from '../aggregate/instance-cache.ts'
import { idleTimer, LONGEST_TIMER_MS, type Clock } from '../effects/clock.ts'
import type { Logger } from '../effects/logger.ts'
import { silencedPromise } from '../effects/refuse-promise.ts'
import { describeThrown, isEdictError } from '../errors.ts'
import type { SealedMessage } from '../messages/sealed-message.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { Life, Lifespan } from '../routing/lifespan.ts'

/** Takes instances out of memory when their lifespan says so. The cache may take them out earlier. */
export class Lifespans {
  readonly #clock: Clock
  readonly #instances: InstanceCache
  readonly #logger: Logger
  /** What takes back the ends of those that are in memory: an instance that has left it must not be held by its timer. */
  readonly #ends = new Map<Instance, () => void>()

  constructor(services: { readonly clock: Clock; readonly instances: InstanceCache; readonly logger: Logger }) {
    this.#clock = services.clock
    this.#instances = services.instances
    this.#logger = services.logger
    this.#instances.removed = this.#forget
  }

  afterResult(instance: Instance, lifespan: Lifespan, command: SealedMessage, { events }: ExecutionResult): void {
    const last = events.at(-1)
    if (last === undefined) this.#decide(instance, 'afterCommand', lifespan.afterCommand?.bind(lifespan, command))
    else this.#decide(instance, 'afterEvent', lifespan.afterEvent?.bind(lifespan, last))
  }

  afterError(instance: Instance, lifespan: Lifespan, error: unknown): void {
    if (isEdictError(error)) this.#decide(instance, 'afterError', lifespan.afterError?.bind(lifespan, error))
  }

  #decide(instance: Instance, callback: keyof Lifespan, ask: (() => unknown) | undefined): void {
    let life: unknown = 'infinity'
    try {
      if (ask !== undefined) life = ask()
    } catch (error) {
      this.#complain(instance, callback, error, `failed: ${describeThrown(error)}`)
      return
    }
    if (!isLife(life)) {
      this.#complain(
        instance,
        callback,
        undefined,
        `gave ${described(life)}, and not milliseconds, 'infinity' or 'stop'`,
      )
      return
    }
    this.#forget(instance)
    if (life === 'stop') this.#retire(instance)
    else if (life !== 'infinity' && life <= LONGEST_TIMER_MS) this.#retireAfter(instance, life)
  }

  /** The instance goes on living as it did. */
  #complain({ streamId }: Instance, callback: keyof Lifespan, error: unknown, what: string): void {
    this.#logger.error(
      { ...(error !== undefined && { err: error }), streamId },
      `the lifespan's ${callback} for ${streamId} ${what}`,
    )
  }

  #retireAfter(instance: Instance, milliseconds: number): void {
    const takeBack = idleTimer(this.#clock, milliseconds, () => {
      this.#ends.delete(instance)
      this.#retire(instance)
    })
    this.#ends.set(instance, takeBack)
  }

  readonly #forget = (instance: Instance): void => {
    this.#ends.get(instance)?.()
    this.#ends.delete(instance)
  }

  /** One that is at work stays: the end of that work decides anew. */
  #retire(instance: Instance): void {
    if (instance.mailbox.idle) this.#instances.remove(instance)
  }
}

function isLife(life: unknown): life is Life {
  return life === 'infinity' || life === 'stop' || (typeof life === 'number' && life >= 0)
}

function described(life: unknown): string {
  if (typeof life === 'number') return String(life)
  if (typeof life === 'string') return `'${life}'`
  return silencedPromise(life) ? 'a promise' : life === null ? 'null' : `a value of type ${typeof life}`
}
