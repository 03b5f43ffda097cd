import { callLater } from '../effects/clock.ts'
import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError } from '../errors.ts'
import type { ReachedPlace } from '../event-store/reached-place.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { plainEnd } from '../telemetry/telemetry.ts'
import { BatchDeliveryContext } from './batch-context.ts'
import type { Batching } from './batching.ts'
import type { Delivery, EventDeliveryOptions } from './event-delivery.ts'
import type { HandlerSurroundings } from './handler-context.ts'
import type { HandlerModel } from './handler-model.ts'
import { Recovery, type FailedWork } from './recovery.ts'

/**
 * Collects events and gives them to a handler together: when there are enough, or when the first of them has waited long enough. All
 * of a batch are handled or none; until then none counts as handled.
 */
export class BatchDelivery implements Delivery {
  readonly #model: HandlerModel
  readonly #batching: Batching
  readonly #options: EventDeliveryOptions
  readonly #recovery: Recovery
  #surroundings: HandlerSurroundings | undefined
  /** Collected, or in hand. */
  #events: RecordedEvent[] = []
  #cancelTimer: (() => void) | undefined
  /** A batch, or a parked event, is in hand and has to be waited for. */
  #working: Promise<unknown> | undefined

  constructor(model: HandlerModel, batching: Batching, options: EventDeliveryOptions) {
    this.#model = model
    this.#batching = batching
    this.#options = options
    this.#recovery = new Recovery(options)
  }

  get isRetrying(): boolean {
    return this.#recovery.isRetrying
  }

  get lastError(): unknown {
    return this.#recovery.lastError
  }

  get failures(): number {
    return this.#recovery.failures
  }

  get heldBack(): ReachedPlace | undefined {
    const first = this.#events[0]
    return first && { position: first.position - 1, index: first.index }
  }

  get inHand(): Promise<unknown> | undefined {
    return this.#working
  }

  open(surroundings: HandlerSurroundings): void {
    this.#events = []
    this.#surroundings = surroundings
    this.#recovery.open()
  }

  /** What was collected is not handled: it comes again. */
  close(): void {
    this.#surroundings = undefined
    this.#recovery.close()
    this.#stopTimer()
  }

  readonly deliver = (read: RecordedEvent): MaybePromise<boolean> => {
    if (!this.#model.types.has(read.type)) return true
    if (this.#working !== undefined) return this.#working.then(() => this.deliver(read))
    if (this.#surroundings === undefined) return false
    try {
      const { selector } = this.#model
      if (selector !== undefined && !selector(forAnotherReader(read))) return true
      const { parking, keyOf } = this.#options
      if (parking.size > 0 || parking.discarded.size > 0) {
        const key = keyOf(read)
        if (parking.discarded.has(key, read)) return true
        if (parking.holds(key, read)) return this.#parkBehind(read, key)
      }
    } catch (error) {
      // What was collected before comes first: parked behind this one, it would pass for handled.
      return this.#events.length > 0 ? this.#flushBefore(read) : this.#recoverSelection(read, error)
    }
    return this.#collect(read)
  }

  #collect(read: RecordedEvent): MaybePromise<boolean> {
    this.#events.push(forAnotherReader(read))
    if (this.#events.length >= this.#batching.size) return this.#flush()
    this.#cancelTimer ??= callLater(this.#options.clock, this.#batching.timeout, () => {
      this.#cancelTimer = undefined
      void this.#flushInTime()
    })
    return true
  }

  async #flushInTime(): Promise<void> {
    // Whoever works takes the collected events with it, or lets this come after it.
    while (this.#working !== undefined) await this.#working
    if (this.#surroundings === undefined || this.#events.length === 0) return
    if (await this.#flush()) this.#options.acknowledged()
    else this.#options.broken()
  }

  /** Hands over what is collected. */
  #flush(): MaybePromise<boolean> {
    this.#stopTimer()
    const events = this.#events
    let answer: unknown
    try {
      answer = this.#attempt(events, 1)
    } catch (error) {
      return this.#during(this.#recover(events, error))
    }
    if (!isPromiseLike(answer)) return this.#done()
    const handled = Promise.resolve(answer).then(
      () => this.#done(),
      (error: unknown) => this.#recover(events, error),
    )
    return this.#during(handled)
  }

  #done(): true {
    this.#events = []
    return true
  }

  #attempt(events: readonly RecordedEvent[], attempt: number): unknown {
    const surroundings = this.#surroundings
    // The recovery tries nothing again while it is closed, which it is as long as there are none.
    if (surroundings === undefined) throw new NotRunningError(`the handler ${this.#model.name} is stopped`)
    const { handle } = this.#batching
    const context = new BatchDeliveryContext(surroundings, attempt)
    const { telemetry, handlerName } = surroundings
    if (telemetry?.watched.batch !== true) return handle([...events], context)
    const work = (): unknown => {
      const answer = handle([...events], context)
      return isPromiseLike(answer) ? Promise.resolve(answer) : answer
    }
    return telemetry.around('batch', { handlerName, events: [...events], attempt }, work, plainEnd)
  }

