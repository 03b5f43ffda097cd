import { isPromiseLike, type MaybePromise } from '../effects/maybe-promise.ts'
import { NotRunningError } from '../errors.ts'
import type { ReachedPlace } from '../event-store/reached-place.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { HandlerSurroundings } from './handler-context.ts'
import type { HandlerModel } from './handler-model.ts'
import { handled } from './observed-handling.ts'
import type { ParkingLot } from './parking.ts'
import { Recovery, type FailedWork, type RecoveryOptions } from './recovery.ts'

export interface EventDeliveryOptions extends RecoveryOptions {
  /** Whether the event is for this one: another partition may have it. What it throws is a failure of the handler. */
  readonly owns: ((event: RecordedEvent) => boolean) | undefined
  readonly parking: ParkingLot
  /** Something was parked. */
  readonly parked: () => void
  /** What was held back is dealt with. */
  readonly acknowledged: () => void
  /** What was held back is not dealt with: the handler stops before it, or has lost its place. */
  readonly broken: () => void
  /** Under which key an event is parked. What it throws is a failure of the handler. */
  readonly keyOf: (event: RecordedEvent) => string
}

/** What gives events to a handler, one by one or in batches. */
export interface Delivery {
  readonly isRetrying: boolean
  readonly lastError: unknown
  readonly failures: number
  /** The place before what was delivered and is not dealt with yet; undefined where nothing is held back. */
  readonly heldBack: ReachedPlace | undefined
  /** What is in hand beside what `deliver` has promised. */
  readonly inHand: Promise<unknown> | undefined
  /** From now on, events are handled. */
  open(surroundings: HandlerSurroundings): void
  /** No event is begun any more, nor tried again; one that is in hand may end. */
  close(): void
  /** True where the event is dealt with; false where the handler stops before it. */
  readonly deliver: (read: RecordedEvent) => MaybePromise<boolean>
  /** Handles a parked event again, once, between two others: false where it cannot be begun. Rejects where it fails. */
  replay(recorded: RecordedEvent, attempt: number): Promise<boolean>
}

/** Gives one event after the other to a handler's function, and again where that failed. */
export class EventDelivery implements Delivery {
  readonly #model: HandlerModel
  readonly #options: EventDeliveryOptions
  readonly #owns: ((event: RecordedEvent) => boolean) | undefined
  readonly #selector: HandlerModel['selector']
  readonly #parking: ParkingLot
  readonly #recovery: Recovery
  #surroundings: HandlerSurroundings | undefined
  /** An event is in hand that has to be waited for. */
  #inHand = false
  /** Told when that one is through. */
  #onceFree: (() => void) | undefined
  /** A parked event has its turn; undefined where none has. */
  #replaying: Promise<void> | undefined

  constructor(model: HandlerModel, options: EventDeliveryOptions) {
    this.#model = model
    this.#options = options
    this.#owns = options.owns
    this.#selector = model.selector
    this.#parking = options.parking
    this.#recovery = new Recovery(options)
  }

  get isRetrying(): boolean {
    return this.#recovery.isRetrying
  }

  get lastError(): unknown {
    return this.#recovery.lastError
  }

  /** How often the event in hand has failed. */
  get failures(): number {
    return this.#recovery.failures
  }

  get heldBack(): undefined {
    return undefined
  }

  get inHand(): undefined {
    return undefined
  }

  open(surroundings: HandlerSurroundings): void {
    this.#surroundings = surroundings
    this.#recovery.open()
  }

  close(): void {
    this.#surroundings = undefined
    this.#recovery.close()
  }

  /** The hot path: no promise, closure or copy where the handler is synchronous and succeeds. */
  readonly deliver = (read: RecordedEvent): MaybePromise<boolean> => {
    const handle = this.#model.handleByType.get(read.type)
    if (handle === undefined) return true
    if (this.#replaying !== undefined) return this.#replaying.then(() => this.deliver(read))
    const surroundings = this.#surroundings
    if (surroundings === undefined) return false
    try {
      if (this.#owns !== undefined && !this.#owns(read)) return true
      if (this.#parking.size > 0 || this.#parking.discarded.size > 0) {
        const key = this.#options.keyOf(read)
        if (this.#parking.discarded.has(key, read)) return true
        if (this.#parking.holds(key, read) && this.#isSelected(read)) return this.#parkBehind(read, key)
      }
      // Other handlers are given the same event.
      const recorded = forAnotherReader(read)
      if (this.#selector !== undefined && !this.#selector(recorded)) return true
      const answer = handled(handle, recorded, surroundings, 1)
      if (answer === undefined || !isPromiseLike(answer)) return true
      this.#inHand = true
      // Promise.resolve contains a foreign thenable: one that throws, or that calls back twice.
      return Promise.resolve(answer).then(this.#handled, (error: unknown) => this.#recover(read, error))
    } catch (error) {
      return this.#recover(read, error)
    }
  }

  async replay(recorded: RecordedEvent, attempt: number): Promise<boolean> {
    const done = this.#replay(recorded, attempt)
    const turn = done.then(
      () => undefined,
      () => undefined,
    )
    this.#replaying = turn
    try {
      return await done
    } finally {
      if (this.#replaying === turn) this.#replaying = undefined
    }
  }

  async #replay(recorded: RecordedEvent, attempt: number): Promise<boolean> {
    if (this.#inHand) {
      await new Promise<void>((resolve) => {
        this.#onceFree = resolve
      })
    }
    const surroundings = this.#surroundings
    if (surroundings === undefined) return false
    // Not asked for its owner: the key that it was parked under has one, and `partitionBy` may give another key by now.
    await this.#handle(recorded, attempt, surroundings)
    return true
  }

  readonly #handled = (): boolean => this.#free(true)

  async #recover(recorded: RecordedEvent, error: unknown): Promise<boolean> {
    this.#inHand = true
    const work: FailedWork = {
      recorded,
      attempt: (attempt) => this.#attempt(recorded, attempt),
      park: async (failure) => {
        await this.#parking.park(this.#options.keyOf(recorded), recorded, failure)
        this.#options.parked()
      },
    }
    return this.#free(await this.#recovery.recover(work, error))
  }

  #attempt(read: RecordedEvent, attempt: number): unknown {
    const surroundings = this.#surroundings
    // The recovery tries nothing again while it is closed, which it is as long as there are none.
    if (surroundings === undefined) throw new NotRunningError(`the handler ${this.#model.name} is stopped`)
    if (this.#owns !== undefined && !this.#owns(read)) return undefined
    return this.#handle(read, attempt, surroundings)
  }

  #handle(read: RecordedEvent, attempt: number, surroundings: HandlerSurroundings): unknown {
    if (!this.#isSelected(read)) return undefined
    const recorded = forAnotherReader(read)
    const handle = this.#model.handleByType.get(recorded.type)
    return handle && handled(handle, recorded, surroundings, attempt)
  }

  #isSelected(read: RecordedEvent): boolean {
    return this.#selector === undefined || this.#selector(forAnotherReader(read))
  }

  /** Behind what is parked of its key; where that was discarded meanwhile, the event has its turn. */
  async #parkBehind(read: RecordedEvent, key: string): Promise<boolean> {
    const outcome = { isParked: true }
    const isDone = await this.#recovery.park(read, async () => {
      outcome.isParked = await this.#parking.park(key, read, undefined)
    })
    if (!isDone) return false
    if (!outcome.isParked) return this.deliver(read)
    const trouble = { handlerName: this.#model.name, event: read, error: undefined, failures: 0 }
    this.#options.telemetry?.tell('handler:park', trouble)
    return true
  }

  #free(handled: boolean): boolean {
    this.#inHand = false
    this.#onceFree?.()
    this.#onceFree = undefined
    return handled
  }
}