  async #recover(events: readonly RecordedEvent[], error: unknown): Promise<boolean> {
    const [recorded] = events
    if (recorded === undefined) return true
    const work: FailedWork = {
      recorded,
      batch: events,
      attempt: (attempt) => this.#attempt(events, attempt),
      park: async (failure) => {
        const { parking, keyOf, parked } = this.#options
        for (const event of events) await parking.park(keyOf(event), event, failure)
        parked()
      },
    }
    return (await this.#recovery.recover(work, error)) && this.#done()
  }

  async #flushBefore(read: RecordedEvent): Promise<boolean> {
    return (await this.#flush()) && this.deliver(read)
  }

  /** A selector, or partitionBy, failed at an event, which is in no batch yet. */
  #recoverSelection(read: RecordedEvent, error: unknown): Promise<boolean> {
    const { selector } = this.#model
    const { parking, keyOf, parked } = this.#options
    const outcome = { isWanted: false }
    const work: FailedWork = {
      recorded: read,
      attempt: () => {
        selector?.(forAnotherReader(read))
        keyOf(read)
        outcome.isWanted = true
      },
      park: async (failure) => {
        await parking.park(keyOf(read), read, failure)
        parked()
      },
    }
    const recovered = this.#during(this.#recovery.recover(work, error))
    return recovered.then((goesOn) => goesOn && (outcome.isWanted ? this.deliver(read) : true))
  }

  async #parkBehind(read: RecordedEvent, key: string): Promise<boolean> {
    const outcome = { isParked: true }
    const isDone = await this.#recovery.park(read, async () => {
      outcome.isParked = await this.#options.parking.park(key, read, undefined)
    })
    if (!isDone) return false
    if (!outcome.isParked) return this.deliver(read)
    const trouble = { handlerName: this.#model.name, event: read, error: undefined, failures: 0 }
    this.#options.telemetry?.tell('handler:park', trouble)
    return true
  }

  async replay(recorded: RecordedEvent, attempt: number): Promise<boolean> {
    while (this.#working !== undefined) await this.#working
    return this.#during(this.#replay(recorded, attempt))
  }

  async #replay(recorded: RecordedEvent, attempt: number): Promise<boolean> {
    if (this.#surroundings === undefined) return false
    const { selector, types } = this.#model
    // What the handler does not want any more, or what only its selector failed at, is not for a batch.
    if (!types.has(recorded.type) || selector?.(forAnotherReader(recorded)) === false) return true
    await this.#attempt([forAnotherReader(recorded)], attempt)
    return true
  }

  /** What comes meanwhile waits for it. */
  #during(work: Promise<boolean>): Promise<boolean> {
    const over = (): void => {
      this.#working = undefined
    }
    this.#working = work.then(over, over)
    return work
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}
